//! The text of one page of a PDF, in the order in which it is painted: lines where the pen moves
//! down, gaps where it moves on by more than a letter.

use crate::input::Budget;
use crate::obstacle::Obstacle;
use crate::pdf::STREAM_BYTES_MAX;
use crate::pdf_map::Map;
use crate::pdf_width::Widths;
use encoding_rs::{BIG5, GB18030, SHIFT_JIS, UTF_16BE, WINDOWS_1252};
use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Encoding, Object, decode_text_string};
use std::collections::HashMap;
use std::rc::Rc;

/// Drawings in drawings.
const DEPTH_MAX: usize = 8;
/// Drawings painted on one page: one that paints another twice, eight deep, is an attack.
const DRAWINGS_MAX: usize = 1_000;
/// Text of one page.
const TEXT_BYTES_MAX: usize = 8 << 20;
/// A gap of this share of a letter's height parts words.
const GAP_SHARE: f32 = 0.25;
/// How wide letters are, as a share of their height, when the font is not asked.
const NARROW_SHARE: f32 = 0.5;
/// A move of this share of a letter's height begins a line.
const LINE_SHARE: f32 = 0.4;

/// What the radicals of the Kangxi dictionary (U+2F00 to U+2FD5) are as characters: programs that
/// print map their signs to these.
const RADICALS: &str = "一丨丶丿乙亅二亠人儿入八冂冖冫几凵刀力勹匕匚匸十卜卩厂厶又口囗土士夂夊夕大女子宀寸小尢\
    尸屮山巛工己巾干幺广廴廾弋弓彐彡彳心戈戶手支攴文斗斤方无日曰月木欠止歹殳毋比毛氏气水火\
    爪父爻爿片牙牛犬玄玉瓜瓦甘生用田疋疒癶白皮皿目矛矢石示禸禾穴立竹米糸缶网羊羽老而耒耳聿\
    肉臣自至臼舌舛舟艮色艸虍虫血行衣襾見角言谷豆豕豸貝赤走足身車辛辰辵邑酉釆里金長門阜隶隹\
    雨靑非面革韋韭音頁風飛食首香馬骨高髟鬥鬯鬲鬼魚鳥鹵鹿麥麻黃黍黑黹黽鼎鼓鼠鼻齊齒龍龜龠";
/// A line of fewer characters is not continued by the next one: it is an entry of a list.
const FULL_LINE_CHARS: usize = 15;
/// A line that is continued reaches so far to the right, as a share of the longest one's reach.
const FULL_LINE_SHARE: f32 = 0.9;

/// How the bytes of a font are read.
enum Reading<'a> {
    Known(Encoding<'a>),
    Mapped(Map),
    Wide(&'static encoding_rs::Encoding),
    /// The file does not say which letters the signs are.
    Unknown,
}

/// A font as text needs it.
struct Font<'a> {
    reading: Reading<'a>,
    widths: Widths,
}

/// The text of pages as they are painted.
pub(crate) struct Writer<'a> {
    document: &'a Document,
    budget: Rc<Budget>,
    text: String,
    /// Fonts by the names that the page has for them.
    fonts: HashMap<Vec<u8>, Rc<Font<'a>>>,
    /// Fonts by their place in memory: pages share them.
    known: HashMap<*const Dictionary, Rc<Font<'a>>>,
    font: Vec<u8>,
    size: f32,
    scale: f32,
    leading: f32,
    /// Where the line began, and where the pen is by our reckoning.
    line: (f32, f32),
    pen: (f32, f32),
    unread: bool,
    drawings: usize,
    /// Where lines end in the text, and how far to the right they reach.
    ends: Vec<(usize, f32)>,
    /// What the signs of this span stand for, until the first of them is painted.
    instead: Option<Instead>,
}

/// A span whose text is told beside its signs (`ActualText`).
struct Instead {
    text: Option<String>,
    /// Spans inside of it.
    depth: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(document: &'a Document, budget: &Rc<Budget>) -> Self {
        Self {
            document,
            budget: Rc::clone(budget),
            text: String::new(),
            fonts: HashMap::new(),
            known: HashMap::new(),
            font: Vec::new(),
            size: 1.0,
            scale: 1.0,
            leading: 0.0,
            line: (0.0, 0.0),
            pen: (0.0, 0.0),
            unread: false,
            drawings: 0,
            ends: Vec::new(),
            instead: None,
        }
    }

    /// Ends a page and gives its text.
    pub(crate) fn end_page(&mut self) -> Vec<u8> {
        self.fonts.clear();
        self.font.clear();
        self.drawings = 0;
        self.unread = false;
        self.instead = None;
        let text = std::mem::take(&mut self.text);
        joined(&text, &std::mem::take(&mut self.ends)).into_bytes()
    }

    /// Paints a content stream.
    pub(crate) fn run(
        &mut self,
        content: &[u8],
        resources: &[&'a Dictionary],
        depth: usize,
    ) -> Result<(), Obstacle> {
        for operation in Content::decode_iter(content) {
            let operation: Operation = operation?;
            self.paint(&operation, resources, depth)?;
            if self.text.len() > TEXT_BYTES_MAX {
                return Err(Obstacle::too_large("a page holds more text than the limits allow"));
            }
        }
        if self.unread && depth == 0 {
            let detail = "a font does not say which letters its signs are";
            return Err(Obstacle::unsupported(detail));
        }
        Ok(())
    }

    fn paint(
        &mut self,
        operation: &Operation,
        resources: &[&'a Dictionary],
        depth: usize,
    ) -> Result<(), Obstacle> {
        let operands = &operation.operands;
        let number =
            |place: usize| operands.get(place).and_then(|o| o.as_float().ok()).unwrap_or(0.0);
        match operation.operator.as_str() {
            "BT" => {
                self.line = (0.0, 0.0);
                self.scale = 1.0;
            }
            "ET" => {}
            "Tf" => {
                if let Some(Ok(name)) = operands.first().map(Object::as_name) {
                    self.select(name, resources);
                }
                self.size = number(1).abs().max(0.01);
            }
            "TL" => self.leading = number(0),
            "Td" => self.shift(number(0), number(1)),
            "TD" => {
                self.leading = -number(1);
                self.shift(number(0), number(1));
            }
            "Tm" => {
                self.scale = number(0).abs().max(number(1).abs()).max(0.01);
                self.line = (number(4), number(5));
                self.goto();
            }
            "T*" => self.shift(0.0, -self.leading),
            "Tj" => self.show(operands.first()),
            "'" => {
                self.shift(0.0, -self.leading);
                self.show(operands.first());
            }
            "\"" => {
                self.shift(0.0, -self.leading);
                self.show(operands.get(2));
            }
            "TJ" => {
                let parts = operands.first().and_then(|o| o.as_array().ok());
                for part in parts.into_iter().flatten() {
                    match part.as_float() {
                        Ok(back) => {
                            self.pen.0 -= back / 1_000.0 * self.height();
                            if -back / 1_000.0 > GAP_SHARE {
                                self.gap();
                            }
                        }
                        Err(_) => self.show(Some(part)),
                    }
                }
            }
            "BDC" | "BMC" => self.begin_span(operands.get(1)),
            "EMC" => self.end_span(),
            "Do" => {
                if let Some(Ok(name)) = operands.first().map(Object::as_name) {
                    self.draw(name, resources, depth)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn height(&self) -> f32 {
        self.size * self.scale
    }

    fn shift(&mut self, x: f32, y: f32) {
        self.line.0 += x * self.scale;
        self.line.1 += y * self.scale;
        self.goto();
    }

    /// The pen goes to where the line begins now.
    fn goto(&mut self) {
        let height = self.height();
        if (self.line.1 - self.pen.1).abs() > height * LINE_SHARE {
            if !self.text.ends_with('\n') && !self.text.is_empty() {
                self.ends.push((self.text.len(), self.pen.0));
                self.text.push('\n');
            }
        } else if self.line.0 - self.pen.0 > height * GAP_SHARE
            || self.line.0 < self.pen.0 - height * 2.0
        {
            self.gap();
        }
        self.pen = self.line;
    }

    fn gap(&mut self) {
        if !self.text.ends_with([' ', '\n']) && !self.text.is_empty() {
            self.text.push(' ');
        }
    }

    fn begin_span(&mut self, properties: Option<&Object>) {
        if let Some(instead) = &mut self.instead {
            instead.depth += 1;
            return;
        }
        let text = properties.and_then(|o| o.as_dict().ok()?.get(b"ActualText").ok());
        let text = text.and_then(|o| decode_text_string(o).ok());
        self.instead = text.map(|text| Instead { text: Some(text), depth: 0 });
    }

    fn end_span(&mut self) {
        match &mut self.instead {
            Some(instead) if instead.depth > 0 => instead.depth -= 1,
            _ => self.instead = None,
        }
    }

    fn show(&mut self, operand: Option<&Object>) {
        let Some(Ok(bytes)) = operand.map(Object::as_str) else { return };
        let before = self.text.len();
        self.write(bytes);
        let shown = self.text.get(before..).unwrap_or_default();
        let width = |c: char| if u32::from(c) < 0x2e80 { NARROW_SHARE } else { 1.0 };
        let guessed: f32 = shown.chars().map(width).sum();
        let font = self.fonts.get(&self.font);
        let advance = font.and_then(|font| font.widths.advance(bytes));
        self.pen.0 += advance.unwrap_or(guessed) * self.height();
        let Some(instead) = &mut self.instead else { return };
        self.text.truncate(before);
        self.text.push_str(&instead.text.take().unwrap_or_default());
    }

    fn write(&mut self, bytes: &[u8]) {
        let font = self.fonts.get(&self.font);
        match font.map(|font| &font.reading) {
            Some(Reading::Known(encoding)) => {
                // What a map lacks is left out by it.
                let _ = encoding.write_to_string(bytes, &mut self.text);
            }
            Some(Reading::Mapped(map)) => map.write(bytes, &mut self.text),
            Some(Reading::Wide(encoding)) => {
                self.text.push_str(&encoding.decode_without_bom_handling(bytes).0);
            }
            Some(Reading::Unknown) => self.unread |= !bytes.is_empty(),
            None => self.text.push_str(&WINDOWS_1252.decode_without_bom_handling(bytes).0),
        }
    }

    fn select(&mut self, name: &[u8], resources: &[&'a Dictionary]) {
        name.clone_into(&mut self.font);
        if self.fonts.contains_key(name) {
            return;
        }
        let found = self.resource(resources, b"Font", name);
        let Some(found) = found.and_then(|o| o.as_dict().ok()) else { return };
        let font = match self.known.get(&std::ptr::from_ref(found)) {
            Some(font) => Rc::clone(font),
            None => {
                let widths = Widths::of(self.document, found, is_subtype(found, b"Type0"));
                let reading = reading(self.document, found, &self.budget);
                let font = Rc::new(Font { reading, widths });
                self.known.insert(found, Rc::clone(&font));
                font
            }
        };
        self.fonts.insert(name.to_vec(), font);
    }

    fn resource(
        &self,
        resources: &[&'a Dictionary],
        kind: &[u8],
        name: &[u8],
    ) -> Option<&'a Object> {
        resources.iter().find_map(|dictionary| {
            let (_, group) = self.document.dereference(dictionary.get(kind).ok()?).ok()?;
            let found = group.as_dict().ok()?.get(name).ok()?;
            self.document.dereference(found).ok().map(|(_, object)| object)
        })
    }

    /// Paints a drawing that the content names.
    fn draw(
        &mut self,
        name: &[u8],
        resources: &[&'a Dictionary],
        depth: usize,
    ) -> Result<(), Obstacle> {
        let found = self.resource(resources, b"XObject", name).and_then(|o| o.as_stream().ok());
        let Some(stream) = found.filter(|s| is_subtype(&s.dict, b"Form")) else {
            return Ok(());
        };
        self.drawings += 1;
        if depth >= DEPTH_MAX || self.drawings > DRAWINGS_MAX {
            return Err(Obstacle::corrupt("drawings of the page run in circles"));
        }
        let content = stream.get_plain_content_with_limit(STREAM_BYTES_MAX)?;
        self.budget.spend(content.len() as u64)?;
        let own = stream.dict.get(b"Resources").ok();
        let own =
            own.and_then(|o| self.document.dereference(o).ok()).and_then(|(_, o)| o.as_dict().ok());
        let inner: Vec<&'a Dictionary> = own.into_iter().chain(resources.iter().copied()).collect();
        // Fonts of the drawing may have the names of other fonts of the page.
        let outer = std::mem::take(&mut self.fonts);
        let done = self.run(&content, &inner, depth + 1);
        self.fonts = outer;
        done
    }
}

/// The text with lines joined that Chinese sentences run over: full ones, where no sign of an end
/// stands, and with radicals as characters.
fn joined(text: &str, ends: &[(usize, f32)]) -> String {
    let reach = ends.iter().map(|(_, end)| *end).fold(0.0, f32::max);
    let mut out = String::with_capacity(text.len());
    let (mut start, mut full) = (0, false);
    let last = [(text.len(), 0.0)];
    for (end, right) in ends.iter().chain(&last) {
        let line = text.get(start..*end).unwrap_or_default();
        let (before, after) = (out.chars().next_back(), line.chars().next());
        let runs_on = before.zip(after).is_some_and(|(a, b)| {
            let part = |c: char| is_han(c) || c.is_ascii_digit();
            part(a) && part(b) && (is_han(a) || is_han(b))
        });
        if start > 0 && !(full && runs_on) {
            out.push('\n');
        }
        out.extend(line.chars().map(unified));
        full = line.chars().count() >= FULL_LINE_CHARS && *right >= reach * FULL_LINE_SHARE;
        start = end + 1;
    }
    out
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{2f00}'..='\u{2fd5}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

fn unified(c: char) -> char {
    let place = u32::from(c).checked_sub(0x2f00).and_then(|place| usize::try_from(place).ok());
    place.filter(|place| *place < 214).and_then(|place| RADICALS.chars().nth(place)).unwrap_or(c)
}

fn is_subtype(dictionary: &Dictionary, wanted: &[u8]) -> bool {
    dictionary.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == wanted)
}

/// How a font's bytes are read: by its own map to letters, or by a known character set.
fn reading<'a>(document: &'a Document, font: &'a Dictionary, budget: &Budget) -> Reading<'a> {
    let (_, encoding) = match font.get(b"Encoding").and_then(|o| document.dereference(o)) {
        Ok(found) => found,
        Err(_) => (None, &Object::Null),
    };
    let name = encoding.as_name().unwrap_or_default();
    let composite = is_subtype(font, b"Type0");
    let map = font.get_deref(b"ToUnicode", document).and_then(Object::as_stream);
    let map = map.and_then(|stream| stream.get_plain_content_with_limit(STREAM_BYTES_MAX));
    let map = map.unwrap_or_default();
    // Maps beyond the budget are not read; the page's content will meet it as well.
    let map = if budget.spend(map.len() as u64).is_ok() { Map::read(&map) } else { Map::default() };
    if !map.is_empty() {
        return Reading::Mapped(map);
    }
    let has = |word: &str| name.windows(word.len()).any(|bytes| bytes == word.as_bytes());
    if has("UCS2") || has("UTF16") {
        return Reading::Wide(UTF_16BE);
    }
    if has("B5") || has("ETen") || has("HKscs") {
        return Reading::Wide(BIG5);
    }
    if has("GB") {
        return Reading::Wide(GB18030);
    }
    if has("RKSJ") {
        return Reading::Wide(SHIFT_JIS);
    }
    if composite {
        return Reading::Unknown;
    }
    match font.get_font_encoding_with_limit(document, STREAM_BYTES_MAX) {
        Ok(Encoding::SimpleEncoding(_)) | Err(_) => Reading::Wide(WINDOWS_1252),
        Ok(encoding) => Reading::Known(encoding),
    }
}
