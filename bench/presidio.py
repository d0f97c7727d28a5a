#!/usr/bin/env python3
"""Measures the detectors beside the pattern recognisers of Presidio on the same files, one core each.

    python3 -m venv /tmp/presidio && /tmp/presidio/bin/pip install presidio-analyzer==2.2.366
    cargo build --release -p detect --examples
    /tmp/presidio/bin/python bench/presidio.py [BYTES]

The recognisers are called directly, without the analyzer's engine and without a language model, which would make
them slower still; both get the file whole (pieces of 10,000 characters made no difference to them). What is
printed is processor time: MB of 1,000,000 bytes for each second, the number of hits, how many times faster we are.
"""

import logging
import pathlib
import subprocess
import sys
import tempfile
import time

from presidio_analyzer import predefined_recognizers as all_recognizers

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "target/release/examples"
# Those of no country, which are the ones that everyone who scans a file would switch on.
NAMES = ["CreditCard", "Crypto", "Date", "Email", "Iban", "Ip", "MacAddress", "Phone", "Url"]


def main():
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    # The e-mail recogniser looks for a list of domains on the network; without one it uses its own.
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)
    recognizers = [getattr(all_recognizers, f"{name}Recognizer")() for name in NAMES]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "corpus.txt"
        with path.open("wb") as out:
            subprocess.run([EXAMPLES / "corpus", str(size)], stdout=out, check=True)
        text = path.read_text(encoding="utf-8")
        megabytes = path.stat().st_size / 1e6
        for one in recognizers:
            one.analyze("call +852 2345 6789 or a@example.com", one.supported_entities, None)
        start = time.process_time()
        hits = sum(len(one.analyze(text, one.supported_entities, None)) for one in recognizers)
        theirs = megabytes / (time.process_time() - start)
        ours = subprocess.run([EXAMPLES / "speed", path], capture_output=True, check=True, text=True).stdout.split()
    print(f"{megabytes:.2f} MB: ours {float(ours[0]):.0f} MB/s ({ours[1]} hits), Presidio's {len(recognizers)} pattern "
          f"recognisers {theirs:.2f} MB/s ({hits} hits): {float(ours[0]) / theirs:.0f} times")


if __name__ == "__main__":
    main()
