//! What may be shown of a hit. The default for identity card numbers follows the PCPD's code of
//! practice: the number cannot be deduced from what is shown.

use crate::Kind;

/// The value as it may be shown: `A12****(*)`, `****1111`, `a***@example.com`.
#[must_use]
pub fn mask(kind: Kind, value: &str) -> String {
    let plain: String = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    match kind {
        Kind::HongKongIdentityCard => {
            let letters: String = plain.chars().take_while(|c| c.is_alphabetic()).collect();
            let digits: String = plain.chars().skip(letters.chars().count()).take(2).collect();
            format!("{letters}{digits}****(*)")
        }
        Kind::PaymentCard => format!("****{}", tail(&plain, 4)),
        Kind::MainlandIdentity => {
            format!("{}************", plain.chars().take(6).collect::<String>())
        }
        Kind::Iban => format!("{}****", plain.chars().take(4).collect::<String>()),
        Kind::Email => {
            let (local, domain) = value.split_once('@').unwrap_or((value, ""));
            format!("{}***@{domain}", local.chars().take(1).collect::<String>())
        }
    }
}

fn tail(text: &str, count: usize) -> String {
    let skip = text.chars().count().saturating_sub(count);
    text.chars().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_show_what_they_may() {
        assert_eq!(mask(Kind::HongKongIdentityCard, "A123456(3)"), "A12****(*)");
        assert_eq!(mask(Kind::HongKongIdentityCard, "AB 987654 (3)"), "AB98****(*)");
        assert_eq!(mask(Kind::PaymentCard, "4111 1111 1111 1111"), "****1111");
        assert_eq!(mask(Kind::Email, "someone@example.com"), "s***@example.com");
        assert_eq!(mask(Kind::MainlandIdentity, "11010519491231002X"), "110105************");
        assert_eq!(mask(Kind::Iban, "GB29 NWBK 6016"), "GB29****");
    }
}
