//! Addresses in Chinese: region, district, street and number, building, floor, room, in this order
//! and without commas. The first number with its unit is the anchor.

use crate::han::{self, is_han};
use crate::places;
use crate::text::plain;
use crate::{Confidence, Hit, Kind};

/// Bytes before the first number that may belong to the address, and after it.
const BEFORE_BYTES: usize = 75;
const AFTER_BYTES: usize = 180;
/// Characters of a building's name at most, of a street's name without a place before it.
const BUILDING_CHARS_MAX: usize = 12;
const STREET_CHARS_MAX: usize = 6;

const UNITS: &str = "號号弄院栋棟樓楼座室層层期閣阁單单字房舖铺";
const STREETS: &str = "道街路里巷徑径坊邨村苑臺台園园圍围段灣湾西東东南北中";
const WAYS: &str = "道街路里巷徑径坊邨村苑";
const BUILDINGS: [&str; 22] = [
    "大廈", "大厦", "中心", "廣場", "广场", "花園", "花园", "樓", "楼", "閣", "阁", "邨", "村",
    "苑", "軒", "轩", "庭", "座", "商場", "工業", "臺", "居",
];
const NUMERALS: [char; 12] =
    ['一', '二', '三', '四', '五', '六', '七', '八', '九', '十', '幾', '每'];
/// Words after which an address begins.
const LEADS: [&str; 20] = [
    "地址", "住址", "居住", "居於", "居于", "住於", "住于", "住在", "位於", "位于", "在", "於",
    "于", "往", "至", "到", "寄", "為", "为", "是",
];

const PLACE: u8 = 1;
const STREET: u8 = 2;
const BUILDING: u8 = 4;
const FLOOR: u8 = 8;
const ROOM: u8 = 16;

/// The address whose first number starts at `start` and ends at `end`, if it is one.
pub(crate) fn at_number(text: &[u8], start: usize, end: usize) -> Option<Hit> {
    let after = space_after(text, letter_after(text, end));
    let unit = han::at(text, after).filter(|c| UNITS.contains(*c))?;
    let spaced = usize::from(text.get(..start)?.last() == Some(&b' '));
    let head = han::before(text, start - spaced, BEFORE_BYTES);
    let run = head.len()
        - head.chars().rev().take_while(|c| is_han(*c)).map(char::len_utf8).sum::<usize>();
    let head = head.get(run..)?;
    let (lead, mut seen) = lead(head, unit)?;
    let mut at = start;
    while let Some((kind, after)) = element(text, at, start) {
        seen |= kind;
        at = after;
    }
    let named = seen & (PLACE | STREET | BUILDING) != 0;
    let count = seen.count_ones();
    if !named || count < 2 || at == start {
        return None;
    }
    let confidence = if count >= 3 { Confidence::Sure } else { Confidence::Likely };
    Some(Hit { kind: Kind::Address, start: start - spaced - lead, end: at, confidence })
}

/// A space may stand on either side of a number.
fn space_after(text: &[u8], end: usize) -> usize {
    end + usize::from(text.get(end) == Some(&b' '))
}

/// A letter may stand between a number and its unit: `12A號`.
fn letter_after(text: &[u8], end: usize) -> usize {
    plain(text, end).filter(|(c, _)| c.is_ascii_alphabetic()).map_or(end, |(_, size)| end + size)
}

/// How many bytes before the number belong to the address, and what they name.
fn lead(head: &str, unit: char) -> Option<(usize, u8)> {
    let place = head.char_indices().find_map(|(at, _)| {
        let rest = head.get(at..)?;
        places::starts_chinese(rest).map(|_| rest)
    });
    let street = head.chars().next_back().is_some_and(|c| STREETS.contains(c))
        && head.chars().any(|c| WAYS.contains(c))
        && matches!(unit, '號' | '号' | '座' | '期' | '弄' | '巷');
    // `二樓` is a floor, not a building.
    let numeral =
        |b: &str| head.strip_suffix(b).is_some_and(|h| h.ends_with(NUMERALS) || h.is_empty());
    let estate = BUILDINGS.iter().any(|b| head.ends_with(b) && !numeral(b));
    let mut seen = if street { STREET } else { 0 } | if estate { BUILDING } else { 0 };
    if let Some(rest) = place {
        let inner = rest.char_indices().nth(2).map_or(0, |(at, _)| at);
        seen |= PLACE;
        // Something stands between the place and the number: a street or a building.
        if !street && !estate && rest.len() > inner + 6 {
            seen |= BUILDING;
        }
        return Some((rest.len(), seen));
    }
    if seen == 0 {
        return None;
    }
    let after_lead = LEADS.iter().filter_map(|w| Some(head.rfind(w)? + w.len())).max();
    let name = head.get(after_lead.unwrap_or(0)..)?;
    if name.is_empty() {
        return None;
    }
    let from = if after_lead.is_some() || name.chars().count() <= BUILDING_CHARS_MAX {
        0
    } else {
        name.char_indices().rev().nth(STREET_CHARS_MAX).map_or(0, |(at, _)| at)
    };
    Some((name.len() - from, seen))
}

/// The next part: a number or letter with its unit, or a building's name before one.
fn element(text: &[u8], at: usize, anchor: usize) -> Option<(u8, usize)> {
    if at > anchor + AFTER_BYTES {
        return None;
    }
    let at = at
        + han::after(text, at, 6)
            .chars()
            .next()
            .filter(|c| at > anchor && " ，,、".contains(*c))
            .map_or(0, char::len_utf8);
    numbered(text, at).or_else(|| {
        let rest = han::after(text, at, (BUILDING_CHARS_MAX + 1) * 3);
        let name: usize = rest
            .chars()
            .take(BUILDING_CHARS_MAX)
            .take_while(|c| is_han(*c))
            .map(char::len_utf8)
            .sum();
        let name = rest.get(..name).filter(|n| !n.is_empty())?;
        if let Some((kind, end)) = numbered(text, at + name.len()) {
            return Some((kind | BUILDING, end));
        }
        // The last part may be a building without anything inside.
        let last = BUILDINGS.iter().filter_map(|b| Some(name.find(b)? + b.len())).min()?;
        (last > 3).then_some((BUILDING, at + last))
    })
}

/// `718號`, `36樓`, `D室`, `1203室`, `A座`, `3字樓`, `5號單位`.
fn numbered(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let mut end = at;
    for _ in 0..9 {
        match plain(text, end) {
            Some((c, size)) if c.is_ascii_alphanumeric() || (c == b'-' && end > at) => end += size,
            _ => break,
        }
    }
    if end == at {
        return None;
    }
    let end = space_after(text, end);
    let rest = han::after(text, end, 12);
    let units: [(&str, u8); 28] = [
        ("号院", STREET),
        ("号楼", ROOM),
        ("號樓", ROOM),
        ("单元", ROOM),
        ("單元", ROOM),
        ("栋", ROOM),
        ("棟", ROOM),
        ("弄", STREET),
        ("巷", STREET),
        ("號單位", ROOM),
        ("号单位", ROOM),
        ("號室", ROOM),
        ("号室", ROOM),
        ("號舖", ROOM),
        ("號", STREET),
        ("号", STREET),
        ("字樓", FLOOR),
        ("樓", FLOOR),
        ("楼", FLOOR),
        ("層", FLOOR),
        ("层", FLOOR),
        ("室", ROOM),
        ("座", ROOM),
        ("單位", ROOM),
        ("单位", ROOM),
        ("房", ROOM),
        ("舖", ROOM),
        ("期", BUILDING),
    ];
    let (unit, kind) = units.iter().find(|(unit, _)| rest.starts_with(unit))?;
    Some((*kind, end + unit.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let bytes = text.as_bytes();
        (0..bytes.len()).filter(|i| bytes[*i].is_ascii_digit()).find_map(|i| {
            let end = i + bytes[i..].iter().take_while(|b| b.is_ascii_digit()).count();
            let hit = at_number(bytes, i, end)?;
            text.get(hit.start..hit.end)
        })
    }

    #[test]
    fn addresses_are_found_from_region_to_room() {
        for (text, expected) in [
            (
                "住址：香港西營盤德輔道西718號太平樓36樓D室。",
                "香港西營盤德輔道西718號太平樓36樓D室",
            ),
            ("新界荃灣青山公路310號好運中心18樓A室。", "新界荃灣青山公路310號好運中心18樓A室"),
            ("居於彌敦道285號3樓", "彌敦道285號3樓"),
            ("現居於九龍觀塘翠屏邨翠樟樓12樓1203室，", "九龍觀塘翠屏邨翠樟樓12樓1203室"),
            (
                "上環德輔道中 199 號無限極廣場 12 樓 1203 室。",
                "上環德輔道中 199 號無限極廣場 12 樓 1203 室",
            ),
            ("深圳市南山区深南大道1000号", "深圳市南山区深南大道1000号"),
            (
                "住址：上海市浦东新区世纪大道98号院5号楼3单元594室。",
                "上海市浦东新区世纪大道98号院5号楼3单元594室",
            ),
            ("地址：九龙旺角弥敦道700号5楼B座", "九龙旺角弥敦道700号5楼B座"),
            ("請到中環皇后大道中1號。", "中環皇后大道中1號"),
        ] {
            assert_eq!(found(text).unwrap_or(""), expected, "{text}");
        }
    }

    #[test]
    fn numbers_with_units_are_no_address() {
        for text in ["檔案第3號", "樓高36層", "共12座", "5樓", "二樓3室", "香港有18區"]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
