"""A mirror follows the log over HTTP with nothing but SHA-256: C2SP tlog-tiles, tile by tile."""
import base64
import hashlib
import time


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def place(index, width):
    """The path of a tile: x001/x234/067, and .p/W where it is not full (C2SP tlog-tiles)."""
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups) + ("" if width == 256 else f".p/{width}")


def root(hashes):
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b"\x01", root(hashes[:half]), root(hashes[half:]))


def tiles(demo, level, count):
    """The hashes of a level of the tree."""
    found = []
    while len(found) < count:
        index, width = len(found) // 256, min(256, count - len(found))
        body = demo.fetch("auditor", f"/log/tile/{level}/{place(index, width)}")
        assert len(body) == 32 * width, f"{level} {index}: {len(body)} bytes"
        found += [body[at:at + 32] for at in range(0, len(body), 32)]
    return found


def entries(demo, count):
    found = []
    while len(found) < count:
        index, width = len(found) // 256, min(256, count - len(found))
        body, before = demo.fetch("auditor", f"/log/tile/entries/{place(index, width)}"), len(found)
        while body:
            length = int.from_bytes(body[:2], "big")
            found.append(body[2:2 + length])
            body = body[2 + length:]
        assert len(found) == before + width
    return found


def head(demo):
    lines = demo.fetch("auditor", "/log/checkpoint").decode().split("\n")
    return int(lines[1]), base64.b64decode(lines[2])


def check_a_mirror_rebuilds_the_signed_root_tile_by_tile(demo):
    size, signed = head(demo)
    leaves = tiles(demo, 0, size)
    assert root(leaves) == signed, "the tiles do not have the signed root"
    assert [sha(b"\x00", entry) for entry in entries(demo, size)] == leaves
    upper = tiles(demo, 1, size // 256)
    assert upper == [root(leaves[at:at + 256]) for at in range(0, size // 256 * 256, 256)]


def check_a_mirror_that_comes_again_finds_the_log_continued(demo):
    size, signed = head(demo)
    # Reading is recorded, within a second or so: the log grows while it is looked at.
    end = time.monotonic() + 20
    newer, newer_root = head(demo)
    while newer == size and time.monotonic() < end:
        time.sleep(0.2)
        newer, newer_root = head(demo)
    assert newer > size
    leaves = tiles(demo, 0, newer)
    assert root(leaves) == newer_root and root(leaves[:size]) == signed


def check_what_is_not_there_yet_is_not_found(demo):
    for path in ("/log/tile/0/999", "/log/tile/9/000", "/log/tile/0/000.p/0", "/log/tile/0/x001/999",
                 "/log/tile/entries/x001/x001/999.p/3", "/log/tile/x/000", "/log/tile/0/..%2Fanchor"):
        demo.call("auditor", "GET", path, expect=(404,))
    demo.call(None, "GET", "/log/tile/0/000", expect=(401,))
