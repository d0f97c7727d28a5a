//! Precision and recall for secrets, over files as they leak: settings, programs, shells, mail.
//! Every value is put together here, so that no file of ours holds one.

use crate::forms::{no_secrets, secrets};
use crate::values::Random;
use crate::variety::{Labelled, print, score};
use detect::Kind;
use std::collections::BTreeMap;

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// What the form calls by this name.
pub(crate) fn secret(name: &str, r: &mut Random) -> Option<String> {
    let any = |r: &mut Random, n| r.letters(LETTERS, n);
    let pem = |label: &str, r: &mut Random, end: &str| {
        let lines: Vec<String> = (0..6).map(|_| r.letters(BASE64, 64)).collect();
        let mark = |edge: &str| format!("-----{edge} {label}PRIVATE {}-----", "KEY");
        format!("{}{end}{}{end}{}", mark("BEGIN"), lines.join(end), mark("END"))
    };
    Some(match name {
        "AwsId" => {
            format!("{}IA{}", r.of(&["AK", "AS"]), r.letters("ABCDEFGHIJKLMNPQRSTUVWXYZ234567", 16))
        }
        "AwsSecret" => r.letters(BASE64, 40),
        "Ghp" => format!("{}_{}", r.of(&["ghp", "gho", "ghs"]), any(r, 36)),
        "GithubPat" => format!("github_{}_{}_{}", "pat", any(r, 22), any(r, 59)),
        "Glpat" => format!("gl{}-{}", "pat", r.letters(URL, 20)),
        "Npm" => format!("npm{}{}", "_", any(r, 36)),
        "Xoxb" => format!("xox{}-{}-{}-{}", "b", r.digits(12), r.digits(12), any(r, 24)),
        "SlackHook" => format!(
            "https://hooks.{}.com/services/T{}/B{}/{}",
            "slack",
            r.letters("ABCDEFGH0123", 8),
            r.letters("ABCDEFGH0123", 8),
            any(r, 24)
        ),
        "Stripe" => format!("{}_live_{}", r.of(&["sk", "rk"]), any(r, 24)),
        "Aiza" => format!("AI{}{}", "za", r.letters(URL, 35)),
        "AzureKey" => format!("{}==", r.letters(BASE64, 86)),
        "SasSig" => format!("{}%2B{}%3D", any(r, 20), any(r, 22)),
        "PemJson" => pem("", r, "\\n"),
        "Pem" => pem(r.of(&["RSA ", "EC ", "", "DSA "]), r, "\n"),
        "PemSsh" => pem("OPENSSH ", r, "\n"),
        "PemEncrypted" => pem("ENCRYPTED ", r, "\n"),
        "Ltai" => format!("LT{}{}", "AI", any(r, 20)),
        "Alnum30" => any(r, 30),
        "Alnum40" => any(r, 40),
        "Opaque" => r.letters(URL, 43),
        "Twilio" => format!("S{}{}", "K", r.hex(32)),
        "Hex32" => r.hex(32),
        "Hex64" => r.hex(64),
        "B64of32" => format!("{}=", r.letters(BASE64, 43)),
        "Sendgrid" => format!("S{}.{}.{}", "G", r.letters(URL, 22), r.letters(URL, 43)),
        "Pypi" => format!("py{}-AgEIcHlwaS5vcmc{}", "pi", r.letters(URL, 80)),
        "Hf" => format!("h{}_{}", "f", any(r, 34)),
        "Jwt" => format!("ey{}{}.eyJ{}.{}", "J", any(r, 33), any(r, 60), r.letters(URL, 43)),
        "Password" => {
            let word =
                r.of(&["Summer", "harbour", "Tiger", "kowloon", "Welcome", "P@ssw0rd", "zX9"]);
            format!("{word}{}{}{}", r.of(&["!", "#", "-", "@", "_"]), r.digits(4), any(r, 3))
        }
        "UrlPassword" => format!("{}{}", any(r, 8), r.digits(2)),
        "Mixed" => format!("{}{}{}", any(r, 6), r.digits(2), r.letters("abcdef", 2)),
        "Apr1" => format!("$apr1${}${}", any(r, 8), any(r, 22)),
        "Bcrypt" => format!("$2{}$12${}", r.of(&["a", "b", "y"]), any(r, 53)),
        "Shadow" => format!("$6${}${}", any(r, 16), any(r, 86)),
        _ => return None,
    })
}

fn score_all(forms: &[&str], rounds: u64) -> (BTreeMap<Kind, crate::variety::Counts>, usize) {
    let mut scores = BTreeMap::new();
    let mut bytes = 0;
    for round in 0..rounds {
        for (place, form) in (0..).zip(forms) {
            let mut random = Random::new(90_000 + round * 1_000 + place);
            let mut made = Labelled::default();
            made.add(form, &mut random);
            bytes += made.text.len();
            score(&made, &[Kind::Secret], &mut scores);
        }
    }
    print(&scores);
    (scores, bytes)
}

#[test]
fn secrets_are_found_in_files_as_they_leak() {
    let (scores, _) = score_all(&secrets(), 20);
    let counts = scores.get(&Kind::Secret).copied().unwrap_or_default();
    assert!(counts.precision() >= 0.95, "{counts:?}");
    assert!(counts.recall() >= 0.90, "{counts:?}");
}

#[test]
fn placeholders_hashes_and_programs_hold_no_secrets() {
    let (scores, bytes) = score_all(&no_secrets(), 40);
    let wrong = scores.get(&Kind::Secret).map_or(0, |c| c.wrong);
    assert!(f64::from(wrong) <= 5.0 * bytes as f64 / 1e6, "{wrong} in {bytes} bytes");
}
