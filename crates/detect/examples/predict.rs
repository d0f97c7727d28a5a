//! Prints the hits of UTF-8 files as JSON lines, for a score script: `predict ROOT FILE…`.
#![expect(clippy::print_stdout, reason = "an example speaks on standard output")]

use detect::{Confidence, Kind};
use std::path::Path;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().unwrap_or_default();
    for file in arguments {
        let text = std::fs::read(Path::new(&root).join(&file)).unwrap_or_default();
        for hit in detect::document(&text).hits {
            let Some(kind) = label(hit.kind).filter(|_| hit.confidence > Confidence::Possible)
            else {
                continue;
            };
            let (start, end) = (hit.start, hit.end);
            println!(r#"{{"file":"{file}","start":{start},"end":{end},"type":"{kind}"}}"#);
        }
    }
}

/// The score script's word for a kind.
const fn label(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::HongKongIdentityCard => "HKID",
        Kind::PaymentCard => "CREDIT_CARD",
        Kind::MainlandIdentity => "CN_RESIDENT_ID",
        Kind::Iban => "IBAN",
        Kind::Email => "EMAIL",
        Kind::HongKongPassport => "HK_PASSPORT",
        Kind::HomeReturnPermit => "HOME_RETURN_PERMIT",
        Kind::Phone => "PHONE",
        Kind::BankAccount => "HK_BANK_ACCOUNT",
        Kind::FpsIdentifier => "FPS_ID",
        Kind::Octopus => "OCTOPUS",
        Kind::BusinessRegistration => "HK_BR_NUMBER",
        Kind::Bic => "SWIFT_BIC",
        Kind::IpAddress => "IP_ADDRESS",
        Kind::PersonName => "PERSON",
        Kind::Address => "ADDRESS",
        Kind::Secret => "SECRET",
        _ => return None,
    })
}
