//! Words: only reviewed Chinese, never another usage.

use crate::world::World;
use comply::{FORBIDDEN_WORDS, Glossary, GlossaryError, Status};

/// Every data file of this room.
fn data() -> Vec<String> {
    let root = format!("{}/data", env!("CARGO_MANIFEST_DIR"));
    let folders = [root.clone(), format!("{root}/requirements")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let paths = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
    paths.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn no_word_of_another_usage_stands_anywhere_in_our_data() {
    let data = data();
    assert!(data.len() > 30);
    for word in FORBIDDEN_WORDS {
        assert!(data.iter().all(|text| !text.contains(word)), "{word}");
    }
    assert!(data.iter().all(|text| text.len() <= 256 * 1024), "a file over 256 kB");
    for word in FORBIDDEN_WORDS {
        let yaml = format!("terms: [{{en: x, zh_hant: 我的{word}}}]");
        assert!(matches!(Glossary::read(&yaml), Err(GlossaryError::Forbidden { .. })), "{word}");
    }
}

#[test]
fn every_status_has_its_reviewed_word() {
    let glossary = Glossary::builtin().unwrap();
    for status in Status::ALL {
        assert!(glossary.zh_hant(status.title()).is_some(), "{}", status.title());
    }
    assert_eq!(glossary.zh_hant("outsourcing"), Some("外判"));
    assert_eq!(glossary.zh_hant("cryptography"), None);
}

#[test]
fn a_chinese_title_of_a_check_is_made_of_reviewed_words_alone() {
    let glossary = Glossary::builtin().unwrap();
    for check in World::new().checks.all() {
        let Some(title) = &check.zh_hant else { continue };
        let mut rest = title.clone();
        let mut words: Vec<_> = glossary.terms().map(|(_, zh)| zh).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        for word in words {
            rest = rest.replace(word, "");
        }
        assert!(rest.chars().all(|c| c.is_ascii() || c == '、'), "{}: {rest}", check.id);
    }
}
