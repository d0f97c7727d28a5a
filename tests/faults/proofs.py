"""A verifier of our own for the log: signed notes and consistency proofs, with hashlib alone."""
import base64
import hashlib


def head_of(checkpoint):
    """Origin, size and root of a checkpoint (C2SP tlog-checkpoint)."""
    origin, size, root = checkpoint.split("\n")[:3]
    return origin, int(size), base64.b64decode(root)


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def consistent(old, old_root, new, new_root, proof):
    """Whether the tree of `old` leaves is the beginning of that of `new` (RFC 9162, 2.1.4.2)."""
    if old == 0 or old == new:
        return not proof and (old == 0 or old_root == new_root)
    if old > new:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for hash_ in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(hash_, first), node(hash_, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, hash_)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def continues(connection, kept):
    """The newest head of a server, after it has proven that it continues the one that was kept."""
    newest = connection.get("/log/checkpoint")
    (origin, old, old_root), (now, new, new_root) = head_of(kept), head_of(newest)
    assert origin == now, f"{origin} became {now}"
    assert old <= new, f"the log shrank from {old} to {new} events"
    answer = connection.get(f"/log/consistency?from={old}&to={new}")
    proof = [base64.b64decode(hash_) for hash_ in answer["proof"]]
    assert consistent(old, old_root, new, new_root, proof), f"{old} to {new}: {answer}"
    return newest


def fault_our_verifier_refuses_what_is_not_so(_bank, _long):
    """Every pair of sizes up to 20 is accepted with its proof, and refused with one bit changed."""
    def root(leaves):
        if len(leaves) == 1:
            return hashlib.sha256(b"\x00" + leaves[0]).digest()
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return node(root(leaves[:split]), root(leaves[split:]))

    def subproof(size, leaves, whole):
        if size == len(leaves):
            return [] if whole else [root(leaves)]
        split = 1 << (len(leaves) - 1).bit_length() - 1
        if size <= split:
            return subproof(size, leaves[:split], whole) + [root(leaves[split:])]
        return subproof(size - split, leaves[split:], False) + [root(leaves[:split])]

    leaves = [bytes([n]) for n in range(20)]
    for new in range(1, 21):
        for old in range(1, new + 1):
            proof = subproof(old, leaves[:new], True)
            roots = root(leaves[:old]), root(leaves[:new])
            assert consistent(old, roots[0], new, roots[1], proof), (old, new)
            wrong = bytes([roots[0][0] ^ 1]) + roots[0][1:]
            assert not consistent(old, wrong, new, roots[1], proof), (old, new)
            if proof:
                assert not consistent(old, roots[0], new, roots[1], proof[:-1]), (old, new)
