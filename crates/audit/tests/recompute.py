# Recomputes the root of an exported log and one inclusion proof with nothing but SHA-256.
import base64, hashlib, json, sys

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def leaf(line):
    public = sha(base64.b64decode(line["public_salt"]), line["public"].encode())
    return sha(b"\x00", b"\x01", public, base64.b64decode(line["personal_hash"]))

def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\x01", root(leaves[:half]), root(leaves[half:]))

def climb(at, size, node, path):
    if size == 1:
        return node
    half = 1 << (size - 1).bit_length() - 1
    if at < half:
        return sha(b"\x01", climb(at, half, node, path[:-1]), path[-1])
    return sha(b"\x01", path[-1], climb(at - half, size - half, node, path[:-1]))

export, checkpoint, evidence = (open(name, encoding="utf-8").read() for name in sys.argv[1:4])
leaves, line = [leaf(json.loads(text)) for text in export.splitlines()], json.loads(evidence)
size, signed = int(checkpoint.split("\n")[1]), base64.b64decode(checkpoint.split("\n")[2])
assert (len(leaves), root(leaves)) == (size, signed), "the export does not have the signed root"
assert climb(line["position"], size, leaf(line), [base64.b64decode(h) for h in line["path"]]) == signed
print(f"root and proof recomputed: {size} events")
