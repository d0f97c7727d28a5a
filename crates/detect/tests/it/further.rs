//! Precision and recall for the kinds that the other documents hold little of: births, plates,
//! salaries, addresses of machines, machine-readable lines, Macau and Taiwan; and for names,
//! telephone and card numbers in forms that fewer hands write.

use crate::forms;
use crate::values::{self as v, Random};
use crate::variety::{Labelled, Scores, print, score};
use detect::{Confidence, Kind, scan};

const KINDS: [Kind; 14] = [
    Kind::MacauIdentity,
    Kind::TaiwanIdentity,
    Kind::MacAddress,
    Kind::Url,
    Kind::DateOfBirth,
    Kind::VehiclePlate,
    Kind::Salary,
    Kind::Bic,
    Kind::IpAddress,
    Kind::TravelDocument,
    Kind::PersonName,
    Kind::Phone,
    Kind::PaymentCard,
    Kind::HongKongIdentityCard,
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn wide(text: &str) -> String {
    let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).filter(|_| c.is_ascii_graphic());
    text.chars().map(|c| wide(c).unwrap_or(c)).collect()
}

fn birth(r: &mut Random) -> String {
    let (year, month, day) = (1940 + r.below(70), 1 + r.below(12), 1 + r.below(28));
    let name = MONTHS[usize::try_from(month - 1).unwrap()];
    let short = name.get(..3).unwrap();
    match r.below(9) {
        0 => format!("{year}-{month:02}-{day:02}"),
        1 => format!("{day:02}/{month:02}/{year}"),
        2 => format!("{day} {name} {year}"),
        3 => format!("{name} {day}, {year}"),
        4 => format!("{year}{month:02}{day:02}"),
        5 => format!("{day:02}-{}-{year}", short.to_uppercase()),
        6 => format!("{year}/{month}/{day}"),
        7 => format!("{day:02}.{month:02}.{year}"),
        _ => format!("{short} {day} {year}"),
    }
}

fn birth_zh(r: &mut Random) -> String {
    let (year, month, day) = (1940 + r.below(70), 1 + r.below(12), 1 + r.below(28));
    match r.below(4) {
        0 => format!("{year}-{month:02}-{day:02}"),
        1 => format!("{year} 年 {month} 月 {day} 日"),
        2 => format!("{year}/{month:02}/{day:02}"),
        _ => format!("{year}年{month}月{day}日"),
    }
}

fn taiwan(r: &mut Random) -> String {
    const ORDER: &str = "ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let letter = r.letters(ORDER, 1);
    let region = 10 + u32::try_from(ORDER.find(&letter).unwrap()).unwrap();
    let digits = format!("{}{}", r.of(&["1", "2", "8", "9"]), r.digits(7));
    let values = digits.chars().map(|c| c.to_digit(10).unwrap());
    let sum: u32 = values.zip([8, 7, 6, 5, 4, 3, 2, 1]).map(|(d, w)| d * w).sum();
    let check = (10 - (region / 10 + region % 10 * 9 + sum) % 10) % 10;
    format!("{letter}{digits}{check}")
}

fn hardware(r: &mut Random) -> String {
    let pairs: Vec<String> = (0..6).map(|_| r.hex(2)).collect();
    match r.below(4) {
        0 => pairs.join(":").to_uppercase(),
        1 => pairs.join("-").to_uppercase(),
        2 => pairs.join("-"),
        _ => pairs.join(":"),
    }
}

fn url(r: &mut Random) -> String {
    let (scheme, host) = (
        r.of(&["https", "http", "ftp", "HTTPS"]),
        r.of(&["www.example.com", "portal.example.hk", "10.1.2.3", "example.org:8443"]),
    );
    let path = r.of(&["", "/", "/a/b.html", "/%E4%B8%AD/x", "/login#top", "/~user/index.php"]);
    format!("{scheme}://{host}{path}")
}

fn salary(r: &mut Random) -> String {
    let sum = 8 + r.below(190);
    match r.below(4) {
        0 => format!("{sum},{:03}.00", r.below(1_000)),
        1 => format!("{sum}{:03}", r.below(1_000)),
        2 => format!("1,{:03},{:03}", r.below(1_000), r.below(1_000)),
        _ => format!("{sum},{}00", r.below(10)),
    }
}

fn check(field: &str) -> u32 {
    let value = |c: char| c.to_digit(36).unwrap_or(0);
    field.chars().zip([7, 3, 1].into_iter().cycle()).map(|(c, w)| value(c) * w).sum::<u32>() % 10
}

fn dated(r: &mut Random) -> String {
    let date = format!("{:02}{:02}{:02}", r.below(99), 1 + r.below(12), 1 + r.below(28));
    format!("{date}{}", check(&date))
}

fn machine_readable(name: &str, r: &mut Random) -> String {
    let (birth, expiry) = (dated(r), dated(r));
    let number = format!("{}{}", r.letters("EHKLP", 1), r.digits(8));
    let number = format!("{number}{}", check(&number));
    match name {
        "MrzFirst" => format!("{:<<44}", "P<CHNCHAN<<TAI<MAN"),
        "MrzSecond" => format!("{:<<43}{}", format!("{number}CHN{birth}M{expiry}"), r.below(10)),
        "MrzCardA" => format!("{:<<30}", format!("I<PRT{number}")),
        _ => format!("{:<<29}{}", format!("{birth}F{expiry}PRT"), r.below(10)),
    }
}

fn phone_odd(r: &mut Random) -> String {
    let digits = format!("{}{}", r.of(&["2", "3", "5", "6", "9"]), r.digits(7));
    let part = |from: usize, to: usize| digits.get(from..to).unwrap();
    match r.below(8) {
        0 => format!("{} {} {}", part(0, 4), part(4, 6), part(6, 8)),
        1 => format!("{} {} {} {}", part(0, 2), part(2, 4), part(4, 6), part(6, 8)),
        2 => format!("{}-{}-{}", part(0, 3), part(3, 6), part(6, 8)),
        3 => format!("{}.{}", part(0, 4), part(4, 8)),
        4 => format!("{} {}", part(0, 3), part(3, 8)),
        5 => format!("852-{}-{}", part(0, 4), part(4, 8)),
        6 => format!("852 {digits}"),
        _ => format!("(852){}-{}", part(0, 4), part(4, 8)),
    }
}

fn value(name: &str, r: &mut Random) -> Option<(Kind, String)> {
    Some(match name {
        "Birth" => (Kind::DateOfBirth, birth(r)),
        "BirthIso" => {
            let (year, month, day) = (1940 + r.below(70), 1 + r.below(12), 1 + r.below(28));
            (Kind::DateOfBirth, format!("{year}-{month:02}-{day:02}"))
        }
        "BirthZh" => (Kind::DateOfBirth, birth_zh(r)),
        "BirthWide" => (Kind::DateOfBirth, wide(&format!("19{}年", 50 + r.below(50))) + "５月６日"),
        "Macau" => {
            let number = format!("{}{}", r.of(&["1", "5", "7"]), r.digits(6));
            (Kind::MacauIdentity, format!("{number}({})", r.digits(1)))
        }
        "Taiwan" => (Kind::TaiwanIdentity, taiwan(r)),
        "Mac" => (Kind::MacAddress, hardware(r)),
        "Url" => (Kind::Url, url(r)),
        "Salary" => (Kind::Salary, salary(r)),
        "SalaryPlain" => (Kind::Salary, salary(r).replace(',', "")),
        "Plate" => {
            let (letters, digits) = (r.letters("ABCDEFGHJKLMNPRSTUVWXYZ", 2), 1 + r.below(9_999));
            (Kind::VehiclePlate, format!("{letters}{}{digits}", r.of(&["", " "])))
        }
        "BicHk" => (Kind::Bic, r.of(&["HSBCHKHH", "BKCHHKHHXXX", "HASEHKHH", "CITIHKHX"]).into()),
        "BicAny" => (Kind::Bic, v::bic(r)),
        "IpSix" => (
            Kind::IpAddress,
            format!("fe80::{}:{}ff:fe{}:{}", r.hex(4), r.hex(2), r.hex(2), r.hex(4)),
        ),
        "MrzFirst" | "MrzSecond" | "MrzCardA" | "MrzCardB" => {
            (Kind::TravelDocument, machine_readable(name, r))
        }
        "NameShort" => {
            let family =
                r.of(&["陳", "黃", "李", "林", "張", "吳", "何", "郭", "曾", "馮", "梁", "鄧"]);
            let given =
                r.of(&["明", "芳", "傑", "欣", "強", "華", "麗", "敏", "勇", "靜", "偉", "珊"]);
            (Kind::PersonName, format!("{family}{given}"))
        }
        "PersonMore" => (Kind::PersonName, person_more(r)),
        "PhoneOdd" => (Kind::Phone, phone_odd(r)),
        "PhoneWide" => (Kind::Phone, wide(&format!("9{}", r.digits(7)))),
        "HkidWide" => {
            (Kind::HongKongIdentityCard, wide(&v::hkid(r).replace(['（', '）', ' '], "")))
        }
        "CardWide" => (Kind::PaymentCard, wide(&v::card_plain(r))),
        "Diners" => (Kind::PaymentCard, v::diners(r)),
        _ => return None,
    })
}

fn person_more(r: &mut Random) -> String {
    let family = r.of(&[
        "Fernandes",
        "Silva",
        "Xavier",
        "Rozario",
        "Remedios",
        "Gomes",
        "Pereira",
        "Rodrigues",
        "Sousa",
        "Gurung",
        "Thapa",
        "Limbu",
        "Sharma",
        "Gupta",
        "Mehta",
        "Shroff",
        "Harilela",
        "Daswani",
        "Bautista",
        "Mendoza",
        "Villanueva",
        "Castillo",
        "Aquino",
        "D'Souza",
        "Kadoorie",
        "Hotung",
        "Sassoon",
        "Iyer",
        "Reddy",
        "Hussain",
        "Rahman",
        "Chaudhry",
        "O'Connor",
        "McDonald",
    ]);
    let given = r.of(&[
        "Maria", "Jose", "Anil", "Priya", "Rajesh", "Antonio", "Teresa", "Michael", "Sunita",
        "Mohammed", "Carlos", "Rosa", "Deepak", "Lourdes", "Angelica", "Patrick", "Fatima",
    ]);
    format!("{given} {family}")
}

fn documents() -> Vec<Labelled> {
    let mut all = Vec::new();
    for round in 0..8 {
        for (place, form) in forms::further().into_iter().enumerate() {
            let mut random = Random::new(9_000 + round * 1_000 + place as u64);
            let mut made = Labelled::default();
            (0..4).for_each(|_| made.add_with(form, &mut random, value));
            all.push(made);
        }
        for (place, (rows, header, row)) in forms::further_tables().into_iter().enumerate() {
            let mut random = Random::new(19_000 + round * 1_000 + place as u64);
            let mut made = Labelled::default();
            made.text.push_str(header);
            (0..rows).for_each(|_| made.add_with(row, &mut random, value));
            all.push(made);
        }
    }
    all
}

#[test]
fn kinds_that_few_documents_hold_are_found_as_surely() {
    let mut scores = Scores::new();
    documents().iter().for_each(|made| score(made, &KINDS, &mut scores));
    print(&scores);
    for (kind, counts) in &scores {
        let (precision, recall) = match kind {
            Kind::HongKongIdentityCard | Kind::PaymentCard => (0.99, 0.98),
            Kind::PersonName => (0.90, 0.80),
            _ => (0.95, 0.90),
        };
        assert!(counts.precision() >= precision, "precision of {kind:?}: {counts:?}");
        assert!(counts.recall() >= recall, "recall of {kind:?}: {counts:?}");
    }
}

#[test]
fn texts_without_these_kinds_give_next_to_nothing() {
    let (mut random, mut bytes, mut wrong) = (Random::new(11), 0, 0);
    for form in forms::further_empty() {
        let mut made = Labelled::default();
        while made.text.len() < 60_000 {
            made.add(form, &mut random);
        }
        bytes += made.text.len();
        let mut scores = Scores::new();
        score(&made, &KINDS, &mut scores);
        wrong += scores.values().map(|counts| counts.wrong).sum::<u32>();
        assert_eq!(scores.get(&Kind::PaymentCard).map_or(0, |c| c.wrong), 0, "{form}");
    }
    assert!(f64::from(wrong) <= 5.0 * bytes as f64 / 1e6, "{wrong} in {bytes} bytes");
}

#[test]
fn words_of_health_mark_a_document() {
    let found = |text: &str| {
        let hits = detect::document(text.as_bytes()).hits;
        hits.iter().any(|h| h.kind == Kind::Health && h.confidence > Confidence::Possible)
    };
    for text in [
        "Medical certificate: the patient was diagnosed with Type 2 diabetes.",
        "病人確診高血壓，需長期服藥",
        "患者确诊糖尿病",
        "Claim for chemotherapy, ICD-10 C50",
    ] {
        assert!(found(text), "{text}");
    }
    for text in ["The bank is in good health.", "health check endpoint /health", "財務健康"] {
        assert!(!found(text), "{text}");
    }
    assert!(scan(b"").is_empty());
}
