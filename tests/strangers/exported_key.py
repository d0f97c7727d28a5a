"""Python's cryptography opens a key that we exported, and encrypts what we then decrypt."""
import base64

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding


def unwrapped(demo, private, wrapped):
    """CKM_RSA_AES_KEY_WRAP: an RSA-OAEP block with an AES key, then RFC 5649 under that key."""
    size = private.key_size // 8
    transport = private.decrypt(wrapped[:size], padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    return aes_key_unwrap_with_padding(transport, wrapped[size:])


def check_cryptography_opens_an_exported_key(demo):
    private = rsa.generate_private_key(65537, 3072)
    public = private.public_key().public_bytes(serialization.Encoding.DER,
                                               serialization.PublicFormat.SubjectPublicKeyInfo)
    key = demo.ready["exportable"]
    body = {"recipient": base64.b64encode(public).decode(), "reason": "strangers' test"}
    refused = demo.call("key-custodian", "POST", f"/keys/{key}/export", body, expect=(403, 409), session=0)
    assert refused["code"] == "approval-needed", refused
    asked = demo.call("key-custodian", "POST", "/approvals",
                      {"act": {"export-key": {"key": key, "body": body}}, "reason": "migration"}, session=0)
    for officer in (0, 1):
        demo.call("crypto-officer", "POST", f"/approvals/{asked['id']}/approve", session=officer)
    answer = demo.call("key-custodian", "POST", f"/keys/{key}/export", body, session=0)
    material = unwrapped(demo, private, base64.b64decode(answer["wrapped"]))
    assert len(material) == 32, len(material)
    again = demo.call("key-custodian", "POST", f"/keys/{key}/export", body, expect=(403, 409), session=0)
    assert again["code"] == "approval-needed", again
