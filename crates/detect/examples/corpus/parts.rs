//! Made-up text of the kinds that a bank keeps, the same for the same seed: nothing in it is real.

use std::fmt::Write as _;

/// A part of the corpus: its name, what makes a line, its share of the mixture in percent.
pub(crate) type Part = (&'static str, fn(&mut Random) -> String, u64);

/// The parts; the last is measured alone and is no part of the mixture.
pub(crate) const PARTS: [Part; 5] = [
    ("customer table", customer, 30),
    ("transaction table", transaction, 30),
    ("log", log, 20),
    ("letters, both languages", letter, 20),
    ("prose, English", prose, 0),
];

/// At least so many bytes of one part.
pub(crate) fn text(part: &Part, bytes: usize, random: &mut Random) -> String {
    let mut text = String::with_capacity(bytes + 4096);
    while text.len() < bytes {
        text.push_str(&part.1(random));
    }
    text
}

/// A small generator of numbers, the same at each run (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let place = usize::try_from(self.below(list.len() as u64)).unwrap_or_default();
        list.get(place).copied().unwrap_or_default()
    }
}

const SURNAMES: &[&str] = &["Chan", "Wong", "Lee", "Lam", "Cheung", "Ho", "Ng", "Leung"];
const GIVEN: &[&str] = &["Tai Man", "Ka Yan", "Mei Ling", "Chi Ming", "Wai Keung", "Suk Fan"];
const CHINESE: &[&str] = &["陳大文", "李美玲", "黃志明", "歐陽麗華", "何家豪", "張詠詩"];
const WORDS: &[&str] = &[
    "the",
    "of",
    "and",
    "bank",
    "account",
    "please",
    "note",
    "that",
    "interest",
    "will",
    "be",
    "charged",
    "from",
    "date",
    "statement",
    "customers",
    "should",
    "review",
    "terms",
    "conditions",
    "before",
    "payment",
    "service",
    "branch",
    "transfer",
    "monthly",
    "balance",
    "Our",
    "Please",
];

/// A card number whose check digit is right.
fn card(random: &mut Random) -> String {
    let mut digits: Vec<u64> = vec![4];
    digits.extend((0..14).map(|_| random.below(10)));
    let sum: u64 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = if i % 2 == 0 { d * 2 } else { *d };
            if d > 9 { d - 9 } else { d }
        })
        .sum();
    digits.push((10 - sum % 10) % 10);
    digits.iter().map(u64::to_string).collect()
}

fn customer(random: &mut Random) -> String {
    let name = format!("{} {}", random.one_of(SURNAMES), random.one_of(GIVEN));
    let (id, phone) = (random.below(1_000_000_000), 51_000_000 + random.below(40_000_000));
    let letter = random.one_of(&["A", "B", "K", "P", "Y", "Z"]);
    let hkid = format!("{letter}{:06}({})", random.below(1_000_000), random.below(10));
    let (user, number) = (random.below(9999), card(random));
    format!("{id},{name},{hkid},{phone},user{user}@example.com,{number},remark {user}\n")
}

fn transaction(random: &mut Random) -> String {
    let (a, b, c) = (random.next(), random.next(), random.next());
    let (whole, cents, trace) =
        (random.below(99_999), random.below(100), random.below(1_000_000_000));
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x},2025-01-04T00:00:00Z,{whole}.{cents:02},{trace},\
        {b:016x}{c:016x}{a:016x}\n",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff,
    )
}

fn log(random: &mut Random) -> String {
    let (a, b) = (random.below(256), random.below(256));
    let level = random.one_of(&["INFO", "WARN", "DEBUG"]);
    let path = random.one_of(&["/api/v1/accounts", "/login", "/health", "/payments/submit"]);
    let (ms, trace) = (random.below(900), random.next());
    format!(
        "2025-06-05T10:00:{:02}.{ms:03}Z {level} http.server request method=GET path={path} \
        client=10.{a}.{b}.7 status=200 duration_ms={ms} trace={trace:016x}\n",
        random.below(60)
    )
}

fn prose(random: &mut Random) -> String {
    let mut text = String::new();
    for i in 0..80 {
        let joint = if i % 13 == 12 { ".\n" } else { " " };
        let _ = write!(text, "{}{joint}", random.one_of(WORDS));
    }
    text
}

fn letter(random: &mut Random) -> String {
    let mut text = prose(random);
    let (name, number) = (random.one_of(CHINESE), 60_000_000 + random.below(9_999_999));
    let _ = write!(
        text,
        "\n{name}先生／女士：\n閣下之申請已收到，聯絡電話{number}，住址：香港西營盤德輔道西{}號太平樓{}樓D室。\
        本行將於七個工作天內處理有關申請，如有任何查詢，歡迎與本行客戶服務主任聯絡。多謝選用本行服務。\n\
        Dear {} {},\n",
        random.below(900),
        random.below(40),
        random.one_of(SURNAMES),
        random.one_of(GIVEN),
    );
    text
}
