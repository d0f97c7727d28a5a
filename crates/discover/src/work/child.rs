//! The worker's side: enter the sandbox, say so, then one object after the other.

use super::frame::{self, Assembler, FrameError, PROGRESS_BYTES, Reply, Request};
use super::sandbox::{self, Bounds, SandboxError};
use extract::Inspection;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{IoSliceMut, Read, Seek, SeekFrom};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

/// Bytes that are taken from the socket at once.
const CHUNK_BYTES: usize = 64 * 1024;
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
    #[error("standard input is no socket of a server")]
    Socket(#[source] rustix::io::Errno),
    /// The instructions cannot be understood.
    #[error("the instructions cannot be read")]
    Instructions(#[source] serde_json::Error),
    /// The object cannot be read from its start.
    #[error("the object cannot be read from its start")]
    Object(#[source] std::io::Error),
}

/// The object in a worker: it can be read and sought in, and that is all. The standard library's
/// file would also ask for its attributes and copy by calls that the sandbox forbids.
#[derive(Debug)]
pub struct ObjectFile {
    file: File,
    bytes: u64,
}

impl ObjectFile {
    fn of(mut file: File) -> Result<Self, ServeError> {
        let bytes = file.seek(SeekFrom::End(0)).map_err(ServeError::Object)?;
        file.seek(SeekFrom::Start(0)).map_err(ServeError::Object)?;
        Ok(Self { file, bytes })
    }

    /// Its size when it was handed over, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Read for ObjectFile {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.file.read(into)
    }
}

impl Seek for ObjectFile {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

/// Serves until the server closes its end. `prepare` runs before the sandbox is entered, for what
/// must be read from the system once; `inspect` gets each object with its hint, its instructions
/// and somebody to tell the bytes done so far.
///
/// # Errors
/// Whatever ends the service: the process ends with it.
pub fn serve<T: DeserializeOwned>(
    bounds: Bounds,
    prepare: impl FnOnce(),
    mut inspect: impl FnMut(ObjectFile, &str, &T, &mut dyn FnMut(u64)) -> Inspection,
) -> Result<(), ServeError> {
    prepare();
    match sandbox::enter(bounds) {
        Ok(layers) => say(&Reply::Ready(layers))?,
        Err(error) => {
            let words = kernel_words(&error);
            say(&Reply::Refused(words))?;
            return Err(error.into());
        }
    }
    let mut instructions: Option<(String, T)> = None;
    while let Some((request, file)) = next_request()? {
        let text = request.instructions.get();
        if instructions.as_ref().is_none_or(|(known, _)| known != text) {
            let read = serde_json::from_str(text).map_err(ServeError::Instructions)?;
            instructions = Some((text.to_owned(), read));
        }
        let Some((_, known)) = &instructions else { continue };
        let mut told = 0_u64;
        let mut broken = None;
        let inspection = inspect(ObjectFile::of(file)?, &request.hint, known, &mut |bytes: u64| {
            if bytes.saturating_sub(told) >= PROGRESS_BYTES && broken.is_none() {
                told = bytes;
                broken = say(&Reply::Progress(bytes)).err();
            }
        });
        broken.map_or(Ok(()), Err)?;
        say(&Reply::Finished(Box::new(inspection)))?;
    }
    Ok(())
}

/// An error with its causes, cut.
fn kernel_words(error: &dyn std::error::Error) -> String {
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
        short.coverage = extract::Coverage::Part;
        let fits =
            serde_json::to_vec(&short).is_ok_and(|json| json.len() < frame::REPLY_BYTES_MAX / 2);
        if fits || parts == 0 {
            return Reply::Finished(short);
        }
    }
}

/// The next request with its descriptor; `None` when the server has closed its end.
fn next_request() -> Result<Option<(Request, File)>, ServeError> {
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
            let file = descriptor.take().ok_or(FrameError::Descriptor)?;
            return Ok(Some((request, File::from(file))));
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
