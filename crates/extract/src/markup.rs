//! XML and HTML taken apart from front to end, in bounded memory. Entities are never expanded but
//! for characters; what a document declares itself is left as it stands.

/// The longest tag that is read as one; of a longer one the rest is text.
const TAG_BYTES_MAX: usize = 64 << 10;
/// `&thetasym;` is the longest name that browsers know and people use.
const ENTITY_BYTES_MAX: usize = 10;
/// Text is handed on in pieces of about this size.
const TEXT_BYTES: usize = 4_096;

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A tag opens: its local name, and what stands behind it.
    Open(&'a [u8], &'a [u8]),
    /// A tag closes.
    Close(&'a [u8]),
    /// Text, or a part of it.
    Text(&'a [u8]),
    /// A comment or a part of it.
    Comment(&'a [u8]),
    /// The document declares entities of its own.
    Declares,
}

/// A document on its way through.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    state: State,
    /// What was read of a tag, entity or text.
    held: Vec<u8>,
    /// The tag has an attribute, and so its quotes count.
    assigned: bool,
    /// The element whose content is no markup: `script`, `style`.
    raw: Option<Vec<u8>>,
    html: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After `&`.
    Entity,
    /// After `<`; with the quote that is open.
    Tag(u8),
    Comment,
    Cdata,
    /// `<!DOCTYPE` with its brackets.
    Declaration(u8),
}

impl Markup {
    /// A document of HTML, where scripts hold no markup.
    pub(crate) fn html() -> Self {
        Self { html: true, ..Self::default() }
    }

    /// Takes the next piece.
    pub(crate) fn feed(&mut self, text: &[u8], sink: &mut dyn FnMut(Token<'_>)) {
        for byte in text {
            self.take(*byte, sink);
        }
    }

    /// Ends the document.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(Token<'_>)) {
        self.text(sink);
    }

    fn take(&mut self, byte: u8, sink: &mut dyn FnMut(Token<'_>)) {
        match (self.state, byte) {
            (State::Text, b'<') => {
                self.text(sink);
                self.assigned = false;
                self.state = State::Tag(0);
            }
            (State::Text, b'&') if self.raw.is_none() => {
                self.text(sink);
                self.state = State::Entity;
                self.held.push(byte);
            }
            (State::Text, _) => {
                self.held.push(byte);
                if self.held.len() >= TEXT_BYTES {
                    self.text(sink);
                }
            }
            (State::Entity, b';') => self.entity(sink),
            (State::Entity, _) => self.in_entity(byte, sink),
            (State::Tag(quote), _) => self.in_tag(quote, byte, sink),
            (State::Comment, _) => self.until(b"-->", byte, sink),
            (State::Cdata, _) => self.until(b"]]>", byte, sink),
            (State::Declaration(depth), _) => self.in_declaration(depth, byte, sink),
        }
    }

    fn text(&mut self, sink: &mut dyn FnMut(Token<'_>)) {
        if !self.held.is_empty() {
            sink(Token::Text(&self.held));
        }
        self.held.clear();
    }

    fn in_entity(&mut self, byte: u8, sink: &mut dyn FnMut(Token<'_>)) {
        if (byte.is_ascii_alphanumeric() || byte == b'#') && self.held.len() <= ENTITY_BYTES_MAX {
            self.held.push(byte);
        } else {
            self.state = State::Text;
            self.take(byte, sink);
        }
    }

    fn entity(&mut self, sink: &mut dyn FnMut(Token<'_>)) {
        self.state = State::Text;
        match character(&self.held) {
            Some(c) => {
                let mut buffer = [0; 4];
                sink(Token::Text(c.encode_utf8(&mut buffer).as_bytes()));
                self.held.clear();
            }
            None => self.held.push(b';'),
        }
    }

    fn in_tag(&mut self, quote: u8, byte: u8, sink: &mut dyn FnMut(Token<'_>)) {
        if let Some(name) = &self.raw {
            // Only the end of the element ends its text.
            let closing = self.held.strip_prefix(b"/").unwrap_or_default();
            if byte == b'>' && closing.trim_ascii().eq_ignore_ascii_case(name) {
                self.raw = None;
            } else if byte == b'<' || self.held.len() > name.len() + 1 {
                self.state = if byte == b'<' { State::Tag(0) } else { State::Text };
                self.held.insert(0, b'<');
                self.text(sink);
                if byte != b'<' {
                    self.held.push(byte);
                }
                return;
            } else {
                self.held.push(byte);
                return;
            }
        }
        match (quote, byte) {
            (0, b'>') => return self.tag(sink),
            (0, b'=') => self.assigned = true,
            (0, b'"' | b'\'') if self.assigned => self.state = State::Tag(byte),
            (quote, byte) if quote != 0 && quote == byte => self.state = State::Tag(0),
            _ => {}
        }
        let first = self.held.first().copied().unwrap_or(byte);
        if self.held.is_empty()
            && !(byte.is_ascii_alphabetic() || b"/!?_".contains(&byte) || byte >= 0x80)
        {
            // A sign, not a tag.
            self.state = State::Text;
            self.held.push(b'<');
            return self.take(byte, sink);
        }
        self.held.push(byte);
        match self.held.as_slice() {
            b"!--" => self.switch(State::Comment),
            b"![CDATA[" => self.switch(State::Cdata),
            held if first == b'!' && held.len() == 8 && held.eq_ignore_ascii_case(b"!DOCTYPE") => {
                self.switch(State::Declaration(0));
            }
            held if held.len() >= TAG_BYTES_MAX => {
                self.state = State::Text;
                self.text(sink);
            }
            _ => {}
        }
    }

    fn switch(&mut self, state: State) {
        self.state = state;
        self.held.clear();
    }

    fn tag(&mut self, sink: &mut dyn FnMut(Token<'_>)) {
        self.state = State::Text;
        let held = std::mem::take(&mut self.held);
        if matches!(held.first(), Some(b'!' | b'?') | None) {
            return;
        }
        if let Some(name) = held.strip_prefix(b"/") {
            return sink(Token::Close(local(name.trim_ascii())));
        }
        let (body, empty) = match held.strip_suffix(b"/") {
            Some(body) => (body, true),
            None => (held.as_slice(), false),
        };
        let end = body.iter().position(u8::is_ascii_whitespace).unwrap_or(body.len());
        let (name, rest) = body.split_at_checked(end).unwrap_or((body, &[]));
        sink(Token::Open(local(name), rest));
        if empty {
            sink(Token::Close(local(name)));
        } else if self.html
            && [&b"script"[..], b"style"].iter().any(|raw| name.eq_ignore_ascii_case(raw))
        {
            self.raw = Some(name.to_vec());
        }
    }

    /// Inside of a comment or of character data, which end with these bytes.
    fn until(&mut self, end: &[u8], byte: u8, sink: &mut dyn FnMut(Token<'_>)) {
        self.held.push(byte);
        let closed = self.held.ends_with(end);
        if !closed && self.held.len() < TEXT_BYTES {
            return;
        }
        // What may be the beginning of the end stays.
        let kept = if closed { 0 } else { end.len() - 1 };
        let told = self.held.len() - if closed { end.len() } else { kept };
        let text = self.held.get(..told).unwrap_or_default();
        sink(if self.state == State::Comment { Token::Comment(text) } else { Token::Text(text) });
        self.held.drain(..self.held.len() - kept);
        if closed {
            self.state = State::Text;
        }
    }

    fn in_declaration(&mut self, depth: u8, byte: u8, sink: &mut dyn FnMut(Token<'_>)) {
        match byte {
            b'[' | b'<' => self.state = State::Declaration(depth.saturating_add(1)),
            b']' => self.state = State::Declaration(depth.saturating_sub(1)),
            b'>' if depth == 0 => return self.switch(State::Text),
            b'>' => self.state = State::Declaration(depth - 1),
            _ => {}
        }
        self.held.push(byte);
        if self.held.ends_with(b"<!ENTITY") {
            sink(Token::Declares);
        }
        if self.held.len() >= TEXT_BYTES {
            self.held.drain(..TEXT_BYTES - 16);
        }
    }
}

/// A name without its namespace.
fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|b| *b == b':').next().unwrap_or(name)
}

/// The character that an entity names: `&amp`, `&#38`, `&#x26`.
fn character(entity: &[u8]) -> Option<char> {
    let name = std::str::from_utf8(entity.strip_prefix(b"&")?).ok()?;
    if let Some(number) = name.strip_prefix('#') {
        let hexadecimal = number.strip_prefix(['x', 'X']);
        let code = match hexadecimal {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        _ => return None,
    })
}

/// The attributes of a tag: names without their namespace, values without quotes, characters
/// decoded. Declarations of namespaces are left out.
pub(crate) fn attributes(rest: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = rest.trim_ascii_start();
    while let Some(equals) = rest.iter().position(|b| *b == b'=') {
        let (name, value) = rest.split_at_checked(equals).unwrap_or((rest, &[]));
        let value = value.get(1..).unwrap_or_default().trim_ascii_start();
        let name = name.trim_ascii().rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
        let quote = value.first().copied().filter(|b| matches!(b, b'"' | b'\''));
        let body = value.get(usize::from(quote.is_some())..).unwrap_or_default();
        let end = match quote {
            Some(quote) => body.iter().position(|b| *b == quote),
            None => body.iter().position(u8::is_ascii_whitespace),
        };
        let end = end.unwrap_or(body.len());
        // Where a vocabulary is described is no content.
        if !name.starts_with(b"xmlns") && local(name) != b"schemaLocation" {
            found.push((local(name), plain(body.get(..end).unwrap_or_default())));
        }
        rest = body.get(end + 1..).unwrap_or_default().trim_ascii_start();
    }
    found
}

/// Text with its characters decoded.
fn plain(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut markup = Markup::default();
    let mut sink = |token: Token<'_>| {
        if let Token::Text(piece) = token {
            out.extend_from_slice(piece);
        }
    };
    markup.feed(text, &mut sink);
    markup.finish(&mut sink);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(mut markup: Markup, text: &str) -> String {
        let mut out = String::new();
        let mut last_text = false;
        let mut sink = |token: Token<'_>| {
            let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let is_text = matches!(token, Token::Text(_));
            out += &match token {
                Token::Open(name, rest) => format!("<{}{}>", shown(name), shown(rest)),
                Token::Close(name) => format!("</{}>", shown(name)),
                Token::Text(text) if last_text => shown(text),
                Token::Text(text) => format!("|{}", shown(text)),
                Token::Comment(text) => format!("!{}!", shown(text)),
                Token::Declares => "ENTITY".to_owned(),
            };
            last_text = is_text;
        };
        text.bytes().for_each(|byte| markup.feed(&[byte], &mut sink));
        markup.finish(&mut sink);
        out
    }

    #[test]
    fn documents_are_taken_apart() {
        let xml = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x \"y>\">]><w:a b='>'>1 &lt; 2&x;\
            <![CDATA[<raw>]]><c/></w:a><!-- note -->";
        assert_eq!(
            tokens(Markup::default(), xml),
            "ENTITY<a b='>'>|1 < 2&x;<raw><c></c></a>! note !"
        );
        let html = "<p>a < b & c<script>if (a<b) '</p>'</script>x</P>";
        assert_eq!(
            tokens(Markup::html(), html),
            "<p>|a < b & c<script>|if (a<b) '</p>'</script>|x</P>"
        );
    }

    #[test]
    fn attributes_are_read_with_and_without_quotes() {
        let found = attributes(b" xmlns:x=\"http://example.com\" x:a=\"1&amp;2\" b = '3' c=4 d");
        let shown: Vec<_> = found
            .iter()
            .map(|(n, v)| (n.escape_ascii().to_string(), v.escape_ascii().to_string()))
            .collect();
        let expected = [("a", "1&2"), ("b", "3"), ("c", "4")];
        assert_eq!(shown, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }
}
