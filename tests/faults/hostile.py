"""Bytes that no client of ours would send, over bare TLS: the server refuses them and stays well."""
import contextlib
import os
import random
import socket
import ssl
import struct
import time

from bank import raw

SEED = 20_262
STRANGERS, STRANGERS_LONG = 60, 1_000
ANSWER_SECONDS = 0.5
SLOW = 40
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def sent(server, content, protocol=None):
    """What the server answers to some bytes before it hangs up, or before we are tired of waiting."""
    context = ssl.create_default_context(cafile=str(server.home / "authority.crt"))
    if protocol:
        context.set_alpn_protocols([protocol])
    with socket.create_connection(server.address, timeout=2) as plain:
        with context.wrap_socket(plain, server_hostname=server.address[0]) as stream:
            with contextlib.suppress(OSError):
                stream.sendall(content)
            answer = b""
            # What speaks HTTP/1.1 wants an answer; HTTP/2 that is none may get silence.
            stream.settimeout(ANSWER_SECONDS if protocol else 5)
            with contextlib.suppress(OSError):
                while len(answer) < 65_536:
                    more = stream.recv(65_536)
                    if not more:
                        break
                    answer += more
            return answer


def status(answer):
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else None


@contextlib.contextmanager
def well(bank, name):
    """A server that must be well afterwards, with every answer right and no panic in its log."""
    server = bank.server(name).start()
    try:
        yield server
        assert server.is_healthy() and bank.opens(server)
        assert "panicked" not in server.said(), server.said()[-2000:]
        server.stop()
    finally:
        server.end()


def fault_garbage_before_and_inside_tls(bank, is_long):
    chance = random.Random(SEED)
    with well(bank, "garbage") as server:
        for number in range(STRANGERS_LONG if is_long else STRANGERS):
            content = chance.randbytes(chance.randrange(1, 4_000))
            if number % 2:
                answer = sent(server, content)
                assert status(answer) in (400, None), answer[:100]
                continue
            with socket.create_connection(server.address, timeout=2) as plain, contextlib.suppress(OSError):
                if number % 4:
                    content = b"\x16\x03\x01" + struct.pack(">H", len(content)) + content
                plain.sendall(content)
                if number % 3:
                    plain.recv(100)


def fault_requests_that_are_cut_too_large_or_ambiguous(bank, _long):
    line, host = b"GET /api/v1/keys HTTP/1.1\r\n", b"Host: localhost\r\n"
    post = b"POST /api/v1/enrolments/begin HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\n"
    wanted = {
        line + host + b"X: " + b"a" * 100_000 + b"\r\n\r\n": (400, 431),
        line + host + b"".join(b"X%d: a\r\n" % n for n in range(1_000)) + b"\r\n": (400, 431),
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + host + b"\r\n": (400, 414, 431),
        line + host + b"X y\r\n\r\n": (400,),
        line + host + b"X: a\x00b\r\n\r\n": (400,),
        b"GET /api/v1/../../etc/passwd HTTP/1.1\r\n" + host + b"\r\n": (400, 404),
        b"\x00\r\n\r\n": (400,),
        post + b"Content-Length: -1\r\n\r\n": (400,),
        post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello": (400,),
        post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": (400,),
        post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n": (400,),
        post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n": (400,),
        post + b"Content-Length: 99999999999\r\n\r\n": (413,),
        post + b"Content-Length: 9\r\n\r\n" + b"[" * 9: (400,),
        post + b"Content-Length: 50000\r\n\r\n" + b"[" * 50_000: (400,),
        line + host + b"Authorization: Bearer \xff\xfe\r\n\r\n": (400, 401),
    }
    with well(bank, "ambiguous") as server:
        for content, statuses in wanted.items():
            # Nothing more is asked for on this connection: the answer is the last.
            answer = sent(server, content.replace(host, host + b"Connection: close\r\n"))
            assert status(answer) in statuses, f"{content[:90]}: {answer[:200]}"
        for cut in range(1, len(line + host), 7):
            with contextlib.suppress(OSError):
                raw(server).sendall((line + host)[:cut])


def frame(kind, flags, stream, payload, length=None):
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def fault_http2_that_is_none(bank, is_long):
    chance = random.Random(SEED)
    settings = PREFACE + frame(4, 0, 0, b"")
    with well(bank, "http2") as server:
        for number in range((STRANGERS_LONG if is_long else STRANGERS) // 2):
            content = settings
            if number % 3 == 0:
                content += chance.randbytes(chance.randrange(1, 2_000))
            elif number % 3 == 1:
                for _ in range(30):
                    kind, stream = chance.randrange(12), chance.randrange(6)
                    content += frame(kind, chance.randrange(256), stream, chance.randbytes(chance.randrange(40)))
            else:
                content = content[:chance.randrange(len(content))]
            sent(server, content, "h2")
        # A thousand streams opened and reset at once (CVE-2023-44487), and settings without end.
        rapid = b"".join(frame(1, 5, 2 * n + 1, b"\x82\x84\x87") + frame(3, 0, 2 * n + 1, b"\0\0\0\x08")
                         for n in range(1_000))
        sent(server, settings + rapid, "h2")
        sent(server, settings + frame(4, 0, 0, b"") * 10_000, "h2")
        # A header block that never ends (CVE-2024-27316).
        endless = frame(1, 0, 1, b"\x82") + frame(9, 0, 1, b"\x00\x01a\x01b" * 100) * 500
        sent(server, settings + endless, "h2")


def fault_bodies_that_come_slowly_hold_nobody_else_up(bank, _long):
    head = (b"POST /api/v1/enrolments/begin HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{")
    with well(bank, "slow") as server:
        slow = [raw(server, 60) for _ in range(SLOW)]
        began = time.monotonic()
        for stream in slow:
            stream.sendall(head)
        while time.monotonic() - began < 3:
            for stream in slow:
                stream.sendall(b" ")
            asked = time.monotonic()
            assert server.is_healthy() and bank.opens(server)
            took = time.monotonic() - asked
            assert took < 5, f"others wait {took:.1f} s"
        answer = slow[0].recv(65_536)
        took = time.monotonic() - began
        assert status(answer) == 408 and took < 45, f"after {took:.0f} s: {answer[:200]}"
        for stream in slow:
            stream.close()
    return f"408 after {took:.0f} s"


def fault_connections_without_end_are_bounded(bank, _long):
    with well(bank, "many") as server:
        held = []
        try:
            for _ in range(200):
                held.append(socket.create_connection(server.address, timeout=5))
            assert server.is_healthy() and bank.opens(server)
        finally:
            for one in held:
                one.close()
        descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        assert descriptors < 400, f"{descriptors} descriptors are held"
