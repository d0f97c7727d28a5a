//! Prints the hits of files as JSON lines, for a score script: `predict ROOT FILE…`.
#![expect(clippy::print_stdout, reason = "an example speaks on standard output")]

use detect::Kind;
use std::path::Path;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().unwrap_or_default();
    for file in arguments {
        let text = std::fs::read(Path::new(&root).join(&file)).unwrap_or_default();
        for hit in detect::scan(&text) {
            let kind = match hit.kind {
                Kind::HongKongIdentityCard => "HKID",
                Kind::PaymentCard => "CREDIT_CARD",
                Kind::MainlandIdentity => "CN_RESIDENT_ID",
                Kind::Iban => "IBAN",
                Kind::Email => "EMAIL",
            };
            let (start, end) = (hit.start, hit.end);
            println!(r#"{{"file":"{file}","start":{start},"end":{end},"type":"{kind}"}}"#);
        }
    }
}
