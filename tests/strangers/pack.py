"""The pack verifies offline, and one flipped byte is named: in the pack, and in the store."""
import shutil
import subprocess
import zipfile
from pathlib import Path


def verify(demo, pack, *more):
    return demo.run("verify", pack, "--origin-key", demo.ready["origin_key"], *more, ok=False)


def check_the_pack_verifies_offline(demo):
    done = verify(demo, demo.ready["pack"])
    assert done.returncode == 0, done.stdout + done.stderr


def check_without_the_origins_key_the_signer_is_unproven(demo):
    done = demo.run("verify", demo.ready["pack"], ok=False)
    assert "unproven" in (done.stdout + done.stderr).lower(), done.stdout + done.stderr


def check_sha256sum_agrees_with_the_manifest(demo):
    folder = demo.folder / "unpacked"
    with zipfile.ZipFile(demo.ready["pack"]) as pack:
        pack.extractall(folder)
    done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_each_flipped_byte_of_each_file_is_named(demo):
    with zipfile.ZipFile(demo.ready["pack"]) as pack:
        files = {name: pack.read(name) for name in pack.namelist()}
    for name, content in files.items():
        bad = Path(demo.folder) / "flipped.zip"
        with zipfile.ZipFile(bad, "w") as out:
            for other, text in files.items():
                if other == name:
                    middle = len(text) // 2
                    text = text[:middle] + bytes([text[middle] ^ 1]) + text[middle + 1:]
                out.writestr(other, text)
        done = verify(demo, bad)
        said = done.stdout + done.stderr
        assert done.returncode != 0, f"{name}: verified"
        assert name in said or name == "SHA256SUMS", f"{name}: not named in {said[:400]}"


def check_the_printed_commands_flip_a_byte_and_the_verifier_names_it(demo):
    for kind in ("flip_pack", "flip_store"):
        copy = demo.folder / kind
        if kind == "flip_pack":
            shutil.copy(demo.ready["pack"], copy)
            command = demo.ready["commands"][kind]
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert done.returncode != 0 and any(word in said for word in ("altered", "damaged", "the database ends at")), f"{kind}: {command}: {said}"
