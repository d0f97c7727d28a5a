"""`kill -9` at random moments of a mixed write load: nothing acknowledged is lost, ever."""
import base64
import http.client
import random
import threading
import time

from bank import Refused
from proofs import continues, head_of

ROUNDS, ROUNDS_LONG = 25, 200
SEED = 20_260
LOAD_SECONDS = (0.05, 0.9)
USERS, CUSTODIANS = 4, 2
PAGE = 100


class Kept:
    """What was acknowledged: it must be there after every start."""

    def __init__(self):
        self.lock = threading.Lock()
        self.keys, self.versions = {}, {}
        self.ciphertexts, self.fresh = [], []
        self.operations, self.checkpoint = 0, None
        self.surprises = []

    def acknowledge(self, note):
        with self.lock:
            self.operations += 1
            note()


def worker(server, token, kept, step, stop):
    """Works until the connection breaks, which is the kill, or until it is told to stop."""
    connection = server.connect(token)
    try:
        while not stop.is_set():
            step(connection, kept)
    except (OSError, http.client.HTTPException):
        pass
    except (Refused, AssertionError) as surprise:
        kept.surprises.append(repr(surprise))
    finally:
        connection.close()


def custodian(domain, seed, name):
    chance, counter = random.Random(seed), iter(range(1_000_000))

    def step(connection, kept):
        with kept.lock:
            known = list(kept.keys)
        if known and chance.random() < 0.3:
            key = chance.choice(known)
            view = connection.post(f"/keys/{key}/rotate")
            kept.acknowledge(lambda: kept.versions.update(
                {key: max(len(view["versions"]), kept.versions[key])}))
            return
        called = f"{name}-{next(counter)}"
        body = {"domain": domain, "name": called, "algorithm": "aes-256-gcm"}
        key = connection.post("/keys", body)["id"]
        def note():
            kept.keys[key], kept.versions[key] = called, 1
        kept.acknowledge(note)
    return step


def user(first, seed):
    chance = random.Random(seed)

    def step(connection, kept):
        with kept.lock:
            keys, old = list(kept.keys) or [first], kept.ciphertexts[-500:]
        if old and chance.random() < 0.3:
            key, ciphertext, plain = chance.choice(old)
            done = connection.post(f"/keys/{key}/decrypt", {"ciphertext": ciphertext})
            assert done["plaintext"] == plain, "another plaintext"
            kept.acknowledge(lambda: None)
            return
        key = chance.choice(keys)
        plain = base64.b64encode(chance.randbytes(chance.randrange(1, 2_000))).decode()
        ciphertext = connection.post(f"/keys/{key}/encrypt", {"plaintext": plain})["ciphertext"]
        def note():
            kept.ciphertexts.append((key, ciphertext, plain))
            kept.fresh.append((key, ciphertext, plain))
        kept.acknowledge(note)
    return step


def watcher(connection, kept):
    """Keeps the newest checkpoint, as an auditor would."""
    kept.checkpoint = connection.get("/log/checkpoint")
    time.sleep(0.02)


def all_keys(connection):
    found, after = {}, ""
    while True:
        page = connection.get(f"/keys?limit={PAGE}" + after)
        found.update({key["id"]: key for key in page["items"]})
        if "next" not in page:
            return found
        after = f"&after={page['next']}"


def open_all(connection, ciphertexts):
    for key, ciphertext, plain in ciphertexts:
        done = connection.post(f"/keys/{key}/decrypt", {"ciphertext": ciphertext})
        assert done["plaintext"] == plain, f"{key}: another plaintext"


def after_start(bank, server, kept, before):
    """Everything acknowledged is there, and the log continues what the auditor kept."""
    reader = server.connect(bank.tokens["watch"])
    kept.checkpoint = continues(reader, kept.checkpoint)
    size = head_of(kept.checkpoint)[1]
    assert size >= before + kept.operations, f"{size} events after {before} and {kept.operations}"
    found = all_keys(reader)
    lost = set(kept.keys) - set(found)
    assert not lost, f"keys lost: {lost}"
    for key, versions in kept.versions.items():
        assert len(found[key]["versions"]) >= versions, f"{key}: a version is lost"
    application = server.connect(bank.tokens["application"])
    open_all(application, kept.fresh)
    # What was under way and not acknowledged is whole or absent: each such key works.
    for key in set(found) - set(kept.keys) - {bank.key}:
        view = found[key]
        kept.keys[key], kept.versions[key] = view["name"], len(view["versions"])
        application.post(f"/keys/{key}/encrypt", {"plaintext": "aGFsZg=="})
    kept.fresh.clear()
    for connection in (reader, application):
        connection.close()
    return size


def fault_killed_at_random_moments_it_loses_nothing_acknowledged(bank, is_long):
    chance, kept = random.Random(SEED), Kept()
    server = bank.server("kill").start()
    rounds = ROUNDS_LONG if is_long else ROUNDS
    total, answers = 0, 0
    try:
        reader = server.connect(bank.tokens["watch"])
        kept.checkpoint = reader.get("/log/checkpoint")
        reader.close()
        size = head_of(kept.checkpoint)[1]
        for number in range(rounds):
            stop = threading.Event()
            steps = [(bank.tokens["custodian"], custodian(bank.domain, chance.random(), f"k{number}-{n}"))
                     for n in range(CUSTODIANS)]
            steps += [(bank.tokens["application"], user(bank.key, chance.random())) for _ in range(USERS)]
            steps += [(bank.tokens["watch"], watcher)]
            threads = [threading.Thread(target=worker, args=(server, token, kept, step, stop))
                       for token, step in steps]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(*LOAD_SECONDS))
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            assert not kept.surprises, f"round {number}: {kept.surprises[:3]}"
            total, answers = total + kept.operations, max(answers, kept.operations)
            server.start()
            size = after_start(bank, server, kept, size)
            kept.operations = 0
        assert total > rounds, f"the load was no load: {total} operations"
        application = server.connect(bank.tokens["application"])
        sample = kept.ciphertexts if is_long else chance.sample(kept.ciphertexts, min(200, len(kept.ciphertexts)))
        open_all(application, sample)
        application.close()
        assert bank.opens(server)
        server.stop()
    finally:
        server.end()
    return (f"{rounds} kills, {total} operations acknowledged (at most {answers} in one round), "
            f"{len(kept.keys)} keys, {size} events")
