#!/usr/bin/env python3
"""Faults happen to a real server: it must keep what it acknowledged and say what is wrong.

usage: run.py BINARY [--long] [NAME…]

Each module in FAULTS has functions whose names begin with `fault_`; each takes the bank and the
size of the run, and raises AssertionError when the server did not stand it. `--long` runs full
counts. Ends with `N passed, N failed, N skipped`.
"""
import importlib
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
FAULTS = ["proofs", "folder", "disk", "hostile", "bounded", "kill"]


def main():
    arguments = sys.argv[1:]
    is_long = "--long" in arguments
    binary, *names = [argument for argument in arguments if argument != "--long"]
    sys.path.insert(0, str(HERE))
    bank_module = importlib.import_module("bank")
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="lionrock-faults-") as folder:
        bank = bank_module.Bank(binary, folder)
        for name in names or FAULTS:
            module = importlib.import_module(name)
            for fault in [f for n, f in vars(module).items() if n.startswith("fault_")]:
                began = time.monotonic()
                try:
                    said = fault(bank, is_long)
                    passed, word = passed + 1, "ok" + (f": {said}" if said else "")
                except bank_module.Skipped as cause:
                    skipped, word = skipped + 1, f"skipped: {cause}"
                except Exception:  # pylint: disable=broad-except
                    failed, word = failed + 1, "FAILED\n" + traceback.format_exc()
                label = f"{name}: {fault.__name__[6:].replace('_', ' ')}"
                print(f"{label} ... {word} ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
