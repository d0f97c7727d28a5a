"""What the binary is wired to, each end a stranger: curl with a client certificate, a web hook, rsyslog over
TLS, and a witness of its own process. A server of its own is founded for them, with openssl's certificates."""
import http.server
import importlib.util
import json
import ssl
import subprocess
import tempfile
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("bank", Path(__file__).resolve().parents[1] / "faults" / "bank.py")
bank = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(bank)
RSYSLOG = Path("/usr/sbin/rsyslogd")
GTLS = Path("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def authority(folder):
    """A bank's own authority, and certificates under it for a client and for receivers on localhost."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-days", 2,
            "-subj", "/CN=Bank authority (sample)", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign")
    for name, usage in (("client", "clientAuth"), ("other", "clientAuth"), ("receiver", "serverAuth")):
        openssl("req", *curve, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr", "-subj", f"/CN={name}")
        extra = folder / f"{name}.ext"
        extra.write_text(f"extendedKeyUsage={usage}\nsubjectAltName=DNS:localhost\n")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
                "-CAcreateserial", "-out", folder / f"{name}.pem", "-days", 2, "-extfile", extra)


class Wired(bank.Server):
    """A server with a configuration."""

    def __init__(self, binary, home, settings):
        super().__init__(binary, home, home / "server.log")
        (home / "seal.key").write_bytes(bytes(range(32)))
        (home / "seal.key").chmod(0o600)
        (home / "lionrock.toml").write_text(settings)

    def command(self):
        return super().command() + ["--config", str(self.home / "lionrock.toml")]

    def administrator(self):
        """Signs the first administrator in."""
        (self.home / "authority.crt").write_bytes((self.data / "authority.crt").read_bytes())
        link = (self.data / "first-administrator.link").read_text().split("link=")[1].strip()
        self.token = bank.enrol(self.connect(), link)
        return self.connect(self.token)


@contextmanager
def wired(demo, settings):
    with tempfile.TemporaryDirectory(dir=demo.folder) as folder:
        home = Path(folder)
        authority(home)
        server = Wired(demo.binary, home, settings.replace("HOME", str(home)))
        server.start()
        try:
            yield home, server, server.administrator()
            server.stop()
        finally:
            server.end()


def check_a_service_gets_in_by_its_client_certificate(demo):
    settings = 'client-authorities = "HOME/ca.pem"\n'
    with wired(demo, settings) as (home, server, admin):
        service = admin.post("/services", {"name": "core-banking"})["id"]
        said = subprocess.run(
            [demo.binary, "services", "bind-certificate", service, "--certificate", home / "client.pem", "--name",
             "node-1", "--address", f"https://localhost:{server.address[1]}", "--authority", home / "authority.crt",
             "--token-file", "/dev/stdin"], input=server.token, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr

        def who(name):
            curl = ["curl", "-sS", "--cacert", home / "authority.crt", "-w", "\n%{http_code}",
                    f"https://localhost:{server.address[1]}/api/v1/whoami"]
            proof = [] if name is None else ["--cert", home / f"{name}.pem", "--key", home / f"{name}.key"]
            out = subprocess.run(curl + proof, capture_output=True, text=True, check=True).stdout
            text, status = out.rsplit("\n", 1)
            return int(status), json.loads(text)
        status, told = who("client")
        assert (status, told["principal"]) == (200, service), told
        # Somebody else of the same authority is nobody, and so is who shows nothing.
        assert who("other")[0] == 401 and who(None)[0] == 401
        key = admin.get(f"/services/{service}")["certificates"][0]
        admin.ask("DELETE", f"/services/{service}/certificates/{key}")
        assert who("client")[0] == 401


def check_a_web_hook_receives_checkpoints_that_verify(demo):
    with tempfile.TemporaryDirectory(dir=demo.folder) as folder:
        authority(Path(folder))
        received = []

        class Hook(http.server.BaseHTTPRequestHandler):
            """Keeps what it is sent."""

            def do_POST(self):  # pylint: disable=invalid-name
                received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):  # pylint: disable=arguments-differ
                """Says nothing."""
        receiver = http.server.ThreadingHTTPServer(("localhost", 0), Hook)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(folder) / "receiver.pem", Path(folder) / "receiver.key")
        receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        settings = (f'[checkpoints]\nauthorities = "{folder}/ca.pem"\n'
                    f'webhook = "https://localhost:{receiver.server_port}/mailbox"\n')
        try:
            with wired(demo, settings) as (_, _, admin):
                got = bank.until("a checkpoint at the hook", lambda: received and received[-1])
                assert got.startswith("lionrock.internal/log/1\n"), got
                # It is one of this log: a proof leads from it to the newest one.
                size = int(got.split("\n")[1])
                assert admin.get(f"/log/consistency?from={size}")["to"] > size
        finally:
            receiver.shutdown()


def check_rsyslog_receives_events_over_tls(demo):
    if not RSYSLOG.exists() or not GTLS.exists():
        from __main__ import Skipped  # pylint: disable=import-outside-toplevel
        raise Skipped("rsyslogd with the gtls driver")
    with tempfile.TemporaryDirectory(dir=demo.folder) as folder:
        home = Path(folder)
        authority(home)
        (home / "rsyslog.conf").write_text(f'''
global(workDirectory="{home}" defaultNetstreamDriver="gtls" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="{home}/ca.pem" defaultNetstreamDriverCertFile="{home}/receiver.pem"
  defaultNetstreamDriverKeyFile="{home}/receiver.key")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="all" type="string" string="%app-name% %msgid% %structured-data%\\n")
ruleset(name="out") {{ action(type="omfile" file="{home}/out.log" template="all") }}
input(type="imtcp" port="0" listenPortFileName="{home}/port" ruleset="out")
''')
        rsyslog = subprocess.Popen([RSYSLOG, "-n", "-f", home / "rsyslog.conf", "-i", home / "pid"],
                                   stderr=subprocess.DEVNULL)
        try:
            port = bank.until("rsyslog listening", lambda: (home / "port").exists() and (home / "port").read_text().strip())
            settings = (f'[syslog]\nhost = "localhost"\nport = {port}\n'
                        f'[checkpoints]\nauthorities = "{home}/ca.pem"\n')
            with wired(demo, settings) as (_, _, admin):
                admin.post("/domains", {"name": "retail"})

                def lines():
                    out = home / "out.log"
                    return out.read_text().splitlines() if out.exists() else []
                bank.until("the event at rsyslog", lambda: any("domain.create" in line for line in lines()), 40)
                assert any("system.started" in line for line in lines()), lines()[:3]
        finally:
            rsyslog.terminate()
            rsyslog.wait(20)


def check_a_witness_of_its_own_process_cosigns_a_running_server(demo):
    with tempfile.TemporaryDirectory(dir=demo.folder) as folder:
        home = Path(folder)
        key = home / "seal"
        key.write_bytes(bytes(range(1, 33)))
        key.chmod(0o600)
        # The log's key is known before the witness starts: a first life of the server gives it away.
        server = Wired(demo.binary, home, "")
        server.start()
        try:
            admin = server.administrator()
            (home / "origin.key").write_text(admin.get("/log/key"))
            server.stop()
            said = open(home / "witness.log", "wb")  # pylint: disable=consider-using-with
            witness = subprocess.Popen(
                [demo.binary, "witness", "--listen", "127.0.0.1:0", "--origin-key", home / "origin.key", "--data",
                 home / "witness", "--seal-key-file", key, "--name", "auditor.sample/w1"], stdout=said, stderr=said)
            try:
                def address():
                    text = (home / "witness.log").read_text()
                    return text.split("http://")[1].split()[0].rstrip("/") if "http://" in text else None
                at = bank.until("the witness listening", address)
                verifier = (home / "witness" / "verifier-key").read_text().strip()
                (home / "lionrock.toml").write_text(
                    f'[[checkpoints.witnesses]]\naddress = "http://{at.split("/")[0]}/add-checkpoint"\nkey = "{verifier}"\n')
                server.start()
                bank.until("the witness seeing the log", (home / "witness" / "seen").exists, 40)
                pack = bank.until("a report that names its witness", lambda: witnessed(server, home), 40)
                demo.run("verify", pack, "--origin-key", home / "origin.key")
            finally:
                witness.terminate()
                witness.wait(20)
                said.close()
            server.stop()
        finally:
            server.end()


def witnessed(server, home):
    """The pack of a report that names the witness; the risk officer who makes it is hired the first time."""
    if not hasattr(server, "risk"):
        admin = server.connect(server.token)
        invited = admin.post("/people", {"sign_in_name": "risk", "name": "Risk"})
        admin.ask("PUT", f"/identities/{invited['person']}/roles", {"role": "risk-officer"})
        server.risk = bank.enrol(server.connect(), invited["link"])
        server.connect(server.risk).post("/runs")
    risk = server.connect(server.risk)
    report = risk.post("/reports", {})["id"]
    path = home / "pack.zip"
    subprocess.run(["curl", "-sSf", "--cacert", home / "authority.crt", "-o", path, "-H",
                    "Authorization: Bearer " + server.risk,
                    f"https://localhost:{server.address[1]}/api/v1/reports/{report}"], check=True)
    with zipfile.ZipFile(path) as pack:
        texts = [pack.read(name) for name in pack.namelist()]
    return path if any(b"auditor.sample/w1" in text for text in texts) else None
