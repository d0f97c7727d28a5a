//! Prints the hits of files of any encoding as JSON lines, for a score script:
//! `predict_files ROOT FILE…`. Places are bytes of the text decoded to UTF-8.
#![expect(clippy::print_stdout, reason = "an example speaks on standard output")]

use detect::Kind;
use extract::{Detectors, Settings, SettingsError, spans};
use std::path::Path;

fn main() -> Result<(), SettingsError> {
    let detectors = Detectors::new(&Settings::everything([0; 32]))?;
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().unwrap_or_default();
    for file in arguments {
        let bytes = std::fs::read(Path::new(&root).join(&file)).unwrap_or_default();
        for span in spans(&bytes, &detectors).1 {
            let Some(kind) = label(span.kind.0) else { continue };
            let (start, end) = (span.start, span.end);
            println!(r#"{{"file":"{file}","start":{start},"end":{end},"type":"{kind}"}}"#);
        }
    }
    Ok(())
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
        _ => return None,
    })
}
