//! PDF, in both languages, and what hostile ones do.

use crate::support::{look, total, troubles};
use detect::Kind;
use extract::{Format, TroubleKind};
use lopdf::{Dictionary, Document, Object, Stream, dictionary};

/// A file of one page with this content and these fonts.
pub(crate) fn pdf(content: &str, fonts: impl FnOnce(&mut Document) -> Dictionary) -> Document {
    let mut document = Document::with_version("1.7");
    let pages = document.new_object_id();
    let fonts = fonts(&mut document);
    let resources = document.add_object(dictionary! { "Font" => fonts });
    let content = document.add_object(Stream::new(Dictionary::new(), content.as_bytes().to_vec()));
    let page = document.add_object(dictionary! {
        "Type" => "Page", "Parent" => pages, "Contents" => content, "Resources" => resources,
    });
    let tree = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(pages, Object::Dictionary(tree));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", catalog);
    document
}

pub(crate) fn bytes(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.compress();
    document.save_to(&mut bytes).unwrap();
    bytes
}

pub(crate) fn helvetica(document: &mut Document) -> Dictionary {
    let font = dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
    };
    dictionary! { "F" => document.add_object(font) }
}

/// A font of two bytes a sign with its own map: sign n is the nth of these characters.
pub(crate) fn mapped(characters: &str) -> impl FnOnce(&mut Document) -> Dictionary {
    let lines: String = characters
        .chars()
        .enumerate()
        .map(|(sign, c)| format!("<{:04x}> <{:04x}>\n", sign + 1, u32::from(c)))
        .collect();
    let map = format!(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n\
         1 begincodespacerange <0000> <ffff> endcodespacerange\n{} beginbfchar\n{lines}endbfchar\n\
         endcmap CMapName currentdict /CMap defineresource pop end end",
        characters.chars().count()
    );
    move |document| {
        let map = document.add_object(Stream::new(Dictionary::new(), map.into_bytes()));
        let font = dictionary! {
            "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "Ming", "Encoding" => "Identity-H",
            "ToUnicode" => map,
        };
        dictionary! { "F" => document.add_object(font) }
    }
}

fn signs(count: usize) -> String {
    (1..=count).map(|sign| format!("{sign:04x}")).collect()
}

#[test]
fn text_is_read_in_lines_and_words_as_it_is_painted() {
    let content = "BT /F 12 Tf 72 700 Td (HKID) Tj 40 0 Td (A123456\\(3\\)) Tj 0 -14 Td \
        [(Ca) 20 (rd: 4111 1111) -300 (1111 1111)] TJ 1 0 0 1 72 600 Tm (a@exam) Tj (ple.com) Tj ET";
    let found = look(&bytes(pdf(content, helvetica)), "a.pdf");
    assert_eq!((found.format, troubles(&found)), (Format::Pdf, vec![]));
    for kind in [Kind::HongKongIdentityCard, Kind::PaymentCard, Kind::Email] {
        assert_eq!(total(&found, kind), 1, "{kind:?}");
    }
    assert_eq!(found.parts[0].kinds[0].samples[0].at, "page 1");
}

#[test]
fn chinese_text_is_read_by_the_map_of_its_font() {
    let text = "現居於香港西營盤德輔道西718號太平樓36樓D室。";
    let content = format!("BT /F 12 Tf 72 700 Td <{}> Tj ET", signs(text.chars().count()));
    let found = look(&bytes(pdf(&content, mapped(text))), "a.pdf");
    assert_eq!(total(&found, Kind::Address), 1, "{found:?}");

    // One sign at a time, each at its place.
    let each: String = (1..=text.chars().count())
        .map(|sign| format!("1 0 0 1 {} 700 Tm <{sign:04x}> Tj ", 72 + sign * 12))
        .collect();
    let found = look(&bytes(pdf(&format!("BT /F 12 Tf {each} ET"), mapped(text))), "a.pdf");
    assert_eq!(total(&found, Kind::Address), 1, "{found:?}");
}

#[test]
fn a_sentence_that_runs_over_lines_and_radicals_is_read() {
    // 九龍旺角彌敦道…: 角, 大 and 文 painted as radicals, the address cut after 彌.
    let text = "客戶⼤⽂先生居於香港旺⾓及九龍旺角彌敦道285號海景大廈26樓G室";
    let first = signs(19);
    let second: String = (20..=text.chars().count()).map(|sign| format!("{sign:04x}")).collect();
    let content = format!("BT /F 12 Tf 72 700 Td <{first}> Tj 0 -14 Td <{second}> Tj ET");
    let found = look(&bytes(pdf(&content, mapped(text))), "a.pdf");
    assert_eq!(total(&found, Kind::Address), 1, "{found:?}");

    // What a span says of itself stands for its signs.
    let content = "BT /F 12 Tf (HKID ) Tj /Span << /ActualText (A123) >> BDC (x) Tj (yz) Tj EMC \
        (456\\(3\\)) Tj ET";
    let found = look(&bytes(pdf(content, helvetica)), "a.pdf");
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 1, "{found:?}");
}

#[test]
fn chinese_text_in_a_known_character_set_is_read() {
    let text = "現居於香港西營盤德輔道西718號太平樓36樓D室。";
    for (name, encoded) in [
        ("ETenms-B5-H", encoding_rs::BIG5.encode(text).0.into_owned()),
        ("GBK-EUC-H", encoding_rs::GB18030.encode(text).0.into_owned()),
        ("UniCNS-UTF16-H", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    ] {
        let hex: String = encoded.iter().map(|byte| format!("{byte:02x}")).collect();
        let font = |document: &mut Document| {
            let font = dictionary! {
                "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "Ming", "Encoding" => name,
            };
            dictionary! { "F" => document.add_object(font) }
        };
        let content = format!("BT /F 12 Tf 72 700 Td <{hex}> Tj ET");
        let found = look(&bytes(pdf(&content, font)), "a.pdf");
        assert_eq!(total(&found, Kind::Address), 1, "{name} {found:?}");
    }
}

#[test]
fn fields_notes_properties_and_attached_files_are_read() {
    let mut document = pdf("BT /F 12 Tf (text) Tj ET", helvetica);
    document.add_object(dictionary! {
        "FT" => "Tx", "T" => Object::string_literal("HKID"), "V" => Object::string_literal("A123456(3)"),
    });
    document.add_object(dictionary! {
        "Type" => "Annot", "Subtype" => "Text", "Contents" => Object::string_literal("HKID E364912(5)"),
    });
    let info =
        document.add_object(dictionary! { "Author" => Object::string_literal("a@example.com") });
    document.trailer.set("Info", info);
    let inner = dictionary! { "Type" => "EmbeddedFile" };
    document.add_object(Stream::new(inner, b"HKID D288754(2)\n".to_vec()));
    let found = look(&bytes(document), "a.pdf");
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 3, "{found:#?}");
    assert_eq!(total(&found, Kind::Email), 1);
}

#[test]
fn a_file_that_runs_in_circles_ends() {
    let mut document = pdf("/X Do", helvetica);
    // The page tree is its own child, and a drawing paints itself twice.
    let pages = document.catalog().unwrap().get(b"Pages").unwrap().as_reference().unwrap();
    let tree = document.get_dictionary_mut(pages).unwrap();
    let mut kids = tree.get(b"Kids").unwrap().as_array().unwrap().clone();
    kids.push(pages.into());
    tree.set("Kids", kids);
    let drawing = document.new_object_id();
    let page = document.page_iter().next().unwrap();
    document
        .get_dictionary_mut(page)
        .unwrap()
        .set("Resources", dictionary! { "XObject" => dictionary! { "X" => drawing } });
    let form = dictionary! {
        "Type" => "XObject", "Subtype" => "Form",
        "Resources" => dictionary! { "XObject" => dictionary! { "X" => drawing } },
    };
    document.objects.insert(drawing, Stream::new(form, b"/X Do /X Do".to_vec()).into());
    assert_eq!(troubles(&look(&bytes(document), "a.pdf")), [TroubleKind::Corrupt]);
}

#[test]
fn a_page_that_unpacks_to_too_much_is_reported() {
    let bomb = " ".repeat(40 << 20);
    let found = look(&bytes(pdf(&bomb, helvetica)), "a.pdf");
    assert_eq!(troubles(&found), [TroubleKind::TooLarge]);
}

#[test]
fn pictures_locks_and_damage_are_reported() {
    let found = look(&bytes(pdf("0 0 10 10 re f", helvetica)), "a.pdf");
    assert_eq!(troubles(&found), [TroubleKind::Unsupported]);
    let whole = bytes(pdf("BT /F 12 Tf (HKID A123456\\(3\\)) Tj ET", helvetica));
    let found = look(&whole[..whole.len() / 3], "a.pdf");
    assert_eq!(troubles(&found), [TroubleKind::Corrupt]);

    let mut document = pdf("BT /F 12 Tf (HKID A123456\\(3\\)) Tj ET", helvetica);
    document.trailer.set(
        "ID",
        vec![
            Object::string_literal("0123456789abcdef"),
            Object::string_literal("0123456789abcdef"),
        ],
    );
    let version = lopdf::EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password: "user",
        key_length: 128,
        permissions: lopdf::Permissions::all(),
    };
    let state = lopdf::EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    assert_eq!(troubles(&look(&bytes(document), "a.pdf")), [TroubleKind::Protected]);
}
