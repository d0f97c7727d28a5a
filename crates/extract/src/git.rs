//! Git's own files: packs and loose objects, in which a repository keeps every version of every
//! file.
//!
//! Every blob is looked at once, whatever commits and branches it belongs to; trees that lie in the
//! same pack give it a name. Commits, tags and trees themselves are not searched. A pack is read
//! from front to end; a delta is resolved over its bases, which lie in the same file.

use crate::door::enter;
use crate::input::{Metered, ReadSeek, Source, fill};
use crate::obstacle::Obstacle;
use crate::session::Session;
use aws_lc_rs::digest;
use flate2::bufread::ZlibDecoder;
use std::collections::{HashMap, VecDeque};
use std::io::{BufReader, Cursor, Read, SeekFrom};
use std::rc::Rc;

/// The signature of a pack, with its version.
pub(crate) const PACK: &[u8] = b"PACK\0\0\0\x02";
/// Deltas over deltas: git itself makes chains of at most 4,095.
const CHAIN_MAX: usize = 4_095;
/// Names of blobs that are kept: a blob without one is told by its hash.
const NAMES_MAX: usize = 200_000;
/// The header of an entry: ten bytes of size and twenty of a base at most.
const HEADER_BYTES_MAX: usize = 32;
/// The header of a loose object: its kind, its size, a zero.
const LOOSE_HEADER_BYTES_MAX: usize = 32;

type Id = [u8; 20];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

/// What an entry of a pack holds.
#[derive(Debug, Clone, Copy)]
enum Holds {
    All(Kind),
    /// A delta over what begins there.
    Over(u64),
    /// A delta over the object of that hash.
    OverId(Id),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    holds: Holds,
    /// Bytes when unpacked.
    size: u64,
    /// Where the packed bytes begin.
    data: u64,
}

/// An object in full.
type Full = (Kind, Rc<Vec<u8>>);

/// Whether these are the first bytes of a loose object.
pub(crate) fn is_loose(head: &[u8]) -> bool {
    let Some([first, second]) = head.first_chunk::<2>() else { return false };
    if first & 0x0f != 8 || u16::from_be_bytes([*first, *second]) % 31 != 0 {
        return false;
    }
    let mut start = [0; 12];
    let filled = fill(&mut ZlibDecoder::new(head), &mut start).unwrap_or(0);
    let start = start.get(..filled).unwrap_or_default();
    let kinds = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag];
    kinds.iter().any(|kind| {
        let size = start.strip_prefix(kind.word().as_bytes()).and_then(|s| s.strip_prefix(b" "));
        size.and_then(|size| size.first()).is_some_and(u8::is_ascii_digit)
    })
}

/// Reads a loose object; only a blob has an inside.
pub(crate) fn loose(session: &mut Session<'_>, stream: &mut dyn Read) -> Result<(), Obstacle> {
    session.deeper(|session| {
        session.member()?;
        let packed = ZlibDecoder::new(BufReader::new(stream));
        let mut unpacked = Metered::new(packed, Rc::clone(&session.budget));
        let mut header = Vec::new();
        loop {
            let mut byte = [0];
            if fill(&mut unpacked, &mut byte)? == 0 || header.len() > LOOSE_HEADER_BYTES_MAX {
                return Err(Obstacle::corrupt("the object has no header"));
            }
            if byte == [0] {
                break;
            }
            header.extend_from_slice(&byte);
        }
        if header.starts_with(b"blob ") {
            session.inside("blob", |session| {
                enter(session, Source::Stream(&mut unpacked), "");
            });
        }
        Ok(())
    })
}

/// Reads a pack.
pub(crate) fn pack(session: &mut Session<'_>, input: &mut dyn ReadSeek) -> Result<(), Obstacle> {
    session.deeper(|session| {
        input.seek(SeekFrom::Start(0))?;
        let mut head = [0; 12];
        if fill(input, &mut head)? < head.len() || !head.starts_with(PACK) {
            return Err(Obstacle::corrupt("the pack has no header"));
        }
        let [.., a, b, c, d] = head;
        let room = session.holdable() / 4;
        let mut pack = Pack {
            input,
            room,
            kept: HashMap::new(),
            order: VecDeque::new(),
            kept_bytes: 0,
            places: HashMap::new(),
            names: HashMap::new(),
            later: Vec::new(),
        };
        let mut at = head.len() as u64;
        for _ in 0..u32::from_be_bytes([a, b, c, d]) {
            session.member()?;
            at = pack.step(session, at)?;
        }
        for at in std::mem::take(&mut pack.later) {
            let entry = pack.entry(at)?;
            let (data, _) = pack.unpack(session, entry)?;
            let (kind, content) = pack.complete(session, entry, data)?;
            pack.look(session, identity(kind, &content), &content);
        }
        Ok(())
    })
}

struct Pack<'a> {
    input: &'a mut dyn ReadSeek,
    /// Bytes that one object may take in memory.
    room: u64,
    /// Objects that the next deltas are likely to lie over.
    kept: HashMap<u64, Full>,
    order: VecDeque<u64>,
    kept_bytes: u64,
    places: HashMap<Id, u64>,
    names: HashMap<Id, String>,
    /// Where blobs begin that no tree before them has named.
    later: Vec<u64>,
}

impl Pack<'_> {
    /// Looks at the entry that begins here; gives where the next one does.
    fn step(&mut self, session: &mut Session<'_>, at: u64) -> Result<u64, Obstacle> {
        let entry = self.entry(at)?;
        if entry.size > self.room {
            return self.large(session, at, entry);
        }
        let (data, next) = self.unpack(session, entry)?;
        let full = match self.complete(session, entry, data) {
            Ok(full) => full,
            Err(obstacle) => {
                // This one cannot be put together; the next one begins where it begins.
                session.inside(&format!("object at byte {at}"), |s| s.trouble(obstacle));
                return Ok(next);
            }
        };
        self.keep(at, &full);
        let (kind, content) = full;
        let id = identity(kind, &content);
        self.places.entry(id).or_insert(at);
        match kind {
            Kind::Blob if !self.names.contains_key(&id) && self.later.len() < NAMES_MAX => {
                self.later.push(at);
            }
            Kind::Blob => self.look(session, id, &content),
            Kind::Tree => self.learn(&content),
            Kind::Commit | Kind::Tag => {}
        }
        Ok(next)
    }

    fn look(&self, session: &mut Session<'_>, id: Id, content: &[u8]) {
        let hash: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = self.names.get(&id).map_or("", String::as_str);
        let step = match name {
            "" => format!("blob {hash}"),
            name => format!("{name} (blob {hash})"),
        };
        let held = usize::try_from(self.kept_bytes).unwrap_or(usize::MAX);
        session.holding(held.saturating_add(content.len()), |session| {
            session.inside(&step, |session| {
                enter(session, Source::Whole(&mut Cursor::new(content)), name);
            });
        });
    }

    /// A blob that is too large to be held is read as it comes; nothing can lie over it.
    fn large(&mut self, session: &mut Session<'_>, at: u64, entry: Entry) -> Result<u64, Obstacle> {
        self.input.seek(SeekFrom::Start(entry.data))?;
        let mut packed = ZlibDecoder::new(BufReader::new(&mut *self.input));
        let step = format!("object at byte {at}");
        let mut unpacked = Metered::new(&mut packed, Rc::clone(&session.budget));
        session.inside(&step, |session| match entry.holds {
            Holds::All(Kind::Blob) => {
                enter(session, Source::Stream(&mut unpacked), "");
            }
            Holds::All(_) => {}
            Holds::Over(_) | Holds::OverId(_) => session.trouble(too_large()),
        });
        std::io::copy(&mut unpacked, &mut std::io::sink())?;
        Ok(entry.data.saturating_add(packed.total_in()))
    }

    /// The header of the entry that begins here.
    fn entry(&mut self, at: u64) -> Result<Entry, Obstacle> {
        let broken = || Obstacle::corrupt("an entry of the pack has no header");
        self.input.seek(SeekFrom::Start(at))?;
        let mut head = [0; HEADER_BYTES_MAX];
        let filled = fill(self.input, &mut head)?;
        let mut bytes = head.iter().take(filled).copied();
        let first = bytes.next().ok_or_else(broken)?;
        let (mut more, mut size, mut shift) = (first & 0x80 != 0, u64::from(first & 0x0f), 4);
        let mut used = 1_u64;
        while more {
            let byte = bytes.next().filter(|_| shift < 57).ok_or_else(broken)?;
            size |= u64::from(byte & 0x7f) << shift;
            (more, shift, used) = (byte & 0x80 != 0, shift + 7, used + 1);
        }
        let holds = match first >> 4 & 7 {
            1 => Holds::All(Kind::Commit),
            2 => Holds::All(Kind::Tree),
            3 => Holds::All(Kind::Blob),
            4 => Holds::All(Kind::Tag),
            6 => {
                let mut back = 0_u64;
                for count in 0.. {
                    let byte = bytes.next().filter(|_| count < 9).ok_or_else(broken)?;
                    back = back << 7 | u64::from(byte & 0x7f);
                    used += 1;
                    if byte & 0x80 == 0 {
                        break;
                    }
                    back += 1;
                }
                Holds::Over(at.checked_sub(back).filter(|_| back > 0).ok_or_else(broken)?)
            }
            7 => {
                let mut id = [0; 20];
                for place in &mut id {
                    *place = bytes.next().ok_or_else(broken)?;
                }
                used += 20;
                Holds::OverId(id)
            }
            _ => return Err(broken()),
        };
        Ok(Entry { holds, size, data: at.saturating_add(used) })
    }

    /// The unpacked bytes of an entry, and where the next one begins.
    fn unpack(&mut self, session: &Session<'_>, entry: Entry) -> Result<(Vec<u8>, u64), Obstacle> {
        self.input.seek(SeekFrom::Start(entry.data))?;
        let mut packed = ZlibDecoder::new(BufReader::new(&mut *self.input));
        let mut data = Vec::new();
        let unpacked = Metered::new(&mut packed, Rc::clone(&session.budget));
        unpacked.take(entry.size.saturating_add(1)).read_to_end(&mut data)?;
        if data.len() as u64 != entry.size {
            return Err(Obstacle::corrupt("an entry of the pack is not as large as it says"));
        }
        Ok((data, entry.data.saturating_add(packed.total_in())))
    }

    /// The object of an entry, over its bases if it is a delta.
    fn complete(
        &mut self,
        session: &Session<'_>,
        entry: Entry,
        data: Vec<u8>,
    ) -> Result<Full, Obstacle> {
        let (mut entry, mut data) = (entry, data);
        let (mut deltas, mut held) = (Vec::new(), 0_u64);
        let mut full = loop {
            let base = match entry.holds {
                Holds::All(kind) => break (kind, Rc::new(data)),
                Holds::Over(base) => base,
                Holds::OverId(id) => *self.places.get(&id).ok_or_else(|| {
                    Obstacle::unsupported("it is a delta over an object that comes later")
                })?,
            };
            held = held.saturating_add(data.len() as u64);
            deltas.push(data);
            if deltas.len() > CHAIN_MAX || held > self.room {
                return Err(too_large());
            }
            if let Some(kept) = self.kept.get(&base) {
                break kept.clone();
            }
            entry = self.entry(base)?;
            if entry.size > self.room {
                return Err(too_large());
            }
            data = self.unpack(session, entry)?.0;
        };
        while let Some(delta) = deltas.pop() {
            let content = applied(&full.1, &delta, self.room)?;
            session.budget.spend(content.len() as u64)?;
            full.1 = Rc::new(content);
        }
        Ok(full)
    }

    fn keep(&mut self, at: u64, full: &Full) {
        self.kept_bytes += full.1.len() as u64;
        self.order.push_back(at);
        if let Some((_, old)) = self.kept.insert(at, full.clone()) {
            self.kept_bytes = self.kept_bytes.saturating_sub(old.len() as u64);
        }
        while self.kept_bytes > self.room {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some((_, old)) = self.kept.remove(&oldest) {
                self.kept_bytes = self.kept_bytes.saturating_sub(old.len() as u64);
            }
        }
    }

    /// The names that a tree gives: `mode name`, a zero, the hash; again and again.
    fn learn(&mut self, tree: &[u8]) {
        let mut rest = tree;
        while let Some(end) = rest.iter().position(|byte| *byte == 0) {
            let (line, after) = rest.split_at(end);
            let Some((id, next)) = after.get(1..).and_then(|a| a.split_first_chunk::<20>()) else {
                return;
            };
            let name = line.splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default();
            if !line.starts_with(b"40000") && self.names.len() < NAMES_MAX {
                let name = String::from_utf8_lossy(name).into_owned();
                self.names.entry(*id).or_insert(name);
            }
            rest = next;
        }
    }
}

const fn too_large() -> Obstacle {
    Obstacle::too_large("it is larger than what may be held in memory")
}

/// The hash by which git calls an object.
fn identity(kind: Kind, content: &[u8]) -> Id {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("{} {}\0", kind.word(), content.len()).as_bytes());
    context.update(content);
    context.finish().as_ref().try_into().unwrap_or([0; 20])
}

/// A delta applied to its base: sizes of both, then copies out of the base and bytes of its own.
fn applied(base: &[u8], delta: &[u8], room: u64) -> Result<Vec<u8>, Obstacle> {
    let broken = || Obstacle::corrupt("a delta does not fit its base");
    let mut rest = delta;
    let from = length(&mut rest).ok_or_else(broken)?;
    let to = length(&mut rest).ok_or_else(broken)?;
    if from != base.len() as u64 {
        return Err(broken());
    }
    if to > room {
        return Err(too_large());
    }
    let mut content = Vec::new();
    while let Some(code) = byte(&mut rest) {
        let piece = if code & 0x80 == 0 {
            let own = rest.split_at_checked(usize::from(code)).filter(|_| code > 0);
            let (own, after) = own.ok_or_else(broken)?;
            rest = after;
            own
        } else {
            let start = number(&mut rest, code, 0..4).ok_or_else(broken)?;
            let length = match number(&mut rest, code, 4..7).ok_or_else(broken)? {
                0 => 0x1_0000,
                length => length,
            };
            base.get(start..start.saturating_add(length)).ok_or_else(broken)?
        };
        content.extend_from_slice(piece);
        if content.len() as u64 > to {
            return Err(broken());
        }
    }
    if content.len() as u64 == to { Ok(content) } else { Err(broken()) }
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

/// A size in groups of seven bits, the lowest first.
fn length(rest: &mut &[u8]) -> Option<u64> {
    let (mut size, mut shift) = (0, 0);
    loop {
        let next = byte(rest).filter(|_| shift < 57)?;
        size |= u64::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            return Some(size);
        }
        shift += 7;
    }
}

/// A number of those bytes whose bits the code has, the lowest first.
fn number(rest: &mut &[u8], code: u8, bits: std::ops::Range<u8>) -> Option<usize> {
    let mut number = 0;
    for (place, bit) in bits.enumerate() {
        if code & 1 << bit != 0 {
            number |= usize::from(byte(rest)?) << (8 * place);
        }
    }
    Some(number)
}
