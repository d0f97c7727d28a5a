//! What may be shown of a hit. The default for identity card numbers follows the PCPD's code of
//! practice: the number cannot be deduced from what is shown. Of a name so little is shown that it
//! names nobody, so that it may stand in the same report as a number; of a secret, nothing.

use crate::Kind;

/// The value as it may be shown: `A12****(*)`, `****1111`, `a***@example.com`, `C***`.
#[must_use]
pub fn mask(kind: Kind, value: &str) -> String {
    let plain: String = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    match kind {
        Kind::HongKongIdentityCard => {
            let letters: String = plain.chars().take_while(|c| c.is_alphabetic()).take(2).collect();
            let digits: String = plain.chars().skip(letters.chars().count()).take(2).collect();
            format!("{letters}{digits}****(*)")
        }
        Kind::PaymentCard => format!("****{}", tail(&plain, 4)),
        Kind::MainlandIdentity => format!("{}************", head(&plain, 6)),
        Kind::Iban => format!("{}****", head(&plain, 4)),
        Kind::Email => {
            let (local, domain) = value.split_once('@').unwrap_or((value, ""));
            format!("{}***@{domain}", head(local, 1))
        }
        Kind::Phone | Kind::Octopus => format!("****{}", tail(&plain, 2)),
        Kind::BankAccount => format!("{}****{}", head(&plain, 3), tail(&plain, 2)),
        Kind::HongKongPassport
        | Kind::HomeReturnPermit
        | Kind::TaiwanIdentity
        | Kind::MacauIdentity
        | Kind::VehiclePlate => format!("{}****", head(&plain, 2)),
        Kind::FpsIdentifier | Kind::BusinessRegistration => format!("{}****", head(&plain, 3)),
        Kind::Bic => format!("{}****", head(&plain, 6)),
        Kind::IpAddress | Kind::MacAddress => {
            let first = value.split_once(['.', ':', '-']);
            first.map_or_else(|| "****".to_owned(), |(first, _)| format!("{first}.***"))
        }
        Kind::Url => {
            let host = value.split(['/', '?', '#']).nth(2).unwrap_or_default();
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{host}/***")
        }
        Kind::PersonName => format!("{}***", head(value, 1)),
        Kind::Address
        | Kind::DateOfBirth
        | Kind::TravelDocument
        | Kind::Salary
        | Kind::Health
        | Kind::Secret
        | Kind::Custom(_) => "****".to_owned(),
    }
}

fn head(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
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
        for (kind, value, shown) in [
            (Kind::HongKongIdentityCard, "A123456(3)", "A12****(*)"),
            (Kind::HongKongIdentityCard, "AB 987654 (3)", "AB98****(*)"),
            (Kind::PaymentCard, "4111 1111 1111 1111", "****1111"),
            (Kind::Email, "someone@example.com", "s***@example.com"),
            (Kind::MainlandIdentity, "11010519491231002X", "110105************"),
            (Kind::Iban, "GB29 NWBK 6016", "GB29****"),
            (Kind::Phone, "+852 9123 4567", "****67"),
            (Kind::BankAccount, "004-123-456789", "004****89"),
            (Kind::PersonName, "陳大文", "陳***"),
            (Kind::PersonName, "Chan Tai Man", "C***"),
            (Kind::IpAddress, "192.0.2.1", "192.***"),
            (Kind::Url, "https://u:p@example.com/a?b=c", "example.com/***"),
            (Kind::Address, "Flat A, 1/F", "****"),
        ] {
            assert_eq!(mask(kind, value), shown);
        }
    }

    #[test]
    fn no_mask_shows_more_than_half_of_a_number() {
        for kind in Kind::ALL {
            let shown = mask(kind, "AB12345678901234");
            let kept = shown.chars().filter(char::is_ascii_alphanumeric).count();
            assert!(kept <= 8, "{kind:?} shows {shown}");
            assert!(!mask(kind, "").contains(char::is_alphanumeric), "{kind:?}");
        }
    }
}
