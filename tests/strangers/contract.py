"""Schemathesis reads the OpenAPI document and tries the API: no 5xx, nothing undocumented."""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# Sealing would end the run, and signing in belongs to the console's test.
EXCLUDED = "/sys/(seal|unseal)|/log/tile"


def tried(demo, role, examples):
    command = [Path(sys.executable).parent / "schemathesis", "run", ROOT / "docs" / "openapi.json",
               "--url", demo.api.removesuffix("/api/v1"), "--tls-verify", demo.authority, "--checks", CHECKS, "--mode", "all",
               "--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--max-time", "60", "--no-color",
               "--exclude-path-regex", EXCLUDED, "--generation-deterministic",
               "--continue-on-failure", "--warnings", "off", "--suppress-health-check", "all", "--no-shrink",
               "-H", f"Authorization: Bearer {demo.ready['tokens'][role]}"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def check_an_auditor_meets_no_server_error_and_nothing_undocumented(demo):
    tried(demo, "auditor", 10)


def check_a_custodian_meets_no_server_error_and_nothing_undocumented(demo):
    tried(demo, "key-custodian", 10)
