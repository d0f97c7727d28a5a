//! Chinese names: a family name and one or two characters. What stands around decides: a word like
//! 客戶 before, a title like 先生 behind, or punctuation on both sides.

use crate::han::{self, is_han};
use crate::topic::Topic;
use crate::{Confidence, Hit, Kind};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Bytes of four characters: the longest name; and of what may follow it.
const NAME_BYTES: usize = 12;
const AFTER_BYTES: usize = 15;
/// Bytes before a name in which a word may announce it.
const BEFORE_BYTES: usize = 27;

#[derive(Default)]
struct Context {
    before: HashMap<char, Vec<&'static str>>,
    title: Vec<&'static str>,
    after: Vec<&'static str>,
    never: HashMap<char, Vec<&'static str>>,
}

static CONTEXT: LazyLock<Context> = LazyLock::new(|| {
    let mut context = Context::default();
    for line in include_str!("../data/context-zh.tsv").lines() {
        let Some((role, words)) = line.split_once('\t') else { continue };
        for word in words.split('|') {
            let ends = (word.chars().next(), word.chars().next_back());
            match (role, ends) {
                ("before", (_, Some(last))) => context.before.entry(last).or_default().push(word),
                ("never", (Some(first), _)) => context.never.entry(first).or_default().push(word),
                ("title", _) => context.title.push(word),
                ("after", _) => context.after.push(word),
                _ => {}
            }
        }
    }
    context
});

/// The name that starts at this character, if one does.
pub(crate) fn at(text: &[u8], start: usize, topic: impl FnOnce() -> Option<Topic>) -> Option<Hit> {
    let first = han::at(text, start)?;
    let roles = han::roles(first);
    if roles & (han::SURNAME | han::COMPOUND) == 0 {
        return None;
    }
    if !may_be_bounded(text, start) {
        return None;
    }
    let rest = han::after(text, start, NAME_BYTES + AFTER_BYTES);
    if roles & han::NEVER != 0
        && CONTEXT.never.get(&first).is_some_and(|list| list.iter().any(|n| rest.starts_with(n)))
    {
        return None;
    }
    let compound = roles & han::COMPOUND != 0 && han::compound(rest);
    if !compound && roles & han::SURNAME == 0 {
        return None;
    }
    let head = han::before(text, start, BEFORE_BYTES);
    let alone = head.chars().next_back().is_none_or(|c| !is_han(c));
    let announced = announced(head) || alone && topic() == Some(Topic::Person);
    let family = if compound { 2 } else { 1 };
    let name = rest.char_indices().nth(family).map_or(rest.len(), |(at, _)| at);
    if rest.get(name..).is_some_and(titled) {
        // 陳先生: the family name alone says little of who it is.
        return Some(Hit::possible(Kind::PersonName, start, start + name));
    }
    let ways = [2usize, 1].map(|given| Way::read(rest, family, given));
    // What ends a name says more than how long names usually are.
    let bounded = ways.iter().flatten().filter(|way| way.bounded());
    let best = bounded
        .chain(ways.iter().flatten())
        .find_map(|way| Some((way, way.judge(announced, alone)?)));
    let (way, confidence) = best?;
    Some(Hit { kind: Kind::PersonName, start, end: start + way.bytes, confidence })
}

/// In the midst of other characters a name needs a word that announces it or a title: most places
/// have neither.
fn may_be_bounded(text: &[u8], start: usize) -> bool {
    let before = start.checked_sub(3).and_then(|i| han::at(text, i));
    if before.is_none_or(|c| !is_han(c) || han::roles(c) & han::ANNOUNCES != 0) {
        return true;
    }
    let titled =
        |n: usize| han::at(text, start + 3 * n).is_some_and(|c| han::roles(c) & han::TITLE != 0);
    (1..=4).any(titled)
}

/// Whether a whole cell is a Chinese name.
pub(crate) fn cell(cell: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(cell) else { return false };
    let count = text.chars().count();
    let Some(first) = text.chars().next() else { return false };
    let surname = han::roles(first) & han::SURNAME != 0 || han::compound(text);
    let never =
        CONTEXT.never.get(&first).is_some_and(|list| list.iter().any(|n| text.starts_with(n)));
    surname && !never && (2..=4).contains(&count) && text.chars().all(is_han)
}

/// A word that announces a person ends here, perhaps with a colon, a space or a bracket after it.
fn announced(head: &str) -> bool {
    let head =
        head.trim_end_matches(['：', ':', ' ', '「', '（', '(', '"', '\t', '為', '是', '为']);
    head.chars()
        .next_back()
        .filter(|last| han::roles(*last) & han::ANNOUNCES != 0)
        .and_then(|last| CONTEXT.before.get(&last))
        .is_some_and(|list| list.iter().any(|word| head.ends_with(word)))
}

/// Whether a title stands here.
fn titled(after: &str) -> bool {
    let first = after.chars().next();
    first.is_some_and(|c| han::roles(c) & han::TITLE != 0)
        && CONTEXT.title.iter().any(|title| after.starts_with(title))
}

/// Whether another word stands here that may follow a name.
fn followed(after: &str) -> bool {
    let first = after.chars().next();
    first.is_some_and(|c| !is_han(c) || han::roles(c) & han::AFTER != 0)
        && CONTEXT.after.iter().any(|word| after.starts_with(word))
}

/// One way to read a name: how long, and what ends it.
struct Way {
    bytes: usize,
    given: usize,
    /// Every given character is a common one.
    common: bool,
    titled: bool,
    followed: bool,
    ended: bool,
}

impl Way {
    fn read(rest: &str, surname: usize, given: usize) -> Option<Self> {
        let name = rest.char_indices().take(surname + given);
        let mut common = true;
        let mut bytes = 0;
        let mut count = 0;
        for (at, c) in name {
            if !is_han(c) {
                return None;
            }
            common &= count < surname || han::roles(c) & han::GIVEN != 0;
            bytes = at + c.len_utf8();
            count += 1;
        }
        let after = rest.get(bytes..)?;
        (count == surname + given).then(|| Self {
            bytes,
            given,
            common,
            titled: titled(after),
            followed: followed(after),
            ended: after.chars().next().is_none_or(|c| !is_han(c)),
        })
    }

    const fn bounded(&self) -> bool {
        self.titled || self.ended || self.followed
    }

    fn judge(&self, announced: bool, alone: bool) -> Option<Confidence> {
        let bounded = self.bounded();
        match () {
            () if announced && bounded => Some(Confidence::Sure),
            () if self.titled && alone => Some(Confidence::Sure),
            () if announced && self.given == 2 && self.common => Some(Confidence::Likely),
            () if self.titled && self.common => Some(Confidence::Likely),
            () if alone && (self.ended || self.followed) && self.given == 2 && self.common => {
                Some(Confidence::Likely)
            }
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&str, Confidence)> {
        text.char_indices()
            .find_map(|(i, _)| at(text.as_bytes(), i, || None))
            .map(|hit| (text.get(hit.start..hit.end).unwrap(), hit.confidence))
    }

    #[test]
    fn names_are_found_by_what_stands_around_them() {
        use Confidence::{Likely, Sure};
        for (text, expected) in [
            ("申請人何麗華（身份證", ("何麗華", Sure)),
            ("林詠詩先生／女士：", ("林詠詩", Sure)),
            ("內地居民张偉強，居民", ("张偉強", Sure)),
            ("客戶歐陽麗華之信用卡", ("歐陽麗華", Sure)),
            ("姓名：王明", ("王明", Sure)),
            ("多謝陳大文先生來電", ("陳大文", Likely)),
            ("出席者：李家豪、張美玲", ("李家豪", Likely)),
            ("尊敬的张伟先生：", ("张伟", Sure)),
            ("申請人陳大文現居於", ("陳大文", Likely)),
        ] {
            assert_eq!(found(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn words_and_places_are_not_names() {
        for text in [
            "住在何文田的人",
            "黃大仙區",
            "金額為一百元",
            "馬上處理",
            "任何查詢，請與我們聯絡",
            "方便，請致電",
            "高級經理",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_cell_is_a_name_or_not() {
        assert!(cell("謝子軒".as_bytes()) && cell("歐陽曉彤".as_bytes()));
        assert!(!cell("備註".as_bytes()) && !cell("謝子軒1".as_bytes()) && !cell(b"abc"));
    }
}
