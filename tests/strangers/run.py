#!/usr/bin/env python3
"""Strangers' tools try the demo: they must agree with us. usage: run.py BINARY [NAME…]

Each module in CHECKS has functions whose names begin with `check_`; each takes the running demo and
raises AssertionError when the stranger disagrees. Ends with `N passed, N failed, N skipped`.
"""
import importlib
import json
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# The contract comes last: what its custodian does to the demo's keys and settings is anybody's guess.
CHECKS = ["pack", "log_root", "mirror", "exported_key", "oscal", "workbook", "console_pages", "wired", "stores",
          "clouds", "killed_workers", "contract"]


class Skipped(Exception):
    """The stranger is not on this machine; the text says which."""


class Demo:
    """A running demo: what it printed when it was ready, and calls to its API."""

    def __init__(self, binary, folder):
        self.binary, self.folder = Path(binary).resolve(), Path(folder)
        self.log = open(self.folder / "demo.log", "w", encoding="utf-8")
        self.process = subprocess.Popen([self.binary, "demo", "--json", "--folder", self.folder / "demo"],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.log.flush()
            sys.exit("the demo did not start:\n" + (self.folder / "demo.log").read_text()[-4000:])
        self.ready = json.loads(line)
        self.api, self.authority = self.ready["api"], self.ready["authority"]

    def call(self, role, method, path, body=None, expect=(200, 201, 202, 204), session=None):
        """One call of the API as a role of the demo, by curl with our authority as the only root: with its
        token, or with the session of this number."""
        command = ["curl", "-sS", "--cacert", self.authority, "-X", method, self.api + path,
                   "-H", "Content-Type: application/json", "-w", "\n%{http_code}"]
        if role:
            proof = self.ready["tokens"][role] if session is None else self.ready["sessions"][role][session]
            command += ["-H", "Authorization: Bearer " + proof]
        if body is not None:
            command += ["--data-binary", "@-"]
        out = subprocess.run(command, input=None if body is None else json.dumps(body),
                             capture_output=True, text=True, check=True).stdout
        text, status = out.rsplit("\n", 1)
        assert int(status) in expect, f"{method} {path}: {status} {text[:600]}"
        try:
            return json.loads(text)
        except ValueError:
            return text

    def fetch(self, role, path):
        """The bytes that the API gives to a role of the demo."""
        return subprocess.run(["curl", "-sSf", "--cacert", self.authority, self.api + path, "-H",
                               "Authorization: Bearer " + self.ready["tokens"][role]],
                              capture_output=True, check=True).stdout

    def run(self, *arguments, ok=True):
        """A verb of the binary."""
        done = subprocess.run([self.binary, *map(str, arguments)], capture_output=True, text=True, check=False)
        assert not ok or done.returncode == 0, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return done

    def stop(self):
        self.process.terminate()
        code = self.process.wait(30)
        self.log.close()
        assert code == 0, f"the demo ended with {code}"


def main():
    binary, names = sys.argv[1], sys.argv[2:] or CHECKS
    sys.path.insert(0, str(HERE))
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(binary, folder)
        try:
            for name in names:
                module = importlib.import_module(name)
                for check in [f for n, f in vars(module).items() if n.startswith("check_")]:
                    label = f"{name}: {check.__name__[6:].replace('_', ' ')}"
                    try:
                        check(demo)
                        passed, word = passed + 1, "ok"
                    except Skipped as cause:
                        skipped, word = skipped + 1, f"skipped: {cause}"
                    except Exception:  # pylint: disable=broad-except
                        failed, word = failed + 1, "FAILED\n" + traceback.format_exc()
                    print(f"{label} ... {word}", flush=True)
        finally:
            try:
                demo.stop()
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print("demo: ends cleanly ... FAILED\n" + traceback.format_exc())
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
