//! Chinese names: a family name and one or two characters. What stands around decides: a word like
//! 客戶 before, a title like 先生 behind, or punctuation on both sides.

use crate::han::{self, Lists, is_han};
use crate::topic::Topic;
use crate::{Confidence, Hit, Kind};
use std::sync::LazyLock;

/// Bytes of four characters: the longest name; and of what may follow it.
const NAME_BYTES: usize = 12;
const AFTER_BYTES: usize = 15;
/// Bytes before a name in which a word may announce it.
const BEFORE_BYTES: usize = 27;

#[derive(Default)]
struct Context {
    /// By their last character.
    before: Lists,
    /// These by their first.
    title: Lists,
    after: Lists,
    never: Lists,
}

static CONTEXT: LazyLock<Context> = LazyLock::new(|| {
    let mut context = Context::default();
    for line in include_str!("../data/context-zh.tsv").lines() {
        let Some((role, words)) = line.split_once('\t') else { continue };
        for word in words.split('|') {
            let ends = (word.chars().next(), word.chars().next_back());
            match (role, ends) {
                ("before", (_, Some(last))) => context.before.add(last, word),
                ("never", (Some(first), _)) => context.never.add(first, word),
                ("title", (Some(first), _)) => context.title.add(first, word),
                ("after", (Some(first), _)) => context.after.add(first, word),
                _ => {}
            }
        }
    }
    context
});

/// Whether a name may start at this character: a family name's first, not in the midst of others.
#[inline]
pub(crate) fn may_start(text: &[u8], start: usize) -> bool {
    han::roles_here(text, start) & FAMILY != 0
        && han::at(text, start).is_some_and(|c| han::roles(c) & FAMILY != 0)
        && may_be_bounded(text, start)
}

const FAMILY: u8 = han::SURNAME | han::COMPOUND;

/// The name that starts at this character, if one does; [`may_start`] has said that one may.
pub(crate) fn at(text: &[u8], start: usize, topic: impl FnOnce() -> Option<Topic>) -> Option<Hit> {
    let first = han::at(text, start)?;
    let roles = han::roles(first);
    let rest = text.get(start..text.len().min(start + NAME_BYTES + AFTER_BYTES))?;
    if roles & han::NEVER != 0 && starts_with_any(rest, CONTEXT.never.of(first)) {
        return None;
    }
    let compound = roles & han::COMPOUND != 0 && han::compound(rest);
    if !compound && roles & han::SURNAME == 0 {
        return None;
    }
    let family = if compound { 2 } else { 1 };
    let name = (0..family).fold(0, |at, _| at + han::char_at(rest, at).map_or(0, |(_, n)| n));
    if titled(rest, name) {
        // 陳先生: the family name alone says little of who it is.
        return Some(Hit::possible(Kind::PersonName, start, start + name));
    }
    let ways = [2usize, 1].map(|given| Way::read(rest, family, given));
    let head = text.get(start.saturating_sub(BEFORE_BYTES)..start)?;
    let alone = head.len().checked_sub(3).and_then(|at| han::at(head, at));
    let alone = alone.is_none_or(|c| !is_han(c));
    let announced = announced(head) || alone && topic() == Some(Topic::Person);
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
    let roles = [1, 2, 3, 4].map(|n| han::roles_here(text, start + 3 * n));
    roles.into_iter().fold(0, |all, one| all | one) & han::TITLE != 0
}

/// Whether a whole cell is a Chinese name.
pub(crate) fn cell(cell: &[u8]) -> bool {
    let Some(first) = han::at(cell, 0) else { return false };
    let surname = han::roles(first) & han::SURNAME != 0 || han::compound(cell);
    if !surname || starts_with_any(cell, CONTEXT.never.of(first)) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(cell) else { return false };
    (2..=4).contains(&text.chars().count()) && text.chars().all(is_han)
}

fn starts_with_any(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| text.starts_with(word.as_bytes()))
}

/// A word that announces a person ends here, perhaps with a colon, a space or a bracket after it.
fn announced(head: &[u8]) -> bool {
    let mut head = head;
    loop {
        head = match head {
            [shorter @ .., b':' | b' ' | b'(' | b'"' | b'\t'] => shorter,
            [shorter @ .., a, b, c]
                if "\u{ff1a}\u{300c}\u{ff08}\u{70ba}\u{662f}\u{4e3a}"
                    .as_bytes()
                    .chunks(3)
                    .any(|joint| joint == [*a, *b, *c]) =>
            {
                shorter
            }
            _ => break,
        };
    }
    let last = head.len().checked_sub(3).and_then(|at| han::at(head, at));
    last.filter(|last| han::roles(*last) & han::ANNOUNCES != 0)
        .is_some_and(|last| CONTEXT.before.of(last).iter().any(|w| head.ends_with(w.as_bytes())))
}

/// Whether a title stands here.
fn titled(text: &[u8], at: usize) -> bool {
    han::at(text, at)
        .filter(|c| han::roles(*c) & han::TITLE != 0)
        .zip(text.get(at..))
        .is_some_and(|(first, rest)| starts_with_any(rest, CONTEXT.title.of(first)))
}

/// Whether another word stands here that may follow a name.
fn followed(text: &[u8], at: usize) -> bool {
    han::char_at(text, at)
        .filter(|(c, _)| !is_han(*c) || han::roles(*c) & han::AFTER != 0)
        .zip(text.get(at..))
        .is_some_and(|((first, _), rest)| starts_with_any(rest, CONTEXT.after.of(first)))
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
    fn read(rest: &[u8], surname: usize, given: usize) -> Option<Self> {
        let (mut common, mut bytes) = (true, 0);
        for count in 0..surname + given {
            let (c, length) = han::char_at(rest, bytes).filter(|(c, _)| is_han(*c))?;
            common &= count < surname || han::roles(c) & han::GIVEN != 0;
            bytes += length;
        }
        Some(Self {
            bytes,
            given,
            common,
            titled: titled(rest, bytes),
            followed: followed(rest, bytes),
            ended: han::char_at(rest, bytes).is_none_or(|(c, _)| !is_han(c)),
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
            .filter(|(i, _)| may_start(text.as_bytes(), *i))
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
            ("多謝陳大文先生來電", ("陳大文", Sure)),
            ("出席者：李家豪、張美玲", ("李家豪", Sure)),
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
