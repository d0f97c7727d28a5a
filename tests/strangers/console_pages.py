"""Chromium walks the console's pages in both colour schemes and two widths; axe-core looks at each."""
import re
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "browser"


def walked(demo, role):
    link = demo.ready["sign_in"][role]
    done = subprocess.run(["node", FOLDER / "console.mjs", demo.ready["console"].rstrip("/"), link],
                          capture_output=True, text=True, check=False, timeout=300)
    counts = re.search(r"(\d+) passed, (\d+) failed", done.stdout)
    assert counts and counts.group(2) == "0" and done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def check_axe_finds_nothing_on_any_page_of_the_risk_officer(demo):
    walked(demo, "risk-officer")


def check_axe_finds_nothing_on_any_page_of_the_key_custodian(demo):
    walked(demo, "key-custodian")


def check_axe_finds_nothing_on_any_page_of_the_policy_administrator(demo):
    walked(demo, "policy-administrator")
