"""Files made to take for ever or to fill the memory, through the real worker in its sandbox: each is answered in bounded
time and memory, and the answer says what was wrong."""
import io
import json
import random
import subprocess
import tempfile
import threading
import time
import zipfile
import zlib
from pathlib import Path

# Of the command and its workers together, in bytes: what a scan may take beside a server.
MEMORY_MAX = 300_000_000
CARD = b"HKID A123456(3) stands here\n"


def held(process):
    """The most bytes that a process and what it started ever held, as far as they still run."""
    sum_, waiting = 0, [process]
    while waiting:
        one = waiting.pop()
        try:
            status = Path(f"/proc/{one}/status").read_text()
            for children in Path(f"/proc/{one}/task").glob("*/children"):
                waiting += map(int, children.read_text().split())
        except OSError:
            continue
        for line in status.splitlines():
            if line.startswith("VmHWM"):
                sum_ += int(line.split()[1]) * 1_024
    return sum_


def inspected(bank, path, seconds_max, memory_max=MEMORY_MAX):
    """What `lionrock discover inspect` says of a file, and what it took."""
    began, most, said = time.monotonic(), 0, []
    command = subprocess.Popen([bank.binary, "--json", "discover", "inspect", path], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    taking = threading.Thread(target=lambda: said.append(command.communicate()))
    taking.start()
    while taking.is_alive():
        most = max(most, held(command.pid))
        if time.monotonic() - began > seconds_max * 3:
            command.kill()
        taking.join(0.02)
    seconds = time.monotonic() - began
    assert command.returncode == 0, said[0][1].decode(errors="replace")[-2000:]
    found = json.loads(said[0][0])["inspection"]
    kinds = [trouble["kind"] for trouble in found["troubles"]]
    took = f"{seconds:.1f} s, {most / 1e6:.0f} MB"
    assert "killed" not in kinds, f"the worker was ended: {found['troubles']}, {took}"
    assert seconds < seconds_max, took
    assert most < memory_max, took
    return found, kinds, took


def cards(found):
    return sum(kind["sure"] + kind["likely"] for part in found["parts"] for kind in part["kinds"]
               if kind["kind"] == "hk-identity-card")


def zipped(members):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return memory.getvalue()


def fault_a_zip_bomb_of_42_kilobytes_is_bounded(bank, _long):
    inner = zipped([("0", b"\0" * 4_000_000)])
    for _ in range(3):
        inner = zipped([(str(number), inner) for number in range(16)])
    noise = random.Random(1).randbytes(max(0, 42_000 - len(inner) - 200))
    bomb = zipped([("bomb.zip", inner), ("letter.txt", CARD), ("noise", noise)])
    assert len(bomb) < 60_000, len(bomb)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "42.zip"
        path.write_bytes(bomb)
        found, kinds, took = inspected(bank, path, 60)
        assert "too-large" in kinds and cards(found) <= 1, set(kinds)
        return f"{len(bomb)} bytes that unpack to 16 GB: {took}"


def fault_a_billion_laughs_are_not_laughed(bank, _long):
    lines = ['<?xml version="1.0"?>', "<!DOCTYPE lolz [", '<!ENTITY lol0 "lol">']
    lines += [f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10)]
    text = "\n".join([*lines, "]>", "<lolz>&lol9;<a>HKID A123456(3)</a></lolz>"])
    book = zipped([("[Content_Types].xml", "<Types/>"), ("word/document.xml", text.replace("lolz", "w:document"))])
    with tempfile.TemporaryDirectory() as name:
        told = []
        for file, content in [("laughs.xml", text.encode()), ("laughs.docx", book)]:
            path = Path(name) / file
            path.write_bytes(content)
            found, kinds, took = inspected(bank, path, 20)
            assert cards(found) == 1, found
            assert file.endswith("docx") or "unsupported" in kinds, kinds
            told.append(took)
        return "; ".join(told)


def fault_a_sparse_file_of_ten_gigabytes_is_passed_over(bank, _long):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "disk.img"
        with open(path, "wb") as file:
            file.truncate(10 << 30)
            file.seek(7 << 30)
            file.write(CARD)
        found, _, took = inspected(bank, path, 60)
        assert found["bytes"] == 10 << 30 and cards(found) == 1, found
        return took


def pdf(objects, trailer):
    """A file of these objects, by number from 1."""
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)


def stream(body, more=b""):
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(body), more, body)


def fault_pdf_files_with_loops_and_a_bomb_end(bank, _long):
    catalog = b"<</Type/Catalog/Pages 2 0 R>>"
    text = stream(b"BT /F 12 Tf (HKID A123456\\(3\\)) Tj /X Do ET")
    page = b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>"
    itself = stream(b"/X Do /X Do", b"/Type/XObject/Subtype/Form/Resources<</XObject<</X 5 0 R>>>>")
    zeros = zlib.compress(b" " * 200_000_000, 9)
    cases = {
        "pages that are their own children": pdf([catalog, b"<</Type/Pages/Kids[2 0 R 2 0 R 3 0 R]/Count 9>>", page, text, itself], b""),
        "a form that paints itself": pdf([catalog, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, text, itself], b""),
        "a length that is itself": pdf([catalog, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page,
                                        b"<</Length 4 0 R>>stream\nBT (x) Tj ET\nendstream"], b""),
        "a table that comes before itself": pdf([catalog, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, text, itself], b"/Prev 9"),
        "a page of blanks": pdf([catalog, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream(zeros, b"/Filter/FlateDecode")], b""),
    }
    told = []
    with tempfile.TemporaryDirectory() as name:
        for what, content in cases.items():
            path = Path(name) / "loop.pdf"
            path.write_bytes(content)
            _, kinds, took = inspected(bank, path, 30)
            told.append(f"{what}: {kinds or 'read'} in {took}")
    return "; ".join(told)


def fault_a_csv_of_one_line_of_a_gigabyte_is_read_in_windows(bank, _long):
    size = 1_000_000_000
    piece = b"a,HKID A123456(3)," + b"some more cells of the very same record,," * 2_000
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "line.csv"
        with open(path, "wb") as file:
            file.write(b"first,second,third\n")
            for _ in range(size // len(piece)):
                file.write(piece)
        found, kinds, took = inspected(bank, path, 240)
        assert cards(found) == size // len(piece) and found["coverage"] == "whole" and not kinds, found
        return f"{size / 1e6:.0f} MB in one line: {took}"
