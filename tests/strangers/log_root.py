"""A 30-line script with hashlib recomputes the log's root and an inclusion proof from an export."""
import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "crates" / "audit" / "tests" / "recompute.py"


def check_hashlib_recomputes_root_and_proof(demo):
    proven = demo.call("auditor", "GET", "/log/events/40")
    note = proven["checkpoint"]
    size = int(note.split("\n")[1])
    lines, start = [], 0
    while start < size:
        text = demo.call("auditor", "GET", f"/log/export?from={start}&until={size}")
        got = [line for line in (text if isinstance(text, str) else json.dumps(text)).split("\n") if line]
        assert got, f"nothing from {start}"
        lines += got
        start += len(got)
    paths = []
    for name, content in (("export", "\n".join(lines) + "\n"), ("checkpoint", note),
                          ("evidence", json.dumps(proven["event"]))):
        path = demo.folder / name
        path.write_text(content, encoding="utf-8")
        paths.append(path)
    done = subprocess.run([sys.executable, SCRIPT, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{size} events" in done.stdout, done.stdout
