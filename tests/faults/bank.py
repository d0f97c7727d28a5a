"""A bank of its own for each fault: a server as a process, its API, its people, and their tokens.

`found` makes a data folder once; each fault works on a copy of it, so that none sees another's harm.
"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time
from pathlib import Path

START_SECONDS = 60


class Skipped(Exception):
    """The fault cannot be made on this machine; the text says why."""


class Refused(Exception):
    """The API answered with a problem."""

    def __init__(self, status, problem):
        super().__init__(f"{status} {problem}")
        self.status, self.problem = status, problem
        self.code = problem.get("code", "") if isinstance(problem, dict) else ""


def until(what, condition, seconds=20):
    """Waits until the condition holds; says what did not happen when it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


class Connection:
    """One keep-alive connection of one caller."""

    def __init__(self, address, authority, token=None, timeout=20):
        context = ssl.create_default_context(cafile=str(authority))
        self.http = http.client.HTTPSConnection(*address, context=context, timeout=timeout)
        self.headers = {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = "Bearer " + token

    def ask(self, method, path, body=None, prefix="/api/v1"):
        text = None if body is None else json.dumps(body)
        self.http.request(method, prefix + path, text, self.headers)
        reply = self.http.getresponse()
        content = reply.read()
        if "json" in (reply.getheader("Content-Type") or ""):
            content = json.loads(content)
        else:
            content = content.decode()
        if reply.status >= 400:
            raise Refused(reply.status, content)
        return content

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body=None):
        return self.ask("POST", path, body)

    def close(self):
        self.http.close()


class Server:
    """A server process over a data folder."""

    def __init__(self, binary, home, log):
        self.binary, self.home, self.data = Path(binary).resolve(), Path(home), Path(home) / "data"
        self.log, self.process, self.address = Path(log), None, None

    def command(self):
        return [str(self.binary), "serve", "--data", str(self.data), "--listen", "127.0.0.1:0",
                "--seal-key-file", str(self.home / "seal.key")]

    def start(self):
        """Starts, waits until it says where it listens and no longer says `opening`."""
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        def listening():
            said = self.said()
            if "listening on https://" in said:
                return said.split("listening on https://")[1].split()[0]
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{said[-2000:]}"
            return None
        host, port = until("listening", listening, START_SECONDS).rsplit(":", 1)
        self.address = (host, int(port))
        until("open", self.has_opened, START_SECONDS)
        return self

    def has_opened(self):
        """Whether it is past opening: ready, or sealed until somebody comes."""
        # Whose certificate it is does not matter to this question.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        http_connection = http.client.HTTPSConnection(*self.address, context=context, timeout=20)
        try:
            http_connection.request("GET", "/readyz")
            reply = http_connection.getresponse()
            return b"opening" not in reply.read()
        finally:
            http_connection.close()

    def said(self):
        return self.log.read_text(errors="replace")

    def refuses_to_start(self):
        """The exit code and the text of a start that must not succeed."""
        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=START_SECONDS, check=False)
        assert done.returncode != 0, f"it started: {done.stderr}"
        return done.returncode, done.stderr

    def connect(self, token=None, timeout=20):
        return Connection(self.address, self.home / "authority.crt", token, timeout)

    def is_healthy(self):
        """Whether a new connection is served."""
        connection = self.connect()
        try:
            return connection.ask("GET", "/healthz", prefix="") == "ok\n" and self.process.poll() is None
        finally:
            connection.close()

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """An orderly end."""
        self.process.terminate()
        code = self.process.wait(60)
        assert code == 0, f"it ended with {code}:\n{self.said()[-2000:]}"

    def end(self):
        """Whatever happened, nothing is left running."""
        if self.process and self.process.poll() is None:
            self.kill()


def code_of(seed):
    """The one-time code of a seed at this time (RFC 6238)."""
    key = base64.b32decode(seed.upper() + "=" * (-len(seed) % 8))
    tag = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = tag[-1] & 15
    return f"{(struct.unpack('>I', tag[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def enrol(stranger, link):
    begun = stranger.post("/enrolments/begin", {"link": link})
    body = {"link": link, "password": "correct horse battery", "code": code_of(begun["seed"])}
    return stranger.post("/enrolments", body)["token"]


class Bank:
    """What was founded: the template of the data folder, and who may do what."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, Path(folder)
        home = self.folder / "template"
        home.mkdir(mode=0o700)
        key = home / "seal.key"
        key.write_bytes(os.urandom(32))
        key.chmod(0o600)
        server = Server(binary, home, self.folder / "template.log")
        try:
            self.found(server)
            server.stop()
        finally:
            server.end()

    def found(self, server):
        server.start()
        shutil.copy(server.data / "authority.crt", server.home / "authority.crt")
        stranger = server.connect()
        link = (server.data / "first-administrator.link").read_text().strip().split("link=")[1]
        admin = server.connect(enrol(stranger, link))
        self.domain = admin.post("/domains", {"name": "retail"})["id"]
        sessions = {}
        people = {}
        for name, role in [("custodian", "key-custodian"), ("engineer", "platform-engineer"),
                           ("officer", "crypto-officer"), ("watch", "security-operations"),
                           ("auditor", "auditor")]:
            made = admin.post("/people", {"sign_in_name": name, "name": name})
            people[name] = made["person"]
            admin.ask("PUT", f"/identities/{made['person']}/roles", {"role": role})
            sessions[name] = enrol(stranger, made["link"])
        service = admin.post("/services", {"name": "core-banking", "owner": people["engineer"]})["id"]
        admin.ask("PUT", f"/identities/{service}/roles", {"role": "application", "domain": self.domain})
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86_400))
        self.tokens, self.token_ids = dict(sessions), {}
        engineer = server.connect(sessions["engineer"])
        for name in ("application", "spare"):
            body = {"holder": service, "name": name, "ends": ends}
            made = engineer.post("/tokens", body)
            self.tokens[name], self.token_ids[name] = made["token"], made["id"]
        custodian = server.connect(sessions["custodian"])
        body = {"domain": self.domain, "name": "ledger", "algorithm": "aes-256-gcm"}
        self.key = custodian.post("/keys", body)["id"]
        plain = base64.b64encode(b"founded").decode()
        user = server.connect(self.tokens["application"])
        self.ciphertext = user.post(f"/keys/{self.key}/encrypt", {"plaintext": plain})["ciphertext"]

    def copy(self, name, into=None):
        """A home of its own for a server, a copy of the template."""
        home = (Path(into) if into else self.folder) / name
        shutil.copytree(self.folder / "template", home)
        return home

    def server(self, name, into=None):
        return Server(self.binary, self.copy(name, into), self.folder / f"{name}.log")

    def opens(self, server):
        """Whether what was encrypted when the bank was founded opens."""
        user = server.connect(self.tokens["application"])
        done = user.post(f"/keys/{self.key}/decrypt", {"ciphertext": self.ciphertext})
        user.close()
        return base64.b64decode(done["plaintext"]) == b"founded"


def raw(server, timeout=15):
    """A bare TLS connection, for those who do not speak HTTP."""
    context = ssl.create_default_context(cafile=str(server.home / "authority.crt"))
    plain = socket.create_connection(server.address, timeout=timeout)
    return context.wrap_socket(plain, server_hostname=server.address[0])
