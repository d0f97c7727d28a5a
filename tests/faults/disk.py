"""A full disk: what uses and changes keys stops with a clear answer, what protects the bank goes on."""
import contextlib
import os
import subprocess
import time

from bank import Refused, Skipped, until
from proofs import continues

DISK_MEBIBYTES = 64
BLOCK = 65_536
FULL = ("storage-full", "root-file-full")


def mount(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)


@contextlib.contextmanager
def mounted(folder, *arguments):
    """A file system of its own."""
    folder.mkdir(exist_ok=True)
    done = mount(*arguments, folder)
    if done.returncode:
        raise Skipped(f"mounting is not permitted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(path):
    """Takes every byte that is left."""
    with open(path, "ab", buffering=0) as file:
        for size in (BLOCK, 512, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass


def refused(step, codes):
    """The problem with which a step is refused: a 503 with one of these codes."""
    try:
        step()
    except Refused as refusal:
        assert refusal.status == 503 and refusal.code in codes, str(refusal)
        assert "/" not in refusal.problem["detail"], f"a path is told to strangers: {refusal}"
        return refusal.problem["detail"]
    raise AssertionError("it was done")


def what_must_stop(bank, server, codes):
    """Use of keys and changes are refused; gives what was said."""
    user, custodian = server.connect(bank.tokens["application"]), server.connect(bank.tokens["custodian"])
    said = set()
    body = {"domain": bank.domain, "name": "too-many", "algorithm": "aes-256-gcm"}
    for step in (lambda: user.post(f"/keys/{bank.key}/encrypt", {"plaintext": "aGVsbG8="}),
                 lambda: user.post(f"/keys/{bank.key}/decrypt", {"ciphertext": bank.ciphertext}),
                 lambda: custodian.post("/keys", body),
                 lambda: custodian.post(f"/keys/{bank.key}/rotate")):
        said.add(refused(step, codes))
    user.close()
    custodian.close()
    return "; ".join(sorted(said))


def suspend(bank, server):
    """Two people on the duty list stop the key."""
    officer, watch = server.connect(bank.tokens["officer"]), server.connect(bank.tokens["watch"])
    body = {"reason": "drill", "stops": ["core-banking"]}
    asked = officer.post("/approvals", {"act": {"suspend-key": {"key": bank.key, "body": body}}, "reason": "drill"})
    watch.post(f"/approvals/{asked['id']}/approve")
    officer.post(f"/keys/{bank.key}/suspend", body)
    body = {"reason": "drill over"}
    asked = officer.post("/approvals", {"act": {"resume-key": {"key": bank.key, "body": body}}, "reason": "drill"})
    watch.post(f"/approvals/{asked['id']}/approve")
    return officer, body


def what_must_go_on(bank, server):
    """Health, the log, revocation of a token, suspension and resumption of a key."""
    assert server.is_healthy(), "not healthy"
    reader = server.connect(bank.tokens["watch"])
    assert reader.get("/log/events?limit=5")["items"], "no log"
    officer, resume = suspend(bank, server)
    user = server.connect(bank.tokens["application"])
    try:
        user.post(f"/keys/{bank.key}/encrypt", {"plaintext": "aGVsbG8="})
        raise AssertionError("a suspended key works")
    except Refused as refusal:
        assert refusal.status in (403, 409, 503) and "suspended" in refusal.code or refusal.status == 503, str(refusal)
    officer.post(f"/keys/{bank.key}/resume", resume)
    engineer = server.connect(bank.tokens["engineer"])
    spare = server.connect(bank.tokens["spare"])
    assert spare.get("/whoami")["name"], "the token does not work before it is revoked"
    engineer.ask("DELETE", f"/tokens/{bank.token_ids['spare']}")
    try:
        spare.get("/whoami")
        raise AssertionError("a revoked token works")
    except Refused as refusal:
        assert refusal.status == 401, str(refusal)
    for connection in (reader, officer, user, engineer, spare):
        connection.close()


def fault_a_full_disk_stops_key_use_and_nothing_that_protects(bank, _long):
    size = f"size={DISK_MEBIBYTES}m,mode=0700"
    with mounted(bank.folder / "full", "-t", "tmpfs", "-o", size, "tmpfs") as folder:
        server = bank.server("full-disk", folder)
        try:
            server.start()
            reader = server.connect(bank.tokens["watch"])
            kept = reader.get("/log/checkpoint")
            reader.close()
            filler = folder / "filler"
            fill(filler)
            stopped = until("the disk is full", lambda: full(bank, server))
            stopped = what_must_stop(bank, server, FULL)
            what_must_go_on(bank, server)
            what_must_stop(bank, server, FULL)
            watch = server.connect(bank.tokens["watch"])
            kept = continues(watch, kept)
            os.unlink(filler)
            until("service resumes", lambda: works(bank, server))
            what_must_go_on_again(bank, server)
            kept = continues(watch, kept)
            watch.close()
            server.stop()
            server.start()
            assert bank.opens(server)
            watch = server.connect(bank.tokens["watch"])
            continues(watch, kept)
            server.stop()
            sealed_while_full(bank, server, folder)
            return f"503: {stopped}"
        finally:
            server.end()


def full(bank, server):
    """Whether use of keys is refused by now; what was reserved by the file system is used up first."""
    user = server.connect(bank.tokens["application"])
    try:
        user.post(f"/keys/{bank.key}/encrypt", {"plaintext": "aGVsbG8h" * 10_000})
        return False
    except Refused as refusal:
        assert refusal.status == 503, str(refusal)
        return True
    finally:
        user.close()


def works(bank, server):
    try:
        return bank.opens(server)
    except Refused:
        return False


def what_must_go_on_again(bank, server):
    custodian = server.connect(bank.tokens["custodian"])
    body = {"domain": bank.domain, "name": f"again-{time.monotonic_ns()}", "algorithm": "aes-256-gcm"}
    assert custodian.post("/keys", body)["id"]
    custodian.close()


def sealed_while_full(bank, server, folder):
    """The switch of last resort works on a full disk, and the start after it too."""
    server.start()
    fill(folder / "filler")
    until("the disk is full", lambda: full(bank, server))
    watch = server.connect(bank.tokens["watch"])
    watch.post("/sys/seal")
    watch.close()
    stranger = server.connect()
    assert stranger.get("/sys/seal-status")["sealed"] is True
    stranger.close()
    assert server.is_healthy(), "not healthy"
    os.unlink(folder / "filler")
    server.stop()
    server.start()
    assert bank.opens(server), "it does not open after it was sealed"
    server.stop()
