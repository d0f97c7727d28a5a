//! The worker's side: enter the sandbox, say so, then one object after the other.

use super::elsewhere::Elsewhere;
use super::frame::{self, Assembler, FrameError, PROGRESS_BYTES, Reply, Request, Want};
use super::sandbox::{self, Bounds, SandboxError};
use super::{PLACES_TEXT_BYTES_MAX, PlainSpan, Told, WantPlaces};
use extract::{
    Coverage, Detectors, Format, Input, Inspection, Limits, Settings, Trouble, TroubleKind,
};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags};
use std::fs::File;
use std::io::{IoSliceMut, Read, Seek, SeekFrom};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Bytes that are taken from the socket at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// Hits by their places in one answer.
const PLACES_AT_ONCE: usize = 10_000;
/// What a refusal may say.
const REFUSAL_CHARS_MAX: usize = 400;

/// Why a worker stopped serving.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It is in no sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The server broke the protocol.
    #[error("the server broke the protocol")]
    Frame(#[from] FrameError),
    /// The socket failed; standard input must be one.
    #[error("standard input is no socket of a server: a server starts this itself")]
    Socket(#[source] rustix::io::Errno),
    /// The instructions cannot be understood.
    #[error("the instructions cannot be read")]
    Instructions,
    /// The object cannot be read from its start.
    #[error("the object cannot be read from its start")]
    Object(#[source] std::io::Error),
}

/// The object in a worker: it can be read and sought in, and that is all. The standard library's
/// file would also ask for its attributes and copy by calls that the sandbox forbids.
#[derive(Debug)]
pub struct ObjectFile {
    from: From,
    bytes: u64,
}

#[derive(Debug)]
enum From {
    Descriptor(File),
    Elsewhere(Elsewhere),
}

impl ObjectFile {
    fn of(mut file: File) -> Result<Self, ServeError> {
        let bytes = file.seek(SeekFrom::End(0)).map_err(ServeError::Object)?;
        file.seek(SeekFrom::Start(0)).map_err(ServeError::Object)?;
        Ok(Self { from: From::Descriptor(file), bytes })
    }

    const fn elsewhere(bytes: u64) -> Self {
        Self { from: From::Elsewhere(Elsewhere::new(bytes)), bytes }
    }

    /// Its size when it was handed over, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Read for ObjectFile {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.from {
            From::Descriptor(file) => file.read(into),
            From::Elsewhere(object) => object.read_with(into, &mut fetch),
        }
    }
}

impl Seek for ObjectFile {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match &mut self.from {
            From::Descriptor(file) => file.seek(to),
            From::Elsewhere(object) => object.seek(to),
        }
    }
}

impl Input for ObjectFile {
    fn next_data(&mut self, from: u64) -> Option<u64> {
        match &mut self.from {
            From::Descriptor(file) => file.next_data(from),
            From::Elsewhere(_) => Some(from),
        }
    }
}

/// Asks the server for a range.
fn fetch(want: Want) -> std::io::Result<Vec<u8>> {
    let broken = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    say(&Reply::Want(want)).map_err(broken)?;
    let mut assembler = Assembler::default();
    let mut chunk = vec![0_u8; CHUNK_BYTES];
    loop {
        let (bytes, came) = receive(&mut chunk).map_err(broken)?;
        if bytes == 0 || !came.is_empty() {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        assembler.feed(chunk.get(..bytes).unwrap_or_default());
        let range = assembler.next_range(want.bytes);
        if let Some(range) = range.map_err(|error| broken(error.into()))? {
            return Ok(range);
        }
    }
}

/// Inspects objects until the server closes its end: what `lionrock work` does.
///
/// # Errors
/// Whatever ends the service: the process ends with it.
pub fn run(bounds: Bounds) -> Result<(), ServeError> {
    let understand = |instructions: &str| {
        if let Ok(WantPlaces { places }) = serde_json::from_str(instructions) {
            return Some(Task::Places(Box::new(Detectors::new(&places).ok()?)));
        }
        let (settings, limits) = serde_json::from_str::<(Settings, Limits)>(instructions).ok()?;
        Some(Task::Inspect(Arc::new(Detectors::new(&settings).ok()?), limits))
    };
    serve(bounds, understand, |mut object, hint, task, tell| match task {
        Task::Inspect(detectors, limits) => {
            let progress = &mut |bytes| tell(Told::Bytes(bytes));
            extract::inspect(&mut object, hint, detectors, limits, progress)
        }
        Task::Places(detectors) => places(object, detectors, tell),
    })
}

/// What instructions ask for.
enum Task {
    Inspect(Arc<Detectors>, Limits),
    Places(Box<Detectors>),
}

/// Tells the hits of a text by their places; what is inspected beside them is nothing.
fn places(mut object: ObjectFile, detectors: &Detectors, tell: &mut dyn FnMut(Told)) -> Inspection {
    let mut bytes = Vec::new();
    let read = match object.bytes <= PLACES_TEXT_BYTES_MAX {
        true => object.read_to_end(&mut bytes).map_err(|_| TroubleKind::Unreadable),
        false => Err(TroubleKind::TooLarge),
    };
    let trouble = |kind| {
        let detail = "its hits cannot be told by their places".to_owned();
        Trouble { path: Vec::new(), kind, detail }
    };
    let troubles: Vec<Trouble> = read.err().map(trouble).into_iter().collect();
    let (text, spans) = extract::spans(&bytes, detectors);
    let plain = |span: &extract::Span| PlainSpan {
        kind: span.kind,
        start: span.start as u64,
        end: span.end as u64,
    };
    for batch in spans.chunks(PLACES_AT_ONCE) {
        tell(Told::Places(batch.iter().map(plain).collect()));
    }
    let coverage = if troubles.is_empty() { Coverage::Whole } else { Coverage::None };
    let (bytes, text_bytes) = (bytes.len() as u64, text.len() as u64);
    Inspection { format: Format::Text, bytes, text_bytes, coverage, parts: Vec::new(), troubles }
}

/// Serves until the server closes its end. `understand` makes instructions ready, once for as long
/// as they stay the same; `inspect` gets each object with its hint, the instructions and somebody
/// to tell how far it is.
///
/// # Errors
/// Whatever ends the service: the process ends with it.
pub fn serve<T>(
    bounds: Bounds,
    understand: impl Fn(&str) -> Option<T>,
    mut inspect: impl FnMut(ObjectFile, &str, &T, &mut dyn FnMut(Told)) -> Inspection,
) -> Result<(), ServeError> {
    let stdin = rustix::fs::fstat(std::io::stdin()).map_err(ServeError::Socket)?;
    if rustix::fs::FileType::from_raw_mode(stdin.st_mode) != rustix::fs::FileType::Socket {
        return Err(ServeError::Socket(rustix::io::Errno::NOTSOCK));
    }
    match sandbox::enter(bounds) {
        Ok(layers) => say(&Reply::Ready(layers))?,
        Err(error) => {
            say(&Reply::Refused(with_causes(&error)))?;
            return Err(error.into());
        }
    }
    let mut known: Option<(String, T)> = None;
    while let Some((request, object)) = next_request()? {
        let text = request.instructions.get();
        if known.as_ref().is_none_or(|(old, _)| old != text) {
            let ready = understand(text).ok_or(ServeError::Instructions)?;
            known = Some((text.to_owned(), ready));
        }
        let Some((_, ready)) = &known else { continue };
        let mut told = 0_u64;
        let mut broken = None;
        let inspection = inspect(object, &request.hint, ready, &mut |what: Told| match what {
            _ if broken.is_some() => {}
            Told::Bytes(bytes) if bytes.saturating_sub(told) >= PROGRESS_BYTES => {
                told = bytes;
                broken = say(&Reply::Progress(bytes)).err();
            }
            Told::Bytes(_) => {}
            Told::Places(spans) => broken = say(&Reply::Places(spans)).err(),
        });
        broken.map_or(Ok(()), Err)?;
        say(&Reply::Finished(Box::new(inspection)))?;
    }
    Ok(())
}

/// An error with its causes, cut.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words.chars().take(REFUSAL_CHARS_MAX).collect()
}

fn say(reply: &Reply) -> Result<(), ServeError> {
    let bytes = match frame::encode(reply) {
        // More was found than an answer may weigh: the parts go, what was counted stays.
        Err(FrameError::TooLong) => frame::encode(&shortened(reply))?,
        encoded => encoded?,
    };
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        match rustix::io::write(std::io::stdin(), rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(ServeError::Socket(errno)),
        }
    }
    Ok(())
}

fn shortened(reply: &Reply) -> Reply {
    let Reply::Finished(inspection) = reply else {
        return Reply::Refused("the answer is too long".to_owned());
    };
    let mut short = inspection.clone();
    let mut parts = short.parts.len();
    loop {
        parts /= 2;
        short.parts.truncate(parts);
        short.troubles.truncate(parts.max(1));
        short.coverage = Coverage::Part;
        let fits =
            serde_json::to_vec(&short).is_ok_and(|json| json.len() < frame::REPLY_BYTES_MAX / 2);
        if fits || parts == 0 {
            return Reply::Finished(short);
        }
    }
}

/// The next request with its object; `None` when the server has closed its end.
fn next_request() -> Result<Option<(Request, ObjectFile)>, ServeError> {
    let mut assembler = Assembler::default();
    let mut descriptor: Option<OwnedFd> = None;
    let mut chunk = vec![0_u8; CHUNK_BYTES];
    loop {
        let (bytes, came) = receive(&mut chunk)?;
        if bytes == 0 {
            return if assembler.is_empty() { Ok(None) } else { Err(FrameError::Header.into()) };
        }
        for fd in came {
            if descriptor.replace(fd).is_some() {
                return Err(FrameError::Descriptor.into());
            }
        }
        assembler.feed(chunk.get(..bytes).unwrap_or_default());
        if let Some(request) = assembler.next::<Request>()? {
            if !assembler.is_empty() {
                return Err(FrameError::Unasked.into());
            }
            let object = match (request.elsewhere, descriptor.take()) {
                (None, Some(file)) => ObjectFile::of(File::from(file))?,
                (Some(bytes), None) => ObjectFile::elsewhere(bytes),
                _ => return Err(FrameError::Descriptor.into()),
            };
            return Ok(Some((request, object)));
        }
    }
}

fn receive(chunk: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), ServeError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    loop {
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut into = [IoSliceMut::new(chunk)];
        let stdin = std::io::stdin();
        match rustix::net::recvmsg(stdin, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(ServeError::Socket(errno)),
            Ok(message) if message.flags.contains(ReturnFlags::CTRUNC) => {
                return Err(FrameError::Descriptor.into());
            }
            Ok(message) => {
                let mut came = Vec::new();
                for part in control.drain() {
                    if let RecvAncillaryMessage::ScmRights(fds) = part {
                        came.extend(fds);
                    }
                }
                return Ok((message.bytes, came));
            }
        }
    }
}
