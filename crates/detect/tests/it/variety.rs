//! Precision and recall over documents that no detector was written for: letters, forms, chats,
//! tables, messages between banks, dumps, logs and programs, and texts that hold nothing.

use crate::forms::{empty, holding, tables};
use crate::values::{self as v, Random};
use detect::{Confidence, Kind, document};
use std::collections::BTreeMap;

/// A text and what it holds: first byte, byte after the last, kind.
#[derive(Default)]
pub(crate) struct Labelled {
    pub(crate) text: String,
    labels: Vec<(usize, usize, Kind)>,
}

impl Labelled {
    pub(crate) fn add(&mut self, form: &str, random: &mut Random) {
        self.add_with(form, random, |_, _| None);
    }

    /// The same, with values of further names.
    pub(crate) fn add_with(
        &mut self,
        form: &str,
        random: &mut Random,
        further: fn(&str, &mut Random) -> Option<(Kind, String)>,
    ) {
        let mut rest = form;
        while let Some((before, after)) = rest.split_once('{') {
            self.text.push_str(before);
            let named = after.split_once('}').filter(|(name, _)| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric())
            });
            let Some((name, more)) = named else {
                // A brace of the text itself.
                self.text.push('{');
                rest = after;
                continue;
            };
            rest = more;
            let start = self.text.len();
            match further(name, random).or_else(|| value(name, random)) {
                Some((kind, value)) => {
                    self.text.push_str(&value);
                    self.labels.push((start, self.text.len(), kind));
                }
                None => self.text.push_str(&filler(name, random)),
            }
        }
        self.text.push_str(rest);
    }
}

fn value(name: &str, r: &mut Random) -> Option<(Kind, String)> {
    Some(match name {
        "Hkid" => (Kind::HongKongIdentityCard, v::hkid(r)),
        "HkidBare" => (Kind::HongKongIdentityCard, v::hkid_bare(r)),
        "Card" => (Kind::PaymentCard, v::card(r)),
        "CardPlain" => (Kind::PaymentCard, v::card_plain(r)),
        "Mainland" => (Kind::MainlandIdentity, v::mainland(r)),
        "Iban" => (Kind::Iban, v::iban(r)),
        "IbanPlain" => (Kind::Iban, v::iban(r).replace(' ', "")),
        "Email" => (Kind::Email, v::email(r)),
        "Phone" => (Kind::Phone, v::phone(r)),
        "PhoneAbroad" => (Kind::Phone, v::phone_abroad(r)),
        "PhonePlus" => (Kind::Phone, format!("+8529{}", r.digits(7))),
        "MobileCn" => (Kind::Phone, format!("1{}{}", r.of(&["38", "59", "86", "77"]), r.digits(8))),
        "Passport" => (Kind::HongKongPassport, v::passport(r)),
        "Permit" => (Kind::HomeReturnPermit, v::permit(r)),
        "Account" => (Kind::BankAccount, v::account(r)),
        "AccountPlain" => (Kind::BankAccount, v::account(r).replace([' ', '-'], "")),
        "Business" => (Kind::BusinessRegistration, v::business(r)),
        "Fps" => (Kind::FpsIdentifier, v::fps(r)),
        "Octopus" => (Kind::Octopus, v::octopus(r)),
        "Bic" => (Kind::Bic, v::bic(r)),
        "Ip" => (Kind::IpAddress, v::address_of_machine(r)),
        "Person" => (Kind::PersonName, v::name_en(r)),
        "PersonPlain" => (Kind::PersonName, v::name_en(r).replace(',', "")),
        "PersonCaps" => (Kind::PersonName, v::name_en(r).to_uppercase().replace(',', "")),
        "Name" => (Kind::PersonName, v::name_zh(r)),
        "NameCn" => (Kind::PersonName, v::name_cn(r)),
        "Address" | "AddressEn" => (Kind::Address, v::address_en(r)),
        "AddressZh" => (Kind::Address, v::address_zh(r)),
        "AddressCn" => (Kind::Address, v::address_cn(r)),
        other => (Kind::Secret, crate::secrets::secret(other, r)?),
    })
}

fn filler(name: &str, r: &mut Random) -> String {
    let count = |prefix: &str| name.strip_prefix(prefix).and_then(|n| n.parse::<usize>().ok());
    if let Some(n) = count("hash") {
        return r.hex(n);
    }
    if let Some(n) = count("n") {
        return format!("{}{}", 1 + r.below(9), r.digits(n - 1));
    }
    match name {
        "nothing" => String::new(),
        "n7p" => r.digits(7),
        "n7x" => {
            let id = v::hkid_bare(r);
            let wrong = (id.as_bytes()[7].wrapping_sub(b'0') + 1) % 10;
            format!("{}{wrong}", id.get(1..7).unwrap())
        }
        "date" => format!("202{}-{:02}-{:02}", r.below(6), 1 + r.below(12), 1 + r.below(28)),
        "dateZh" => format!("202{}年{}月{}日", r.below(6), 1 + r.below(12), 1 + r.below(28)),
        "time" => format!("{:02}:{:02}:{:02}", r.below(24), r.below(60), r.below(60)),
        "amount" => format!("{}.{}", 1 + r.below(99_999), r.digits(2)),
        "western" => r.of(&["Peter", "Fiona", "Jason", "Grace"]).to_owned(),
        "uuid" => {
            let parts = [8, 4, 4, 4, 12].map(|n| r.hex(n));
            parts.join("-")
        }
        "base64" => {
            r.letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 76)
        }
        "cardWrong" => {
            let card = v::card_plain(r);
            let (head, last) = card.split_at(card.len() - 1);
            format!(
                "{head}{}",
                (last.parse::<u32>().unwrap() + 1 + u32::try_from(r.below(9)).unwrap()) % 10
            )
        }
        "mainlandWrong" => {
            let id = v::mainland(r);
            let (head, last) = id.split_at(17);
            let value = last.parse::<u32>().unwrap_or(10);
            format!("{head}{}", (value + 1 + u32::try_from(r.below(8)).unwrap()) % 10)
        }
        "ibanWrong" => {
            let iban = v::iban(r).replace(' ', "");
            let check: u32 = iban.get(2..4).unwrap().parse().unwrap();
            format!(
                "{}{:02}{}",
                iban.get(..2).unwrap(),
                (check + 1 + u32::try_from(r.below(90)).unwrap()) % 97 + 2,
                iban.get(4..).unwrap()
            )
        }
        other => panic!("no filler `{other}`"),
    }
}

#[derive(Default, Debug, Clone, Copy)]
pub(crate) struct Counts {
    right: u32,
    pub(crate) wrong: u32,
    missed: u32,
    exact: u32,
}

impl Counts {
    pub(crate) fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }

    pub(crate) fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missed).max(1))
    }
}

pub(crate) type Scores = BTreeMap<Kind, Counts>;

/// Kinds that are labelled wherever they stand.
const LABELLED: [Kind; 16] = [
    Kind::HongKongIdentityCard,
    Kind::PaymentCard,
    Kind::MainlandIdentity,
    Kind::Iban,
    Kind::Email,
    Kind::HongKongPassport,
    Kind::HomeReturnPermit,
    Kind::Phone,
    Kind::BankAccount,
    Kind::FpsIdentifier,
    Kind::Octopus,
    Kind::BusinessRegistration,
    Kind::Bic,
    Kind::IpAddress,
    Kind::PersonName,
    Kind::Address,
];

/// Matches hits with labels: of one kind, overlapping by more than half of the label.
pub(crate) fn score(document_of: &Labelled, kinds: &[Kind], scores: &mut Scores) {
    let shown = std::env::var_os("DETECT_SHOW").is_some();
    let text = &document_of.text;
    let found: Vec<(usize, usize, Kind)> = document(text.as_bytes())
        .hits
        .into_iter()
        .filter(|h| h.confidence > Confidence::Possible && kinds.contains(&h.kind))
        .map(|h| (h.start, h.end, h.kind))
        .collect();
    let mut used = vec![false; found.len()];
    let around = |start: usize, end: usize| {
        let from = (start.saturating_sub(40)..=start).find(|i| text.is_char_boundary(*i));
        let to = (end..=text.len().min(end + 20)).rev().find(|i| text.is_char_boundary(*i));
        let part =
            |a: usize, b: usize| String::from_utf8_lossy(&text.as_bytes()[a..b]).into_owned();
        format!("{}>>{}<<{}", part(from.unwrap(), start), part(start, end), part(end, to.unwrap()))
    };
    for (start, end, kind) in &document_of.labels {
        let counts = scores.entry(*kind).or_default();
        let overlap = |f: &(usize, usize, Kind)| f.1.min(*end).saturating_sub(f.0.max(*start));
        let place = found
            .iter()
            .enumerate()
            .position(|(i, f)| !used[i] && f.2 == *kind && overlap(f) * 2 > end - start);
        match place {
            Some(place) => {
                used[place] = true;
                counts.right += 1;
                counts.exact += u32::from((found[place].0, found[place].1) == (*start, *end));
            }
            None => {
                counts.missed += 1;
                if shown {
                    println!("missed {kind:?} {:?}", around(*start, *end));
                }
            }
        }
    }
    for (i, (start, end, kind)) in found.iter().enumerate() {
        if !used[i] {
            scores.entry(*kind).or_default().wrong += 1;
            if shown {
                println!("wrong {kind:?} {:?}", around(*start, *end));
            }
        }
    }
}

pub(crate) fn print(scores: &Scores) {
    for (kind, c) in scores {
        println!(
            "{:24} {:5} {:5} {:5}  {:.3} {:.3}  exact {:.3}",
            kind.word(),
            c.right,
            c.wrong,
            c.missed,
            c.precision(),
            c.recall(),
            f64::from(c.exact) / f64::from(c.right.max(1)),
        );
    }
}

fn documents(rounds: u64) -> Vec<Labelled> {
    let mut all = Vec::new();
    for round in 0..rounds {
        for (place, form) in holding().into_iter().enumerate() {
            let mut random = Random::new(round * 1_000 + place as u64);
            let mut made = Labelled::default();
            for _ in 0..4 {
                made.add(form, &mut random);
            }
            all.push(made);
        }
        for (place, (rows, header, row)) in tables().into_iter().enumerate() {
            let mut random = Random::new(round * 1_000 + 500 + place as u64);
            let mut made = Labelled::default();
            made.text.push_str(header);
            for _ in 0..rows {
                made.add(row, &mut random);
            }
            all.push(made);
        }
    }
    all
}

#[test]
fn documents_of_many_hands_give_what_they_hold() {
    let mut scores = Scores::new();
    for made in documents(8) {
        score(&made, &LABELLED, &mut scores);
    }
    print(&scores);
    for (kind, counts) in &scores {
        let (precision, recall) = match kind {
            Kind::HongKongIdentityCard
            | Kind::PaymentCard
            | Kind::MainlandIdentity
            | Kind::Iban
            | Kind::Email => (0.99, 0.98),
            Kind::PersonName | Kind::Address => (0.90, 0.80),
            _ => (0.95, 0.90),
        };
        assert!(counts.precision() >= precision, "precision of {kind:?}: {counts:?}");
        assert!(counts.recall() >= recall, "recall of {kind:?}: {counts:?}");
    }
}

#[test]
fn texts_that_hold_nothing_give_next_to_nothing() {
    let mut random = Random::new(7);
    let mut scores = Scores::new();
    let mut bytes = 0;
    for form in empty() {
        let mut made = Labelled::default();
        while made.text.len() < 60_000 {
            made.add(form, &mut random);
        }
        bytes += made.text.len();
        score(&made, &LABELLED, &mut scores);
    }
    print(&scores);
    let wrong: u32 = scores.values().map(|c| c.wrong).sum();
    assert!(f64::from(wrong) <= 5.0 * bytes as f64 / 1e6, "{wrong} in {bytes} bytes");
    for kind in [Kind::PaymentCard, Kind::Iban, Kind::MainlandIdentity] {
        assert_eq!(scores.get(&kind).map_or(0, |c| c.wrong), 0, "{kind:?}");
    }
}
