//! Every page with sample content, held against the rules that all pages keep.
//!
//! With `LIONROCK_GALLERY` set to a folder, the pages are written there to be looked at.

use super::{
    account, guide, key, keys, log, map, overview, people, problem, record, reports, requests,
    requirement, requirements, set_up, sign_in,
};
use crate::frame::tests::{frame, source};
use kernel::{Problem, ProblemKind};
use maud::Markup;

fn gallery() -> Vec<(&'static str, Markup)> {
    let (f, s) = (frame(), source());
    let refused =
        Problem::new(ProblemKind::Refused, "no-policy-allows", "the policy does not allow this");
    let mut zh = frame();
    zh.language = crate::language::Language::TraditionalChinese;
    vec![
        ("overview", overview::show(&f, &s, &overview::tests::sample())),
        ("guide", guide::show(&f, &s, &guide::tests::sample())),
        ("map", map::show(&f, &s, &map::tests::sample())),
        ("map-empty", map::show(&f, &s, &map::Map::default())),
        ("keys", keys::show(&f, &s, &keys::tests::sample())),
        ("keys-empty", keys::show(&f, &s, &keys::Keys::default())),
        ("keys-zh", keys::show(&zh, &s, &keys::tests::sample())),
        ("overview-zh", overview::show(&zh, &s, &overview::tests::sample())),
        ("guide-zh", guide::show(&zh, &s, &guide::tests::sample())),
        ("requirements-zh", requirements::show(&zh, &s, &requirements::tests::sample())),
        ("requirement-zh", requirement::show(&zh, &s, &requirement::tests::sample())),
        ("reports-zh", reports::show(&zh, &s, &reports::tests::sample())),
        ("key", key::show(&f, &s, &key::tests::sample())),
        ("requirements", requirements::show(&f, &s, &requirements::tests::sample())),
        ("requirement", requirement::show(&f, &s, &requirement::tests::sample())),
        ("log", log::show(&f, &s, &log::tests::sample())),
        ("record", record::show(&f, &s, &record::tests::sample())),
        ("requests", requests::show(&f, &s, &requests::tests::sample())),
        ("people", people::show(&f, &s, &people::tests::sample())),
        ("people-empty", people::show(&f, &s, &people::People::default())),
        ("reports", reports::show(&f, &s, &reports::tests::sample())),
        ("account", account::show(&f, &s, &account::Account::default())),
        ("account-device", account::show(&f, &s, &account::tests::sample_device())),
        ("sign-in", sign_in::password(&sign_in::tests::sample())),
        ("sign-in-code", sign_in::code(&sign_in::tests::sample())),
        ("set-up", set_up::opening(&set_up::tests::sample_opening())),
        ("set-up-code", set_up::enrolling(&set_up::tests::sample_enrolling())),
        ("problem", problem::show(&refused, "req_1", true)),
    ]
}

#[test]
fn no_page_holds_inline_style_or_script() {
    for (name, page) in gallery() {
        let text = page.into_string();
        for forbidden in [" style=", "<style", "javascript:", " onclick=", " onload=", "http://"] {
            assert!(!text.contains(forbidden), "{name}: {forbidden}");
        }
        let scripts: Vec<_> = text.match_indices("<script").collect();
        assert_eq!(scripts.len(), 1, "{name}");
        assert!(text.contains("defer></script>"), "{name}: the one script has no text");
    }
}

#[test]
fn every_page_has_one_title_one_main_and_headings_in_order() {
    for (name, page) in gallery() {
        let text = page.into_string();
        assert_eq!(text.matches("<h1").count(), 1, "{name}");
        assert_eq!(text.matches("<main").count(), 1, "{name}");
        assert!(text.contains("<html lang=\"en\">"), "{name}");
        // Within the content a level is never skipped.
        let main = text.split("<main").nth(1).unwrap();
        let levels: Vec<u32> = main
            .match_indices("<h")
            .filter_map(|(at, _)| main.get(at + 2..)?.chars().next()?.to_digit(10))
            .collect();
        assert!(levels.windows(2).all(|w| w[1] <= w[0] + 1), "{name}: {levels:?}");
    }
}

#[test]
fn every_table_head_has_a_scope_and_every_field_a_label() {
    for (name, page) in gallery() {
        let text = page.into_string();
        assert_eq!(
            text.matches("<th").count(),
            text.matches("<th ").count() + text.matches("<thead").count(),
            "{name}"
        );
        assert_eq!(
            text.matches("<th scope=").count() + text.matches("<th class=\"n\" scope=").count(),
            text.matches("<th ").count(),
            "{name}"
        );
        for field in text.split("<input").skip(1).filter(|f| !f.starts_with(" type=\"hidden\"")) {
            let before = text.split(field).next().unwrap();
            assert!(
                before.rfind("<label").unwrap() > before.rfind("</label").unwrap_or(0),
                "{name}: {field:.60}"
            );
        }
    }
}

/// Words that are the same in both languages, and what the sample itself says.
const NOT_TRANSLATED: [&str; 5] = ["SA-2", "TM-G-1", "English", "All sources", "Lionrock"];

#[test]
fn what_an_examiner_reads_lacks_no_translation() {
    let pages = ["overview-zh", "guide-zh", "requirements-zh", "requirement-zh", "reports-zh"];
    let chrome = [
        ("<h2>", "</h2>"),
        ("<th scope=\"col\">", "</th>"),
        ("<th class=\"n\" scope=\"col\">", "</th>"),
        ("<dt>", "</dt>"),
        ("<summary>", "</summary>"),
        ("<option value=\"\">", "</option>"),
        ("type=\"submit\">", "</button>"),
        ("name=\"step\" value=\"review\">", "</button>"),
        ("name=\"step\" value=\"return\">", "</button>"),
        ("<label>", "<"),
        ("class=\"skip\" href=\"#main\">", "</a>"),
        ("aria-current=\"page\">", "</a>"),
        ("</strong>", "</aside>"),
    ];
    let mut seen = 0;
    for (name, page) in gallery().into_iter().filter(|(name, _)| pages.contains(name)) {
        let text = page.into_string();
        let title = text.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap();
        let of_the_sample = matches!(name, "guide-zh" | "requirement-zh");
        assert!(of_the_sample || title.contains("lang=\"zh-Hant\""), "{name}: {title}");
        for (open, close) in chrome {
            for part in text.split(open).skip(1) {
                let inner = part.split(close).next().unwrap();
                // A heading with a number is the source's own.
                let of_the_source = inner.starts_with(|c: char| c.is_ascii_digit());
                if inner.is_empty() || of_the_source || NOT_TRANSLATED.contains(&inner) {
                    continue;
                }
                seen += 1;
                let chinese = inner.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert!(chinese, "{name}: `{inner}` is not in comply/data/glossary.yaml");
            }
        }
    }
    assert!(seen > 60, "only {seen}");
}

#[test]
fn pages_can_be_written_out_to_be_looked_at() {
    let Some(folder) = std::env::var_os("LIONROCK_GALLERY").map(std::path::PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in crate::assets::Asset::ALL {
        std::fs::write(folder.join(asset.path().trim_start_matches('/')), asset.text).unwrap();
    }
    for (name, page) in gallery() {
        let text = page.into_string().replace("\"/assets/", "\"assets/");
        std::fs::write(folder.join(format!("{name}.html")), text).unwrap();
    }
}
