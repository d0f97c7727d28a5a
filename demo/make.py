#!/usr/bin/env python3
"""Writes the sample files of the demo, the same ones each time. usage: make.py FOLDER

Nobody in these files exists: customers are numbers, addresses are sample addresses, e-mail goes to
example.com. Identity card numbers have right check digits and begin with ZZ, a prefix that has not
been issued, so that none can be a living person's. Card numbers lie in ranges that networks publish for tests.
"""
import random
import sys
from pathlib import Path

DICE = random.Random()


def identity_card(serial):
    digits = f"{serial:06d}"
    weights = [9, 8, 7, 6, 5, 4, 3, 2]
    values = [35, 35] + [int(d) for d in digits]
    check = -sum(w * v for w, v in zip(weights, values)) % 11
    return f"ZZ{digits}({'A' if check == 10 else check})"


def card(serial):
    body = f"411111{serial:09d}"
    total = sum((int(d) * 2 - 9 if int(d) > 4 else int(d) * 2) if i % 2 == 0 else int(d)
                for i, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def iban(serial):
    body = f"TEST{serial:014d}"
    number = "".join(str(int(c, 36)) for c in body + "GB00")
    return f"GB{98 - int(number) % 97:02d}{body}"


def customers(count, start=1):
    yield "客戶編號 customer,身份證號碼 HKID,電郵 email,信用卡 card,結餘 balance HKD,區 district"
    districts = ["中環 Central", "沙田 Sha Tin", "觀塘 Kwun Tong", "荃灣 Tsuen Wan", "元朗 Yuen Long"]
    for n in range(start, start + count):
        yield ",".join([f"C{n:06d}", identity_card(n * 37 % 1_000_000), f"customer{n:06d}@example.com",
                        card(n * 7919 % 1_000_000_000), f"{DICE.randrange(100, 9_000_000) / 100:.2f}",
                        DICE.choice(districts)])


def loans(count):
    for n in range(1, count + 1):
        yield (f'{{"application": "L{n:06d}", "hkid": "{identity_card(n * 53 % 1_000_000)}", '
               f'"amount_hkd": {DICE.randrange(10, 900) * 1000}, "status": "{DICE.choice(["new", "scored", "declined"])}"}}')


def letters(count):
    for n in range(1, count + 1):
        yield f"""客戶 {n:06d}：
閣下身份證號碼 {identity_card(n * 71 % 1_000_000)} 之戶口月結單已備妥。如有查詢，請電郵至 service@example.com。
Customer {n:06d}: your statement is ready. Balance HKD {DICE.randrange(1000, 900_000):,}.00.
"""


def deals(count):
    yield "deal,counterparty_iban,currency,notional,trade_date"
    for n in range(1, count + 1):
        yield f"D{n:06d},{iban(n)},{DICE.choice(['HKD', 'USD', 'CNH', 'EUR'])},{DICE.randrange(1, 500)}000000,2026-{DICE.randrange(1, 12):02d}-{DICE.randrange(1, 29):02d}"


def campaigns(count):
    yield "email,segment,opened"
    for n in range(1, count + 1):
        yield f"customer{n:06d}@example.com,{DICE.choice(['young', 'family', 'retired'])},{DICE.choice(['yes', 'no'])}"


def rates(count):
    yield "date,pair,rate"
    for n in range(1, count + 1):
        yield f"2026-{n % 11 + 1:02d}-{n % 28 + 1:02d},USDHKD,{7.75 + DICE.randrange(0, 1000) / 10000:.4f}"


FILES = {
    "on-premises/core-ledger/customers.csv": lambda: customers(600),
    "aws-hong-kong/statements/letters-2026-10.txt": lambda: letters(300),
    "azure-east-asia/loans/applications.jsonl": lambda: loans(400),
    "google-hong-kong/deals/deals.csv": lambda: deals(300),
    "google-hong-kong/rates/rates.csv": lambda: rates(200),
    "alibaba-hong-kong/marketing/campaigns.csv": lambda: campaigns(500),
    "aws-singapore/analytics/customers-copy.csv": lambda: customers(600),
}


def main():
    folder = Path(sys.argv[1])
    for name, lines in FILES.items():
        DICE.seed(20261121)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
