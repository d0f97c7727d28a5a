//! HTML and XML.

use crate::support::{count, look, part, total, troubles};
use detect::Kind;
use extract::{Format, KindName, TroubleKind};

#[test]
fn html_is_read_as_people_see_it_and_beyond() {
    let html = "<!DOCTYPE html><html><head><title>客戶</title><meta content='a@example.com'></head>\
        <body><p>身份證號碼：<b>A123456</b>(3)</p><script>var t = \"HKID E364912(5)\";</script>\
        <a href=\"mailto:b@example.com\">mail</a><!-- HKID D288754(2) --></body></html>";
    let found = look(html.as_bytes(), "a.html");
    assert_eq!(found.format, Format::Html);
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 3);
    assert_eq!(total(&found, Kind::Email), 2);
}

#[test]
fn a_table_in_html_has_columns() {
    let html = "<html><body><table><tr><th>Name</th><th>Passport no.</th></tr>\
        <tr><td>Kowalczyk Jan</td><td>H12345678</td></tr>\
        <tr><td>Carmen Lam</td><td>K87654321</td></tr></table></body></html>";
    let found = look(html.as_bytes(), "a");
    let part = part(&found, &[]);
    assert_eq!(count(part, Kind::HongKongPassport), 2);
    let column = part.columns.iter().find(|c| c.kind == KindName(Kind::HongKongPassport)).unwrap();
    assert_eq!((column.name.as_str(), column.matching), ("Passport no.", 2));
    let passports = part.kinds.iter().find(|k| k.kind == KindName(Kind::HongKongPassport)).unwrap();
    assert_eq!(passports.samples[1].at, "row 3, column Passport no.");
}

#[test]
fn elements_of_xml_are_columns() {
    let rows: String = (0..20)
        .map(|i| format!("<row id='{i}'><hrp>H123456{i:02}</hrp><姓名>陳大文</姓名></row>\n"))
        .collect();
    let xml = format!("<?xml version='1.0' encoding='UTF-8'?>\n<rows>{rows}</rows>");
    let found = look(xml.as_bytes(), "a.xml");
    assert_eq!(found.format, Format::Xml);
    assert_eq!(total(&found, Kind::HomeReturnPermit), 20);
    let names: Vec<&str> = found.parts[0].columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["hrp", "姓名"]);
}

#[test]
fn a_billion_laughs_stay_unlaughed() {
    let mut xml = String::from("<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol0 \"lol\">");
    for i in 1..10 {
        let more = format!("&lol{};", i - 1).repeat(10);
        xml += &format!("<!ENTITY lol{i} \"{more}\">");
    }
    xml += "]><lolz>&lol9; HKID A123456(3)</lolz>";
    let found = look(xml.as_bytes(), "a.xml");
    assert_eq!(troubles(&found), [TroubleKind::Unsupported]);
    assert_eq!(total(&found, Kind::HongKongIdentityCard), 1);
    assert!(found.text_bytes < 1_000);
}
