//! Pages of lists as the object stores write them: XML of S3, of Google's in the manner of S3, and
//! of Azure. The answer is a stranger's: anything that is no list is refused whole, and a key that
//! is no text is named alone.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Elements in elements; lists have five.
const DEPTH_MAX: usize = 16;
/// Entries of one page; stores give at most this many.
const ENTRIES_MAX: usize = 5_000;
/// Bytes of one text; keys have at most 1,024, which are three times as long when escaped.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// A page of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The objects.
    pub(super) entries: Vec<Entry>,
    /// Keys that are no text, as far as they can be shown.
    pub(super) strange: Vec<String>,
    /// From where to go on.
    pub(super) next: Option<String>,
}

/// An object of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its key.
    pub(super) key: String,
    /// Its size.
    pub(super) bytes: u64,
    /// Its version, with the quotes that a header wants.
    pub(super) version: Option<String>,
}

/// Reads a page; none when it is no list.
pub(super) fn page(xml: &str) -> Option<Page> {
    let mut reader = Reader::from_str(xml);
    let mut reading = Reading::default();
    let mut is_list = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) => {
                if reading.path.len() >= DEPTH_MAX {
                    return None;
                }
                let name = element.local_name();
                let name = std::str::from_utf8(name.as_ref()).ok()?.to_owned();
                is_list |= matches!(name.as_str(), "ListBucketResult" | "EnumerationResults");
                let encoded = element.try_get_attribute("Encoded").ok().flatten();
                reading.encoded = encoded.is_some_and(|said| said.value.as_ref() == b"true");
                reading.path.push(name);
                reading.text.clear();
            }
            Event::End(_) => reading.end()?,
            Event::Text(text) => reading.add(&text.decode().ok()?)?,
            Event::CData(text) => reading.add(&text.decode().ok()?)?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().ok()? {
                    Some(character) => character,
                    None => named(&reference.decode().ok()?)?,
                };
                reading.add(character.encode_utf8(&mut [0; 4]))?;
            }
            // A list declares nothing.
            Event::DocType(_) => return None,
            Event::Eof => break,
            _ => {}
        }
    }
    (is_list && reading.path.is_empty()).then(|| reading.finish())
}

fn named(entity: &str) -> Option<char> {
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// A page on its way.
#[derive(Default)]
struct Reading {
    path: Vec<String>,
    text: String,
    encoded: bool,
    /// Every key of the page is escaped as in an address.
    escaped: bool,
    key: Option<(String, bool)>,
    entry: Entry,
    directory: bool,
    keys: Vec<(String, bool, Entry)>,
    next: Option<String>,
}

impl Reading {
    fn add(&mut self, text: &str) -> Option<()> {
        self.text.push_str(text);
        (self.text.len() <= TEXT_BYTES_MAX).then_some(())
    }

    fn end(&mut self) -> Option<()> {
        let name = self.path.pop()?;
        let text = std::mem::take(&mut self.text);
        let within = |outer: &str| self.path.iter().any(|step| step == outer);
        let in_entry = within("Contents") || within("Blob");
        match name.as_str() {
            "Key" | "Name" if in_entry => self.key = Some((text, self.encoded)),
            "Size" | "Content-Length" if in_entry => self.entry.bytes = text.trim().parse().ok()?,
            "ETag" | "Etag" if in_entry && !text.is_empty() => {
                self.entry.version = Some(quoted(text));
            }
            "ResourceType" if in_entry => self.directory = text == "directory",
            "Contents" | "Blob" => {
                let (key, encoded) = self.key.take()?;
                let entry = std::mem::take(&mut self.entry);
                if !std::mem::take(&mut self.directory) {
                    self.keys.push((key, encoded, entry));
                }
                if self.keys.len() > ENTRIES_MAX {
                    return None;
                }
            }
            "EncodingType" => self.escaped = text == "url",
            "NextContinuationToken" | "NextMarker" if !text.is_empty() => self.next = Some(text),
            _ => {}
        }
        Some(())
    }

    fn finish(self) -> Page {
        let mut page = Page { next: self.next, ..Page::default() };
        for (key, encoded, entry) in self.keys {
            let plain = match (self.escaped, encoded) {
                (true, _) => unescaped(&key, true),
                (false, true) => unescaped(&key, false),
                (false, false) => Some(key.clone()),
            };
            match plain {
                Some(key) => page.entries.push(Entry { key, ..entry }),
                None => page.strange.push(key),
            }
        }
        page
    }
}

/// A version as headers want it.
fn quoted(tag: String) -> String {
    if tag.starts_with('"') || tag.starts_with("W/") { tag } else { format!("\"{tag}\"") }
}

/// A key escaped as in an address; none when it is no UTF-8.
fn unescaped(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let plain = match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            b'+' if plus_is_space => b' ',
            byte => byte,
        };
        bytes.push(plain);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(xml: &str) -> Vec<String> {
        page(xml).unwrap().entries.into_iter().map(|entry| entry.key).collect()
    }

    #[test]
    fn a_page_of_s3_is_read_with_any_key() {
        let xml = r#"<?xml version="1.0"?><ListBucketResult xmlns="x"><Name>bank</Name>
            <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
            <NextContinuationToken>a&amp;b</NextContinuationToken>
            <Contents><Key>a//b+c%2B%25/../%01</Key><Size>7</Size><ETag>&quot;e&quot;</ETag></Contents>
            <Contents><Key>%ff</Key><Size>1</Size></Contents></ListBucketResult>"#;
        let found = page(xml).unwrap();
        assert_eq!(found.next.as_deref(), Some("a&b"));
        let entry = &found.entries[0];
        assert_eq!((entry.key.as_str(), entry.bytes), ("a//b c+%/../\u{1}", 7));
        assert_eq!(entry.version.as_deref(), Some("\"e\""));
        assert_eq!(found.strange, ["%ff"]);
        let plain = xml.replace("<EncodingType>url</EncodingType>", "");
        assert_eq!(keys(&plain), ["a//b+c%2B%25/../%01", "%ff"], "a store that escapes nothing");
    }

    #[test]
    fn a_page_of_azure_is_read_without_its_folders() {
        let xml = r#"<EnumerationResults><Blobs><Blob><Name>a &lt;b&gt; &#x5BA2;</Name><Properties>
            <Content-Length>12</Content-Length><Etag>0x1</Etag></Properties></Blob><Blob>
            <Name Encoded="true">a%01</Name><Properties><Content-Length>1</Content-Length></Properties>
            </Blob><Blob><Name>folder</Name><Properties><Content-Length>0</Content-Length>
            <ResourceType>directory</ResourceType></Properties></Blob></Blobs><NextMarker/>
            </EnumerationResults>"#;
        let found = page(xml).unwrap();
        assert_eq!(keys(xml), ["a <b> 客", "a\u{1}"]);
        assert_eq!((found.entries[0].bytes, found.next), (12, None));
        assert_eq!(found.entries[0].version.as_deref(), Some("\"0x1\""));
    }

    #[test]
    fn what_is_no_list_is_refused_whole() {
        let deep = "<a>".repeat(DEPTH_MAX + 1);
        let long = format!("<ListBucketResult><Name>{}</Name>", "x".repeat(TEXT_BYTES_MAX + 1));
        let one = "<Contents><Key>k</Key><Size>1</Size></Contents>";
        let many = one.repeat(ENTRIES_MAX + 1);
        let many = format!("<ListBucketResult>{many}</ListBucketResult>");
        for wrong in [
            "",
            "<Error/>",
            "<ListBucketResult>",
            "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><ListBucketResult>&b;</ListBucketResult>",
            &deep,
            &long,
            &many,
        ] {
            assert_eq!(page(wrong), None, "{}", wrong.get(..80).unwrap_or(wrong));
        }
        assert_eq!(page("<ListBucketResult></ListBucketResult>"), Some(Page::default()));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = page(&text);
            let _ = page(&format!("<ListBucketResult><Contents>{text}</Contents></ListBucketResult>"));
            let _ = (unescaped(&text, true), unescaped(&text, false));
        }
    }
}
