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

/// Begins what may stand right after the first number.
const fn is_unit(c: char) -> bool {
    matches!(
        c,
        '號' | '号'
            | '弄'
            | '院'
            | '栋'
            | '棟'
            | '樓'
            | '楼'
            | '座'
            | '室'
            | '層'
            | '层'
            | '期'
            | '閣'
            | '阁'
            | '單'
            | '单'
            | '字'
            | '房'
            | '舖'
            | '铺'
    )
}

/// Ends the name of a street or a part of one.
const fn ends_street(c: char) -> bool {
    matches!(
        c,
        '道' | '街'
            | '路'
            | '里'
            | '巷'
            | '徑'
            | '径'
            | '坊'
            | '邨'
            | '村'
            | '苑'
            | '臺'
            | '台'
            | '園'
            | '园'
            | '圍'
            | '围'
            | '段'
            | '灣'
            | '湾'
            | '西'
            | '東'
            | '东'
            | '南'
            | '北'
            | '中'
    )
}

/// Stands in the name of a street or an estate.
const fn is_way(c: char) -> bool {
    matches!(c, '道' | '街' | '路' | '里' | '巷' | '徑' | '径' | '坊' | '邨' | '村' | '苑')
}

/// Begins a word of [`BUILDINGS`]; a test looks.
const fn begins_building(c: char) -> bool {
    matches!(
        c,
        '大' | '中'
            | '廣'
            | '广'
            | '花'
            | '樓'
            | '楼'
            | '閣'
            | '阁'
            | '邨'
            | '村'
            | '苑'
            | '軒'
            | '轩'
            | '庭'
            | '座'
            | '商'
            | '工'
            | '臺'
            | '居'
    )
}

/// What a number or a letter counts; the longer before the shorter.
const PARTS: [(&str, u8); 28] = [
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

/// The address whose first number starts at `start` and ends at `end`, if it is one.
pub(crate) fn at_number(text: &[u8], start: usize, end: usize) -> Option<Hit> {
    let after = space_after(text, letter_after(text, end));
    let unit = han::at(text, after).filter(|c| is_unit(*c))?;
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
    let place = head.char_indices().find_map(|(at, c)| {
        let rest = head.get(at..).filter(|_| han::roles(c) & han::PLACE != 0)?;
        places::starts_chinese(rest).map(|_| rest)
    });
    let street = head.chars().next_back().is_some_and(ends_street)
        && head.chars().any(is_way)
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
    let after_lead = after_lead(head);
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

/// Where the last word ends after which an address begins.
fn after_lead(head: &str) -> Option<usize> {
    let mut ends = head.char_indices().rev().map(|(at, c)| at + c.len_utf8());
    ends.find(|end| head.get(..*end).is_some_and(|part| LEADS.iter().any(|w| part.ends_with(w))))
}

/// The next part: a number or letter with its unit, or a building's name before one.
fn element(text: &[u8], at: usize, anchor: usize) -> Option<(u8, usize)> {
    if at > anchor + AFTER_BYTES {
        return None;
    }
    let at = at
        + han::char_at(text, at)
            .filter(|(c, _)| at > anchor && matches!(c, ' ' | '，' | ',' | '、'))
            .map_or(0, |(_, length)| length);
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
        let ends = name.char_indices().filter_map(|(at, c)| {
            let rest = name.get(at..).filter(|_| begins_building(c))?;
            BUILDINGS.iter().filter(|b| rest.starts_with(**b)).map(|b| at + b.len()).min()
        });
        let last = ends.min()?;
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
    han::at(text, end).filter(|c| is_unit(*c) || *c == '巷')?;
    let rest = text.get(end..)?;
    let first = rest.first_chunk::<3>()?;
    let mut units = PARTS.iter().filter(|(unit, _)| unit.as_bytes().first_chunk() == Some(first));
    let (unit, kind) = units.find(|(unit, _)| rest.starts_with(unit.as_bytes()))?;
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
    fn every_word_of_a_building_is_looked_for() {
        assert!(BUILDINGS.iter().all(|word| word.starts_with(begins_building)));
    }

    #[test]
    fn numbers_with_units_are_no_address() {
        for text in ["檔案第3號", "樓高36層", "共12座", "5樓", "二樓3室", "香港有18區"]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
