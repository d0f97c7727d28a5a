"""Real stores with planted data: PostgreSQL, MariaDB and an S3 server, each looked at through our source
and our worker. What was planted must be found, with its place, its readers and its version."""
import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "correct horse 'battery' \\ staple"
READY_SECONDS = 60


def hkid(number):
    """A valid Hong Kong identity card number (one letter): the check digit is computed."""
    digits = f"{number:06d}"
    total = 36 * 9 + 10 * 8 + sum(int(d) * w for d, w in zip(digits, range(7, 1, -1)))
    check = (11 - total % 11) % 11
    return f"A{digits}({'A' if check == 10 else check})"


def customers(count):
    for number in range(count):
        yield number, hkid(100_000 + number), f"customer{number}@example.com"


def look(demo, setting, secret="", page=2, ok=True):
    """What our source and worker say."""
    program = demo.binary.parent / "examples" / "look_at_source"
    assert program.exists(), f"{program} is built by `cargo test`"
    done = subprocess.run([program, demo.binary, json.dumps(setting), str(page)], input=secret,
                          capture_output=True, text=True, check=False, timeout=120)
    if not ok:
        return done
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return {entry["object"]["name"]: entry for entry in said["objects"]}, dict(said["unreadable"])


def counts(entry):
    """Kind to occurrences, over all parts; and no value in clear."""
    found = {}
    for part in entry["found"]["parts"]:
        for kind in part["kinds"]:
            found[kind["kind"]] = found.get(kind["kind"], 0) + kind["sure"] + kind["likely"]
            for sample in kind["samples"]:
                assert "*" in sample["masked"], sample
    return found


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(process, port, log):
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not listen: " + log.read_text(errors="replace")[-3000:])


def as_user(user):
    """Servers of databases refuse to run as root."""
    return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if os.geteuid() == 0 else []


def certificates(folder):
    """An authority of the test, and a certificate of `localhost` from it: paths."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def made(name, key, issuer, issuer_key, authority):
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=2))
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), True))
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        return builder.sign(issuer_key, hashes.SHA256())

    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in ("test authority", "localhost")]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    authority = made(names[0], keys[0], names[0], keys[0], True)
    server = made(names[1], keys[1], names[0], keys[0], False)
    pem = serialization.Encoding.PEM
    for file, content in [("authority.pem", authority.public_bytes(pem)), ("server.pem", server.public_bytes(pem)),
                          ("server.key", keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                                               serialization.NoEncryption()))]:
        (folder / file).write_bytes(content)
        (folder / file).chmod(0o600)
    return folder / "authority.pem", folder / "server.pem", folder / "server.key"


@contextmanager
def server_folder(user):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, user, user)
        yield folder


@contextmanager
def running(command, folder, port):
    log = folder / "server.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        try:
            wait_for(process, port, log)
            yield process
        finally:
            process.terminate()
            process.wait(30)


def owned(folder, user):
    if os.geteuid() == 0:
        for path in folder.iterdir():
            shutil.chown(path, user, user)


def check_git(demo):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "hook.log"

        def git(*arguments):
            subprocess.run(["git", "-C", folder / "bank", "-c", "user.name=n", "-c", "user.email=n@localhost",
                            "-c", "gc.auto=0", *arguments], check=True, capture_output=True)

        (folder / "bank").mkdir()
        git("init", "-q")
        for number in range(20):
            table = "".join(f"{n},{card},{mail}\n" for n, card, mail in customers(number + 1))
            (folder / "bank" / "客戶.csv").write_text("id,id_no,email\n" + table)
            git("add", "-A")
            git("commit", "-q", "-m", "more")
        (folder / "bank" / "客戶.csv").unlink()
        git("commit", "-q", "-a", "-m", "nothing was ever there")
        for hook in (folder / "bank/.git/hooks").iterdir():
            hook.unlink()
        for hook in ("post-checkout", "pre-auto-gc", "fsmonitor-watchman"):
            path = folder / "bank/.git/hooks" / hook
            path.write_text(f"#!/bin/sh\necho {hook} >> {log}\n")
            path.chmod(0o755)
        setting = {"kind": "git", "path": str(folder / "bank")}
        loose, _ = look(demo, setting, page=7)
        assert sum(counts(e).get("hk-identity-card", 0) for e in loose.values()) == 210, "1 + 2 + … + 20"
        git("repack", "-q", "-a", "-d", "-f")
        git("config", "core.fsmonitor", str(folder / "bank/.git/hooks/fsmonitor-watchman"))
        log.unlink(missing_ok=True)
        packed, _ = look(demo, setting)
        (pack,) = packed.values()
        assert counts(pack)["hk-identity-card"] == 210 and pack["found"]["coverage"] == "whole", counts(pack)
        assert all(part["path"][0].startswith("客戶.csv (blob ") for part in pack["found"]["parts"])
        assert not log.exists(), "nothing of the repository was run"
        (folder / "bank/.git/objects/info/alternates").write_text("/somewhere/else\n")
        _, unreadable = look(demo, setting)
        assert "info/alternates" in unreadable


def check_folder(demo):
    """Files that other people's programs wrote, through the sandbox."""
    import gzip
    import io
    import sqlite3
    import tarfile
    import zipfile
    from email.message import EmailMessage

    import openpyxl
    import xlwt
    table = "id,id_no,email\n" + "".join(f"{n},{card},{mail}\n" for n, card, mail in customers(50))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "utf16.csv").write_bytes(table.encode("utf-16"))
        (folder / "a.csv.gz").write_bytes(gzip.compress(table.encode()))
        with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside/客戶.csv", table)
        with tarfile.open(folder / "a.tar", "w") as archive:
            member = tarfile.TarInfo("客戶.csv")
            member.size = len(table.encode())
            archive.addfile(member, io.BytesIO(table.encode()))
        book = openpyxl.Workbook()
        for line in table.splitlines():
            book.active.append(line.split(","))
        book.save(folder / "a.xlsx")
        old = xlwt.Workbook()
        page = old.add_sheet("客戶")
        for row, line in enumerate(table.splitlines()):
            for column, cell in enumerate(line.split(",")):
                page.write(row, column, int(cell) if cell.isdigit() else cell)
        old.save(str(folder / "a.xls"))
        base = sqlite3.connect(folder / "a.db")
        base.execute("create table clients (id integer primary key, id_no text, email text)")
        base.executemany("insert into clients values (?, ?, ?)", customers(50))
        base.commit()
        base.close()
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "list"
        message.set_content("attached")
        message.add_attachment(table.encode(), maintype="text", subtype="csv", filename="客戶.csv")
        (folder / "a.eml").write_bytes(message.as_bytes())
        with open(folder / "sparse.bin", "wb") as sparse:
            sparse.truncate(10 << 30)
        objects, unreadable = look(demo, {"kind": "folder", "path": name}, page=3)
        assert not unreadable and len(objects) == 9, (objects.keys(), unreadable)
        for file, entry in objects.items():
            kinds = {trouble["kind"] for trouble in entry["found"]["troubles"]}
            assert "killed" not in kinds, (file, entry["found"]["troubles"])
            if file != "sparse.bin":
                assert counts(entry)["hk-identity-card"] == 50, (file, counts(entry))


def check_postgres(demo):
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert binaries, "PostgreSQL is installed by `cargo xtask setup`"
    tools, user, port = binaries[-1], "postgres", free_port()
    with server_folder(user) as folder:
        (folder / "password").write_text(PASSWORD + "\n")
        authority, certificate, key = certificates(folder)
        owned(folder, user)
        subprocess.run([*as_user(user), tools / "initdb", "-D", folder / "data", "-U", "owner", "--auth=scram-sha-256",
                        "--pwfile", folder / "password", "--no-sync", "-E", "UTF8", "--locale=C"],
                       check=True, capture_output=True, cwd=folder)
        command = [*as_user(user), tools / "postgres", "-D", folder / "data", "-p", str(port), "-k", str(folder),
                   "-c", "fsync=off", "-c", "ssl=on", "-c", f"ssl_cert_file={certificate}", "-c", f"ssl_key_file={key}",
                   "-c", "listen_addresses=127.0.0.1", "-c", "log_statement=all"]
        with running(command, folder, port):
            postgres_story(demo, tools, folder, port, authority.read_text())
        log = (folder / "server.log").read_text()
        assert "order by random" not in log.lower()
        assert "BEGIN READ ONLY" in log or "START TRANSACTION READ ONLY" in log, log[-2000:]


def postgres_story(demo, tools, folder, port, authority):
    def sql(text, expect=0):
        done = subprocess.run([tools / "psql", "-h", "localhost", "-p", str(port), "-U", "owner", "-d", "postgres", "-X",
                               "-v", "ON_ERROR_STOP=1", "-At"], input=text, text=True, capture_output=True,
                              env={**os.environ, "PGPASSWORD": PASSWORD}, check=False)
        assert done.returncode == expect, done.stderr
        return done.stdout

    rows = ",".join(f"({n}, '{card}', '{mail}')" for n, card, mail in customers(300))
    sql(f'''create role scanner login password $${PASSWORD}$$; create role clerks;
        create schema "odd.schema";
        create table "odd.schema"."Client ""list""" (id int, id_no text, email text);
        insert into "odd.schema"."Client ""list""" values {rows};
        create table public.ledger (id int, note text); insert into ledger values (1, 'nothing, "here"');
        create table public.big (id int, id_no text, email text, filler text);
        insert into big select n % 300, t.id_no, t.email, repeat(md5(n::text), 3) from generate_series(1, 60000) n
          join "odd.schema"."Client ""list""" t on t.id = n % 300;
        create table public.closed (id_no text); insert into closed values ('{hkid(1)}');
        create table public.hidden (id_no text); insert into hidden values ('{hkid(2)}');
        alter table hidden enable row level security;
        grant usage on schema "odd.schema" to clerks, scanner;
        grant select on "odd.schema"."Client ""list""" to clerks, scanner;
        grant select on ledger to public; grant select on big, hidden to scanner; analyze''')
    setting = {"kind": "postgres", "host": "localhost", "port": port, "database": "postgres", "user": "scanner",
               "authority": authority, "table_bytes_max": 1_000_000}
    time.sleep(1.5)  # the server's statistics are told a second after their transaction
    objects, unreadable = look(demo, setting, PASSWORD)
    clients = objects['odd\\.schema.Client "list"']
    assert counts(clients)["hk-identity-card"] == 300 and counts(clients)["email"] == 300, counts(clients)
    assert clients["found"]["coverage"] == "whole" and not clients["sampled"]
    exposure = clients["object"]["exposure"]
    assert exposure["owner"] == "owner" and set(exposure["readers"]) == {"owner", "clerks", "scanner"}, exposure
    assert exposure["public"] is False and objects["public.ledger"]["object"]["exposure"]["public"] is True
    big = objects["public.big"]
    assert big["sampled"] and big["found"]["coverage"] == "part", big["found"]["coverage"]
    seen = counts(big)["hk-identity-card"]
    assert 200 < seen < 30_000, seen
    assert set(unreadable) == {"public.closed", "public.hidden"}, unreadable

    again, _ = look(demo, setting, PASSWORD, page=100)
    versions = {name: entry["object"]["version"] for name, entry in objects.items()}
    assert versions == {name: entry["object"]["version"] for name, entry in again.items()}, "nothing changed"
    assert counts(again["public.big"]) == counts(big), "the same sample of the same table"
    sql("insert into ledger values (2, 'more')")
    time.sleep(1.5)
    changed, _ = look(demo, setting, PASSWORD)
    assert [n for n in versions if changed[n]["object"]["version"] != versions[n]] == ["public.ledger"]

    wrong = look(demo, setting, "wrong", ok=False)
    assert wrong.returncode != 0 and "Refused" in wrong.stderr, wrong.stderr
    unknown = look(demo, {k: v for k, v in setting.items() if k != "authority"} | {"host": "127.0.0.2"}, PASSWORD, ok=False)
    assert unknown.returncode != 0
    strange = look(demo, setting | {"authority": Path(demo.authority).read_text()}, PASSWORD, ok=False)
    assert strange.returncode != 0 and "Unreachable" in strange.stderr, "another authority is not believed"


def check_mariadb(demo):
    user, port = "mysql", free_port()
    with server_folder(user) as folder:
        authority, certificate, key = certificates(folder)
        owned(folder, user)
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={folder}/data", "--skip-test-db",
                   "--auth-root-authentication-method=normal"]
        subprocess.run([*as_user(user), *install], check=True, capture_output=True, cwd=folder)
        server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        command = [*as_user(user), server, "--no-defaults", f"--datadir={folder}/data", f"--port={port}",
                   "--bind-address=127.0.0.1", f"--socket={folder}/socket", f"--ssl-cert={certificate}",
                   f"--ssl-key={key}", "--innodb-flush-log-at-trx-commit=0", f"--pid-file={folder}/pid",
                   "--general-log", f"--general-log-file={folder}/general.log"]
        with running(command, folder, port):
            mariadb_story(demo, folder, port, authority.read_text())
        log = (folder / "general.log").read_text(errors="replace").lower()
        assert "start transaction read only" in log and "order by rand" not in log


def mariadb_story(demo, folder, port, authority):
    def sql(text):
        client = ["mariadb", "--no-defaults", f"--socket={folder}/socket", "-u", "root",
                  "--default-character-set=utf8mb4"]
        done = subprocess.run(client, input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    rows = ",".join(f"({n}, '{card}', '{mail}')" for n, card, mail in customers(300))
    password = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
    sql(f"""create database bank character set utf8mb4; create database other; use bank;
        create table `client``s` (id int primary key, `id_no` text, `電郵` text);
        insert into `client``s` values {rows};
        create table big (n int primary key auto_increment, id_no text, filler text);
        insert into big (id_no, filler) select id_no, repeat('x', 100) from `client``s`, seq_1_to_200;
        create table heap (id_no text, filler text) engine = MyISAM;
        insert into heap select id_no, filler from big;
        create table empty (id_no text);
        create table other.secret (id_no text); insert into other.secret values ('{hkid(3)}');
        create user scanner@'%' identified by '{password}'; create user clerk@localhost;
        grant select on bank.* to scanner@'%'; grant select on bank.`client``s` to clerk@localhost;
        grant select on mysql.* to scanner@'%'; analyze table big, heap, `client``s`""")
    setting = {"kind": "mysql", "host": "localhost", "port": port, "user": "scanner", "authority": authority,
               "table_bytes_max": 1_000_000}
    objects, unreadable = look(demo, setting, PASSWORD)
    assert set(objects) == {"bank.client`s", "bank.big", "bank.heap", "bank.empty"}, (objects.keys(), unreadable)
    clients = objects["bank.client`s"]
    assert counts(clients)["hk-identity-card"] == 300 and counts(clients)["email"] == 300, counts(clients)
    assert clients["found"]["coverage"] == "whole" and not clients["sampled"]
    readers = clients["object"]["exposure"]["readers"]
    assert "'clerk'@'localhost'" in readers and "'scanner'@'%'" in readers, readers
    for name in ("bank.big", "bank.heap"):
        entry = objects[name]
        assert entry["sampled"] and entry["found"]["coverage"] == "part", name
        assert 200 < counts(entry)["hk-identity-card"] < 30_000, counts(entry)
    only, _ = look(demo, setting | {"database": "other"}, PASSWORD)
    assert only == {}, "what the user may not see is not there"
    wrong = look(demo, setting, "wrong", ok=False)
    assert wrong.returncode != 0 and "Refused" in wrong.stderr, wrong.stderr
    strange = look(demo, setting | {"authority": Path(demo.authority).read_text()}, PASSWORD, ok=False)
    assert strange.returncode != 0 and "Unreachable" in strange.stderr, "another authority is not believed"


def check_s3(demo):
    import boto3
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        with running(command, folder, port):
            s3_story(demo, boto3, f"http://127.0.0.1:{port}")


def s3_story(demo, boto3, endpoint):
    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "secret"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="ap-east-1", **keys)
    client.create_bucket(Bucket="bank", CreateBucketConfiguration={"LocationConstraint": "ap-east-1"})
    table = "id,id_no,email\n" + "".join(f"{n},{card},{mail}\n" for n, card, mail in customers(300))
    client.put_object(Bucket="bank", Key="hr/客戶 list.csv", Body=table.encode())
    client.put_object(Bucket="bank", Key="hr/big.csv", Body=table.encode() * 1_200)
    client.put_object(Bucket="bank", Key="hr/empty", Body=b"")
    for number in range(5):
        client.put_object(Bucket="bank", Key=f"logs/{number}.log", Body=b"started\n" * 9)
    setting = {"kind": "s3", "bucket": "bank", "region": "ap-east-1", "endpoint": endpoint, "path_style": True,
               "access_key_id": "AKIATEST", "object_bytes_max": 9_000_000}
    objects, unreadable = look(demo, setting, "secret", page=3)
    assert len(objects) == 8 and not unreadable, (objects.keys(), unreadable)
    clients = objects["hr/客戶 list.csv"]
    assert counts(clients)["hk-identity-card"] == 300 and counts(clients)["email"] == 300, counts(clients)
    assert clients["object"]["exposure"]["region"] == "ap-east-1"
    big = objects["hr/big.csv"]
    assert big["sampled"] and big["found"]["coverage"] == "part"
    assert big["found"]["bytes"] == 9_000_000 < big["object"]["bytes"], "its beginning, in two ranges"
    assert objects["hr/empty"]["found"]["format"] == "empty"

    client.put_object(Bucket="bank", Key="logs/3.log", Body=b"stopped\n")
    again, _ = look(demo, setting | {"prefix": "logs/"}, "secret", page=100)
    changed = [n for n, e in again.items() if e["object"]["version"] != objects[n]["object"]["version"]]
    assert len(again) == 5 and changed == ["logs/3.log"], changed
    gone = look(demo, setting | {"bucket": "nobody"}, "secret", ok=False)
    assert gone.returncode != 0 and "Gone" in gone.stderr, gone.stderr
    plain = look(demo, setting | {"endpoint": "http://store.example"}, "secret", ok=False)
    assert plain.returncode != 0 and "endpoint" in plain.stderr, "nothing leaves the machine without TLS unasked"
