//! Whole cells: whether everything in a field of a table is one value of a kind.

use crate::topic::Topic;
use crate::{
    Kind, address_en, bank, date, email, hkid, iban, mainland, name_en, name_zh, network, numbers,
    scan, travel,
};

/// The longest cell that is looked at as a whole, in bytes.
const CELL_BYTES_MAX: usize = 300;
/// Words of a name at most, when only the column's name says that it is one.
pub(crate) const NAME_WORDS_MAX: usize = 5;

/// Whether the whole cell is a value of this kind.
pub(crate) fn is(kind: Kind, cell: &[u8]) -> bool {
    if cell.is_empty() || cell.len() > CELL_BYTES_MAX {
        return false;
    }
    let ends = |hit: Option<crate::Hit>| hit.is_some_and(|h| h.start == 0 && h.end == cell.len());
    match kind {
        Kind::HongKongIdentityCard => ends(hkid::at(cell, 0, || None)),
        Kind::MainlandIdentity => ends(mainland::at(cell, 0)),
        Kind::Iban => ends(iban::at(cell, 0)),
        Kind::Email => {
            let sign = cell.iter().position(|b| *b == b'@');
            sign.is_some_and(|sign| ends(email::around(cell, sign)))
        }
        Kind::HongKongPassport
        | Kind::HomeReturnPermit
        | Kind::TaiwanIdentity
        | Kind::VehiclePlate => travel::cell(kind, cell),
        Kind::TravelDocument => ends(travel::machine_readable(cell, 0)),
        Kind::Bic => ends(bank::bic(cell, 0, || Some(Topic::Bic))),
        Kind::IpAddress => {
            ends(network::version_four(cell, 0))
                || ends(network::hexadecimal(cell, 0).filter(|h| h.kind == kind))
        }
        Kind::MacAddress => ends(network::hexadecimal(cell, 0).filter(|h| h.kind == kind)),
        Kind::DateOfBirth => date::cell(cell),
        Kind::PersonName => name_en::cell(cell) || name_zh::cell(cell),
        Kind::Address => is_address(cell),
        Kind::Salary => is_amount(cell),
        Kind::Url | Kind::Secret | Kind::Health | Kind::Custom(_) => false,
        _ => numbers::cell(kind, cell),
    }
}

/// Whether the cell may be of this kind, given that its column is named so.
pub(crate) fn may_be(kind: Kind, cell: &[u8]) -> bool {
    is(kind, cell)
        || match kind {
            Kind::PersonName => looks_like_a_name(cell),
            Kind::Phone => numbers::phone_cell(cell),
            Kind::BankAccount => {
                let digits = cell.iter().filter(|b| b.is_ascii_digit()).count();
                (9..=15).contains(&digits) && cell.iter().all(|b| b.is_ascii_digit() || *b == b'-')
            }
            _ => false,
        }
}

/// Two to five words of letters that begin with capitals, or two to four Chinese characters.
fn looks_like_a_name(cell: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(cell) else { return false };
    let count = text.chars().count();
    if (2..=4).contains(&count) && text.chars().all(crate::han::is_han) {
        return true;
    }
    let words: Vec<&str> = text.split(' ').collect();
    (2..=NAME_WORDS_MAX).contains(&words.len())
        && words.iter().all(|word| {
            word.starts_with(char::is_uppercase)
                && word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '.' | ','))
        })
}

/// An address that fills most of the cell.
fn is_address(cell: &[u8]) -> bool {
    // Its parts stand apart, or it is Chinese.
    if !cell.iter().any(|b| matches!(b, b' ' | b',' | b'\n' | 0x80..)) {
        return false;
    }
    let from_start = address_en::at(cell, 0).map(|hit| hit.end);
    let found = from_start.or_else(|| {
        let hit = scan(cell).into_iter().find(|hit| hit.kind == Kind::Address)?;
        Some(hit.end - hit.start)
    });
    found.is_some_and(|length| length * 10 >= cell.len() * 6)
}

/// A sum of money: digits, commas, a point, perhaps a currency.
fn is_amount(cell: &[u8]) -> bool {
    let text = cell.strip_prefix(b"HK").unwrap_or(cell);
    let text = text.strip_prefix(b"D").unwrap_or(text).trim_ascii_start();
    let text = text.strip_prefix(b"$").unwrap_or(text);
    let digits = text.iter().filter(|b| b.is_ascii_digit()).count();
    (3..=12).contains(&digits)
        && text.iter().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_cell_is_a_value_and_a_longer_one_is_not() {
        for (kind, cell) in [
            (Kind::HongKongIdentityCard, "A1234563"),
            (Kind::PaymentCard, "4111 1111 1111 1111"),
            (Kind::MainlandIdentity, "11010519491231002X"),
            (Kind::Email, "a@example.com"),
            (Kind::Phone, "2345 6789"),
            (Kind::Phone, "+852 9123 4567"),
            (Kind::BankAccount, "004-123-456789"),
            (Kind::HongKongPassport, "H12345678"),
            (Kind::HomeReturnPermit, "H1234567890"),
            (Kind::BusinessRegistration, "12345678-000-01-24-5"),
            (Kind::IpAddress, "192.0.2.1"),
            (Kind::DateOfBirth, "1980-05-06"),
            (Kind::PersonName, "陳大文"),
            (Kind::Address, "Flat E, 27/F, Seaview Mansion, 263 Nathan Road, Kowloon"),
            (Kind::Address, "九龍旺角彌敦道285號海景大廈26樓G室"),
            (Kind::Salary, "HK$45,000.00"),
            (Kind::VehiclePlate, "AB 1234"),
            (Kind::MacauIdentity, "1234567(8)"),
        ] {
            assert!(is(kind, cell.as_bytes()), "{kind:?} {cell}");
            let longer = format!("{cell} {}", "and so on ".repeat(20));
            assert!(!is(kind, longer.as_bytes()), "{kind:?} {longer}");
            assert!(!is(kind, b""), "{kind:?}");
        }
    }

    #[test]
    fn a_column_of_names_holds_names_that_no_list_knows() {
        assert!(may_be(Kind::PersonName, b"Zbigniew Kowalczyk"));
        assert!(!may_be(Kind::PersonName, b"INV-123") && !may_be(Kind::PersonName, b"lower case"));
    }
}
