"""Workers are shot while a scan runs: no key operation notices, and every object is inspected."""
import os
import signal
import tempfile
import time
from pathlib import Path

FILES, SECONDS_MAX = 400, 90


def workers(server):
    """The processes that the server started to parse files."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(parent) == server and b"work" in words:
            found.append(int(entry.name))
    return found


def check_no_key_operation_and_no_object_is_lost(demo):
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        for number in range(FILES):
            (Path(name) / f"{number:04}.txt").write_text("HKID A123456(3)\n" + "nothing to see\n" * 20_000)
        source = demo.call("platform-engineer", "POST", "/data/sources",
                           {"name": "shot", "setting": {"kind": "folder", "path": name}})
        scan = demo.call("platform-engineer", "POST", f"/data/sources/{source['id']}/scans")
        # A key of its own: other checks may have moved the demo's keys on.
        key = demo.call("key-custodian", "POST", "/keys",
                        {"domain": demo.ready["domain"], "name": "beside-shot-workers", "algorithm": "aes-256-gcm"})
        shots, until = 0, time.monotonic() + SECONDS_MAX
        while True:
            for worker in workers(demo.process.pid)[:1]:
                try:
                    os.kill(worker, signal.SIGKILL)
                    shots += 1
                except ProcessLookupError:
                    pass
            demo.call("application", "POST", f"/keys/{key['id']}/encrypt", {"plaintext": "aGVsbG8="})
            now = demo.call("platform-engineer", "GET", f"/data/scans/{scan['id']}")
            if now["state"] != "running":
                break
            assert time.monotonic() < until, now
        assert shots >= 3, f"the scan was over after {shots} shots"
        assert now["state"] == "done", now
        assert now["progress"]["objects"] == FILES, now["progress"]
        # An object is lost only when both of its workers were shot, one right after the other.
        assert now["troubles_total"] <= shots // 2, now["troubles"]
