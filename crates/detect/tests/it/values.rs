//! Values for made-up documents: right in form and check, and nobody's.

/// A small generator of numbers, the same at each run (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    pub(crate) fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.index(list.len())]
    }

    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from_digit(u32::try_from(self.below(10)).unwrap(), 10).unwrap())
            .collect()
    }

    pub(crate) fn letters(&mut self, alphabet: &str, count: usize) -> String {
        let all: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| all[self.index(all.len())]).collect()
    }

    pub(crate) fn hex(&mut self, count: usize) -> String {
        self.letters("0123456789abcdef", count)
    }
}

const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn hkid_check(letters: &str, digits: &str) -> char {
    let value = |c: char| c.to_digit(36).unwrap();
    let mut chars: Vec<u32> = letters.chars().map(value).collect();
    if chars.len() == 1 {
        chars.insert(0, 36);
    }
    chars.extend(digits.chars().map(value));
    let sum: u32 = chars.iter().zip((2..=9).rev()).map(|(c, weight)| c * weight).sum();
    match (11 - sum % 11) % 11 {
        10 => 'A',
        check => char::from_digit(check, 10).unwrap(),
    }
}

pub(crate) fn hkid(random: &mut Random) -> String {
    let count = if random.below(6) == 0 { 2 } else { 1 };
    let letters = random.letters("ABCDEFGHKMPRSVYZ", count);
    let digits = random.digits(6);
    let check = hkid_check(&letters, &digits);
    match random.below(5) {
        0 => format!("{letters}{digits}（{check}）"),
        1 => format!("{letters} {digits} ({check})"),
        _ => format!("{letters}{digits}({check})"),
    }
}

pub(crate) fn hkid_bare(random: &mut Random) -> String {
    let (letter, digits) = (random.letters("ABCDEGHKMPRSVYZ", 1), random.digits(6));
    let check = hkid_check(&letter, &digits);
    format!("{letter}{digits}{check}")
}

fn luhn(digits: &str) -> u32 {
    let double = |d: u32| if d > 4 { d * 2 - 9 } else { d * 2 };
    let sum: u32 = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(i, c)| c.to_digit(10).map_or(0, |d| if i % 2 == 0 { double(d) } else { d }))
        .sum();
    (10 - sum % 10) % 10
}

pub(crate) fn card(random: &mut Random) -> String {
    let (prefix, length) = [
        ("4", 16),
        ("51", 16),
        ("55", 16),
        ("2221", 16),
        ("2720", 16),
        ("34", 15),
        ("37", 15),
        ("3528", 16),
        ("6212", 16),
        ("6259", 16),
    ][random.index(10)];
    let digits = format!("{prefix}{}", random.digits(length - 1 - prefix.len()));
    let digits = format!("{digits}{}", luhn(&digits));
    let joint = ["", "", " ", "-"][random.index(4)];
    let groups: &[usize] = if length == 15 { &[4, 6, 5] } else { &[4, 4, 4, 4] };
    let mut rest = digits.as_str();
    let mut parts = Vec::new();
    for n in groups {
        let (part, more) = rest.split_at(*n);
        parts.push(part);
        rest = more;
    }
    parts.join(joint)
}

pub(crate) fn card_plain(random: &mut Random) -> String {
    card(random).replace([' ', '-'], "")
}

/// Fourteen digits that begin with 36, as Diners Club issues them.
pub(crate) fn diners(random: &mut Random) -> String {
    let digits = format!("36{}", random.digits(11));
    let digits = format!("{digits}{}", luhn(&digits));
    let part = |from: usize, to: usize| digits.get(from..to).unwrap();
    match random.below(3) {
        0 => format!("{} {} {}", part(0, 4), part(4, 10), part(10, 14)),
        1 => format!("{}-{}-{}", part(0, 4), part(4, 10), part(10, 14)),
        _ => digits,
    }
}

pub(crate) fn mainland(random: &mut Random) -> String {
    let region = random.of(&["110101", "310104", "440106", "440305", "330106", "510107", "350203"]);
    let (year, month) = (1950 + random.below(60), 1 + random.below(12));
    let digits = format!("{region}{year}{month:02}{:02}{}", 1 + random.below(28), random.digits(3));
    let weights = [7u32, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.chars().zip(weights).map(|(c, w)| c.to_digit(10).unwrap() * w).sum();
    let check = b"10X98765432"[(sum % 11) as usize];
    format!("{digits}{}", char::from(check))
}

pub(crate) fn iban(random: &mut Random) -> String {
    let (country, tail) = [
        ("GB", format!("{}{}", random.letters(CAPITALS, 4), random.digits(14))),
        ("DE", random.digits(18)),
        ("FR", format!("{}{}{}", random.digits(10), random.letters(CAPITALS, 5), random.digits(8))),
        ("NL", format!("{}{}", random.letters(CAPITALS, 4), random.digits(10))),
        ("CH", random.digits(17)),
    ][random.index(5)]
    .clone();
    let rest = format!("{tail}{country}00").chars().fold(0u32, |rest, c| {
        let value = c.to_digit(36).unwrap();
        if value > 9 { (rest * 100 + value) % 97 } else { (rest * 10 + value) % 97 }
    });
    let whole = format!("{country}{:02}{tail}", 98 - rest);
    if random.below(3) > 0 {
        return whole;
    }
    let chars: Vec<char> = whole.chars().collect();
    chars.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn email(random: &mut Random) -> String {
    let user = random.of(&[
        "k.y.wong",
        "tmchan88",
        "info",
        "siu-ming_lee",
        "p.o'brien",
        "amy.lam+hk",
        "u2024",
        "zhang_wei",
    ]);
    let host = random.of(&[
        "example.com",
        "mail.example.com.hk",
        "example.org",
        "hr.example.hk",
        "example.net",
        "bank.example",
    ]);
    format!("{user}@{host}")
}

pub(crate) fn phone(random: &mut Random) -> String {
    let first =
        random.of(&["21", "23", "27", "28", "31", "36", "51", "54", "61", "67", "91", "93", "98"]);
    let (a, b) = (format!("{first}{}", random.digits(2)), random.digits(4));
    let joint = random.of(&["", " ", "-", " "]);
    format!("{a}{joint}{b}")
}

pub(crate) fn phone_abroad(random: &mut Random) -> String {
    let (a, b) = (format!("9{}", random.digits(3)), random.digits(4));
    match random.below(6) {
        0 => format!("+852 {a} {b}"),
        1 => format!("+852-{a}-{b}"),
        2 => format!("+852{a}{b}"),
        3 => format!("(852) {a} {b}"),
        4 => format!("+86 138 {} {}", random.digits(4), random.digits(4)),
        _ => format!("+44 20 7946 0{}", random.digits(3)),
    }
}

pub(crate) fn passport(random: &mut Random) -> String {
    format!("{}{}", random.of(&["K", "H", "KJ", "HJ"]), random.digits(8))
}

pub(crate) fn permit(random: &mut Random) -> String {
    let more = random.of(&["", "", "01", "02"]);
    format!("{}{}{more}", random.of(&["H", "H", "M"]), random.digits(8))
}

pub(crate) fn account(random: &mut Random) -> String {
    let bank = random.of(&["003", "004", "006", "009", "012", "015", "016", "024", "025", "072"]);
    let (branch, tail) = (random.digits(3), random.digits(6));
    match random.below(4) {
        0 => format!("{bank}-{branch}-{tail}-{}", random.digits(3)),
        1 => format!("{bank} {branch} {tail}"),
        2 => format!("{bank}{branch}{tail}"),
        _ => format!("{bank}-{branch}-{tail}"),
    }
}

pub(crate) fn business(random: &mut Random) -> String {
    let number = format!("{}{}", random.of(&["1", "2", "3", "5", "6", "7"]), random.digits(7));
    match random.below(3) {
        0 => format!(
            "{number}-000-{:02}-{}-{}",
            1 + random.below(12),
            random.digits(2),
            random.digits(1)
        ),
        _ => number,
    }
}

pub(crate) fn fps(random: &mut Random) -> String {
    let count = if random.below(2) == 0 { 7 } else { 9 };
    format!("{}{}", 1 + random.below(9), random.digits(count - 1))
}

pub(crate) fn octopus(random: &mut Random) -> String {
    let digits = format!("{}{}", 1 + random.below(9), random.digits(7));
    let sum: u32 = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(i, c)| {
            let d = c.to_digit(10).unwrap() << (i % 2);
            if d > 9 { d - 9 } else { d }
        })
        .sum();
    format!("{digits}({})", (10 - sum % 10) % 10)
}

pub(crate) fn bic(random: &mut Random) -> String {
    random
        .of(&[
            "HSBCHKHHHKH",
            "BKCHHKHH",
            "SCBLHKHH",
            "HASEHKHH",
            "DEUTDEFF",
            "CHASUS33XXX",
            "BEASHKHH",
        ])
        .to_owned()
}

pub(crate) fn address_of_machine(random: &mut Random) -> String {
    format!("10.{}.{}.{}", random.below(256), random.below(256), 1 + random.below(254))
}

const FAMILY: [&str; 24] = [
    "Chan", "Wong", "Lam", "Cheung", "Ng", "Ho", "Yip", "Kwok", "Tsang", "Siu", "Fung", "Tam",
    "Pang", "Mak", "Law", "Yuen", "Hui", "Poon", "Zhang", "Liu", "Chow", "Tse", "Leung", "Au",
];
const GIVEN: [&str; 20] = [
    "Tai Man",
    "Siu Ming",
    "Ka Wai",
    "Mei Kuen",
    "Wing Yan",
    "Chun Kit",
    "Hoi Ching",
    "Man Yee",
    "Lok Yi",
    "Kwok Keung",
    "Sze Wan",
    "Yuk Lan",
    "Chi Hang",
    "Pui Shan",
    "Ting Fung",
    "Ho Yin",
    "Wai Man",
    "Cheuk Yin",
    "Tsz Kiu",
    "Hiu Lam",
];
const WESTERN: [&str; 16] = [
    "Peter", "Jennifer", "Kenneth", "Vivian", "Raymond", "Fiona", "Jason", "Michelle", "Eric",
    "Grace", "Samuel", "Winnie", "Ivan", "Cherry", "Derek", "Phoebe",
];

pub(crate) fn name_en(random: &mut Random) -> String {
    let (family, given, western) = (random.of(&FAMILY), random.of(&GIVEN), random.of(&WESTERN));
    match random.below(8) {
        0 => format!("{} {given}", family.to_uppercase()),
        1 => format!("{}, {given}", family.to_uppercase()),
        2 => format!("{western} {family}"),
        3 => format!("{western} {family} {given}"),
        4 => format!("{family} {}", given.replace(' ', "-")),
        5 => format!("{family} {given}, {western}"),
        _ => format!("{family} {given}"),
    }
}

pub(crate) fn name_zh(random: &mut Random) -> String {
    let family = random.of(&[
        "陳", "黃", "李", "林", "張", "吳", "葉", "郭", "曾", "蕭", "馮", "譚", "彭", "麥", "羅",
        "袁", "許", "潘", "謝", "梁", "歐陽", "司徒", "鄧", "馬", "高", "王",
    ]);
    let given = random.of(&[
        "大文", "小明", "家慧", "美娟", "穎欣", "俊傑", "凱晴", "敏儀", "樂怡", "國強", "思韻",
        "玉蘭", "志恆", "佩珊", "天鳳", "浩然", "偉民", "卓賢", "子翹", "曉琳", "明", "芳", "傑",
    ]);
    format!("{family}{given}")
}

pub(crate) fn name_cn(random: &mut Random) -> String {
    let family = random.of(&[
        "陈", "黄", "李", "张", "吴", "叶", "刘", "赵", "杨", "周", "孙", "郑", "谢", "欧阳", "邓",
        "王",
    ]);
    let given = random.of(&[
        "伟", "建国", "晓明", "丽华", "志强", "雨欣", "子涵", "浩", "秀英", "国庆", "婷婷", "文静",
        "俊杰",
    ]);
    format!("{family}{given}")
}

pub(crate) fn address_en(random: &mut Random) -> String {
    let (room, floor) = (random.letters("ABCDEFGH", 1), 1 + random.below(45));
    let (number, block) = (1 + random.below(400), 1 + random.below(9));
    let street = random.of(&[
        "Nathan Road",
        "Hennessy Road",
        "Castle Peak Road",
        "Queen's Road East",
        "King's Road",
        "Argyle Street",
        "Prince Edward Road West",
        "Tai Po Road",
        "Jaffe Road",
        "Yee Wo Street",
    ]);
    let place = random.of(&[
        "Mong Kok, Kowloon",
        "Wan Chai, Hong Kong",
        "Kwun Tong",
        "Tsuen Wan, N.T.",
        "North Point",
        "Sham Shui Po, Kowloon",
        "Causeway Bay",
        "Yuen Long, New Territories",
    ]);
    let house = random.of(&[
        "Fortune Building",
        "Harbour View Court",
        "Wing Fat Mansion",
        "Metro Centre",
        "Golden Plaza",
    ]);
    match random.below(5) {
        0 => format!("Flat {room}, {floor}/F, {house}, {number} {street}, {place}"),
        1 => format!("Room {floor}0{block}, {floor}/F., {house}, No. {number} {street}, {place}"),
        2 => format!("{number} {street}, {place}"),
        3 => format!("Unit {block}, {floor}/F, Block {block}, {house}, {place}"),
        _ => format!(
            "FLAT {room} {floor}/F {} {number} {} {}",
            house.to_uppercase(),
            street.to_uppercase(),
            place.to_uppercase()
        ),
    }
}

pub(crate) fn address_zh(random: &mut Random) -> String {
    let (room, floor) = (random.letters("ABCDEFGH", 1), 1 + random.below(45));
    let (number, block) = (1 + random.below(400), 1 + random.below(9));
    let place = random.of(&[
        "九龍旺角",
        "香港灣仔",
        "新界沙田",
        "九龍觀塘",
        "新界元朗",
        "香港北角",
        "葵涌",
    ]);
    let street = random.of(&[
        "彌敦道",
        "軒尼詩道",
        "鴨脷洲大街",
        "青山公路",
        "英皇道",
        "牛頭角道",
        "大埔道",
    ]);
    let house =
        random.of(&["幸福大廈", "海景花園", "永發樓", "新都城中心", "金輝閣", "富強工業大廈"]);
    match random.below(5) {
        0 => format!("{place}{street}{number}號{house}{floor}樓{room}室"),
        1 => format!("{place}{house}第{block}座{floor}樓{room}室"),
        2 => format!("{street}{number}號{floor}樓"),
        3 => format!("{place}{street}{number}號地下"),
        _ => format!("{place}{street} {number} 號{house} {floor} 樓 {room} 室"),
    }
}

pub(crate) fn address_cn(random: &mut Random) -> String {
    let (number, floor) = (1 + random.below(300), 1 + random.below(30));
    let place = random.of(&[
        "广东省深圳市南山区",
        "北京市朝阳区",
        "上海市浦东新区",
        "广州市天河区",
        "香港九龙旺角",
    ]);
    let street = random.of(&["科技园路", "建国路", "世纪大道", "体育西路", "弥敦道", "深南大道"]);
    match random.below(3) {
        0 => format!("{place}{street}{number}号"),
        1 => format!("{place}{street}{number}号{floor}楼{}室", 100 + random.below(900)),
        _ => format!(
            "{place}{street}{number}号院{}号楼{}单元{}室",
            1 + random.below(9),
            1 + random.below(4),
            100 + random.below(900)
        ),
    }
}
