"""The data folder in wrong hands: two servers, an older database, altered bytes, a read-only disk."""
import random
import re
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

from bank import Refused, Server, Skipped
from disk import mount, mounted, refused, what_must_go_on, what_must_stop

SEED = 20_261
FLIPS, FLIPS_LONG = 12, 200
# The anchor is brought up to the newest head every second: what is older cannot be lost unnoticed.
ANCHORED_SECONDS = 2


def fault_a_second_server_on_one_folder_does_not_start(bank, _long):
    first = bank.server("twice").start()
    try:
        second = Server(bank.binary, first.home, bank.folder / "second.log")
        code, said = second.refuses_to_start()
        assert code == 1 and "another server uses" in said and str(first.data) in said, f"{code}: {said}"
        assert first.is_healthy() and bank.opens(first), "the first one suffered"
        first.stop()
        third = second.start()
        assert bank.opens(third)
        third.stop()
        return said.strip().splitlines()[-1].strip()
    finally:
        first.end()


def fault_an_older_database_does_not_start_and_both_sizes_are_named(bank, _long):
    server = bank.server("older")
    older = server.home / "older"
    shutil.copytree(server.data / "store", older)
    try:
        server.start()
        for _ in range(5):
            assert bank.opens(server)
        reader = server.connect(bank.tokens["watch"])
        newer = int(reader.get("/log/checkpoint").split("\n")[1])
        server.stop()
        shutil.move(server.data / "store", server.home / "newer")
        shutil.copytree(older, server.data / "store")
        code, said = server.refuses_to_start()
        sizes = [int(size) for size in re.findall(r" at (\d+)", said)]
        assert code == 1 and len(sizes) == 2, f"{code}: {said}"
        database, anchor = sizes
        assert database < newer <= anchor, f"{database}, {anchor} beside {newer}: {said}"
        # With its own database it starts again.
        shutil.rmtree(server.data / "store")
        shutil.move(server.home / "newer", server.data / "store")
        server.start()
        assert bank.opens(server)
        server.stop()
        return f"{database} events in the database, {anchor} in the anchor"
    finally:
        server.end()


def gathered(server):
    """Everything in one file: what the log beside it held is in the database."""
    database = server.data / "store" / "store.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    for beside in ("-wal", "-shm"):
        database.with_name("store.db" + beside).unlink(missing_ok=True)
    return database


def answers(bank, server):
    """What a bank would see: its keys, its people, and what opens."""
    reader = server.connect(bank.tokens["auditor"])
    seen = [reader.get("/keys")["items"], reader.get("/people")["items"], reader.get("/domains")["items"]]
    for person in seen[1]:
        person.pop("signed_in", None)
    reader.close()
    assert bank.opens(server), "another plaintext"
    return seen


def examined(server):
    """The verdict of `verify` on the folder of a stopped server."""
    command = [str(server.binary), "verify", "--store", str(server.data), "--seal-key-file",
               str(server.home / "seal.key")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def fault_a_flipped_byte_of_the_database_is_reported_or_without_effect(bank, is_long):
    chance = random.Random(SEED)
    server = bank.server("flipped")
    reported = {"at start": 0, "by verify": 0, "in an answer": 0}
    without = 0
    try:
        database = gathered(server)
        server.start()
        true = answers(bank, server)
        server.stop()
        database = gathered(server)
        keep = server.home / "sound"
        shutil.copytree(server.data, keep)
        sound = examined(server)
        assert sound.returncode == 0, f"{sound.stdout}{sound.stderr}"
        size = database.stat().st_size
        for _ in range(FLIPS_LONG if is_long else FLIPS):
            shutil.rmtree(server.data)
            shutil.copytree(keep, server.data)
            place, bit = chance.randrange(size), 1 << chance.randrange(8)
            content = bytearray(database.read_bytes())
            content[place] ^= bit
            database.write_bytes(content)
            where = f"bit {bit:#04x} of byte {place} of {size}"
            verdict = examined(server)
            found = verdict.stdout + verdict.stderr
            assert verdict.returncode in (0, 1, 3) and "panicked" not in found, f"{where}: {found}"
            if verdict.returncode:
                reported["by verify"] += 1
            try:
                server.start()
            except AssertionError:
                said = server.said()
                assert "error:" in said and "panicked" not in said, f"{where}: {said}"
                assert verdict.returncode, f"{where}: verify says {found}, and the start {said}"
                reported["at start"] += 1
                continue
            try:
                assert answers(bank, server) == true, f"{where}: other answers"
                if not verdict.returncode:
                    without += 1
            except Refused as problem:
                assert problem.code == "store-damaged" and verdict.returncode == 3, f"{where}: {problem}"
                reported["in an answer"] += 1
            server.end()
            assert "panicked" not in server.said(), f"{where}: {server.said()}"
        assert reported["by verify"] + without > 0
    finally:
        server.end()
    return f"{reported}, without effect: {without}"


def fault_a_flipped_byte_of_the_write_ahead_log_is_reported_or_without_effect(bank, is_long):
    chance = random.Random(SEED + 1)
    server = bank.server("ahead")
    refused_at_start = without = 0
    try:
        server.start()
        for _ in range(10):
            assert bank.opens(server)
        true = answers(bank, server)
        time.sleep(ANCHORED_SECONDS)
        server.kill()
        ahead = server.data / "store" / "store.db-wal"
        keep = server.home / "killed"
        shutil.copytree(server.data, keep)
        size = ahead.stat().st_size
        assert size > 0, "nothing lies in it"
        for _ in range(FLIPS_LONG if is_long else FLIPS):
            shutil.rmtree(server.data)
            shutil.copytree(keep, server.data)
            place, bit = chance.randrange(size), 1 << chance.randrange(8)
            content = bytearray(ahead.read_bytes())
            content[place] ^= bit
            ahead.write_bytes(content)
            where = f"bit {bit:#04x} of byte {place} of {size}"
            try:
                server.start()
            except AssertionError:
                said = server.said()
                assert "error:" in said and "panicked" not in said, f"{where}: {said}"
                refused_at_start += 1
                continue
            assert answers(bank, server) == true, f"{where}: other answers"
            events = server.connect(bank.tokens["watch"])
            assert len(events.get("/log/events?action=key.decrypt&limit=50")["items"]) >= 11, where
            events.close()
            without += 1
            server.end()
    finally:
        server.end()
    return f"refused at start: {refused_at_start}, without effect: {without}"


def broken(folder):
    """Makes the file system do what it does when its disk fails: read-only from now on."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        device = next(line.split()[0] for line in mounts if line.split()[1] == str(folder))
    Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error").write_text("1", encoding="ascii")


def fault_a_read_only_disk_is_refused_at_start_and_stood_while_running(bank, _long):
    image, folder = bank.folder / "disk.img", bank.folder / "read-only"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    made = subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-m", "0", image], capture_output=True, check=False)
    if made.returncode:
        raise Skipped("mkfs.ext4 does not work here")
    options = "loop,errors=remount-ro"
    server = None
    try:
        with mounted(folder, "-o", options, image):
            server = bank.server("failing", folder)
            # What we copied is ours to make durable; what the server writes is the server's.
            subprocess.run(["sync", "--file-system", str(folder)], check=True)
            server.start()
            assert bank.opens(server)
            reader = server.connect(bank.tokens["watch"])
            assert reader.get("/log/events?limit=5")["items"], "no log"
            broken(folder)
            # A commit that was under way when the disk failed is in doubt; what is asked for from now on is not.
            closed = ("storage-read-only",)
            said = what_must_stop(bank, server, (*closed, "root-file-full"))
            assert server.is_healthy(), "not healthy"
            assert reader.get("/log/events?limit=5")["items"], "no log"
            # The keys are gone at once; that this could not be recorded is said.
            refused(lambda: reader.post("/sys/seal"), closed)
            stranger = server.connect()
            assert stranger.get("/sys/seal-status")["sealed"] is True
            server.process.terminate()
            server.process.wait(60)
            assert "panicked" not in server.said(), server.said()
        with mounted(folder, "-o", options, image):
            assert mount("-o", "remount,ro", folder).returncode == 0
            code, refusal = server.refuses_to_start()
            assert code == 1 and "ead-only" in refusal and "cannot be used" in refusal, f"{code}: {refusal}"
            assert mount("-o", "remount,rw", folder).returncode == 0
            server.start()
            assert bank.opens(server), "service does not resume"
            what_must_go_on(bank, server)
            server.stop()
            return f"running: {said}; start: {refusal.strip().splitlines()[-1].strip()}"
    finally:
        if server:
            server.end()
