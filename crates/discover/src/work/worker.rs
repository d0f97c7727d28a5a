//! One worker as the server sees it: a child process at the other end of a socket pair.

use super::frame::{self, Assembler, RANGE_BYTES_MAX, Reply, Request, Want};
use super::sandbox::Layers;
use super::{Instructions, PLACES_MAX, PlainSpan, WorkError, WorkerOptions};
use crate::sources::{Content, Ranges, SpoolRoom};
use extract::Inspection;
use rustix::fs::OFlags;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::fs::File;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::runtime::Handle;

/// How long a worker may take to enter its sandbox: milliseconds, on a machine that swaps seconds.
const READY_SECONDS: u64 = 20;
/// A worker is replaced after so many objects, so that what one of them might have left behind
/// goes.
const OBJECTS_MAX: u32 = 2_000;

/// So often a worker may ask for the bytes of an object elsewhere: formats with a directory go back
/// and forth, and a worker that was taken over must not download for ever.
const GIVEN_TIMES_MAX: u64 = 64;
/// Bytes that no ratio is asked of.
const GIVEN_BYTES_FREE: u64 = 64 * 1024 * 1024;

/// A running worker; dropped, it is killed and reaped.
#[derive(Debug)]
pub(super) struct Worker {
    process: Process,
    stream: UnixStream,
    assembler: Assembler,
    /// What it said about its sandbox.
    pub(super) layers: Layers,
    objects: u32,
    busy: Duration,
}

/// A child that never outlives this value.
#[derive(Debug)]
struct Process {
    child: Option<Child>,
    runtime: Handle,
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            // Taking its memory apart takes the kernel a moment; no task waits for it here.
            self.runtime.spawn_blocking(move || child.wait());
        }
    }
}

impl Worker {
    /// Starts one and waits until it is in its sandbox.
    pub(super) async fn start(options: &WorkerOptions) -> Result<Self, WorkError> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(WorkError::Start)?;
        ours.set_nonblocking(true).map_err(WorkError::Start)?;
        let stream = UnixStream::from_std(ours).map_err(WorkError::Start)?;
        let life_cpu_seconds = options.cpu_seconds.saturating_mul(2);
        let mut command = Command::new(&options.program);
        command
            .args(&options.arguments)
            .arg("--memory-bytes")
            .arg(options.memory_bytes.to_string())
            .arg("--cpu-seconds")
            .arg(life_cpu_seconds.to_string())
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            // What a parser says when it dies may hold what it was reading.
            .stderr(Stdio::null());
        let child = command.spawn().map_err(WorkError::Start)?;
        // Ours keeps no copy of their end, so that their end tells us.
        drop(command);
        let process = Process { child: Some(child), runtime: Handle::current() };
        let layers = Layers { landlock_abi: None, user: None };
        let assembler = Assembler::default();
        let mut worker =
            Self { process, stream, assembler, layers, objects: 0, busy: Duration::ZERO };
        let ready = tokio::time::timeout(Duration::from_secs(READY_SECONDS), worker.hear()).await;
        match ready {
            Ok(Ok(Reply::Ready(layers))) => worker.layers = layers,
            Ok(Ok(Reply::Refused(why))) => return Err(WorkError::Refused(why)),
            Ok(Ok(_)) => return Err(frame::FrameError::Unasked.into()),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(WorkError::Silent),
        }
        Ok(worker)
    }

    /// Its process, for who wants to look at it from outside.
    pub(super) fn process_id(&self) -> Option<u32> {
        self.process.child.as_ref().map(Child::id)
    }

    /// Whether it has time and freshness left for another object.
    pub(super) fn is_good_for_another(&self, options: &WorkerOptions) -> bool {
        self.objects < OBJECTS_MAX
            && self.busy.as_secs() < options.cpu_seconds
            && self.assembler.is_empty()
    }

    /// Has one object inspected.
    pub(super) async fn inspect(
        &mut self,
        object: &Handed,
        instructions: &Instructions,
        progress: &(dyn Fn(u64) + Send + Sync),
        places: Option<&mut Vec<PlainSpan>>,
    ) -> Result<Inspection, WorkError> {
        let mut places = places;
        let begun = tokio::time::Instant::now();
        self.objects = self.objects.saturating_add(1);
        let elsewhere = match &object.content {
            Handing::Descriptor(..) => None,
            Handing::Ranges(ranges) => Some(ranges.bytes()),
        };
        let request = RequestRef { hint: &object.hint, instructions: &instructions.0, elsewhere };
        let bytes = frame::encode_as::<Request, _>(&request)?;
        match &object.content {
            Handing::Descriptor(file, _) => self.ask(&bytes, file).await,
            Handing::Ranges(_) => self.stream.write_all(&bytes).await,
        }
        .map_err(WorkError::Socket)?;
        let mut given = 0_u64;
        let inspection = loop {
            match self.hear().await? {
                Reply::Progress(bytes) => progress(bytes),
                Reply::Places(more) => match &mut places {
                    Some(places) if places.len() + more.len() <= PLACES_MAX => places.extend(more),
                    Some(_) => return Err(frame::FrameError::TooLong.into()),
                    None => return Err(frame::FrameError::Unasked.into()),
                },
                Reply::Want(want) => self.give(object, want, &mut given).await?,
                Reply::Finished(inspection) => break *inspection,
                Reply::Ready(_) | Reply::Refused(_) => {
                    return Err(frame::FrameError::Unasked.into());
                }
            }
        };
        self.busy = self.busy.saturating_add(begun.elapsed());
        Ok(super::bounded::bounded(inspection))
    }

    /// Fetches a range that the worker wants. One that cannot be had is told by an empty frame: the
    /// worker says where in the object it was missing.
    async fn give(
        &mut self,
        object: &Handed,
        want: Want,
        given: &mut u64,
    ) -> Result<(), WorkError> {
        let Handing::Ranges(ranges) = &object.content else {
            return Err(frame::FrameError::Unasked.into());
        };
        let end = want.from.saturating_add(u64::from(want.bytes));
        if want.bytes == 0 || want.bytes > RANGE_BYTES_MAX || end > ranges.bytes() {
            return Err(frame::FrameError::Unasked.into());
        }
        *given = given.saturating_add(u64::from(want.bytes));
        let most = ranges.bytes().saturating_mul(GIVEN_TIMES_MAX).max(GIVEN_BYTES_FREE);
        let found = match *given > most {
            true => Vec::new(),
            false => ranges.read(want.from..end).await.unwrap_or_else(|error| {
                tracing::debug!(%error, "a range of an object cannot be had");
                Vec::new()
            }),
        };
        let frame = frame::range(&found)?;
        drop(found);
        self.stream.write_all(&frame).await.map_err(WorkError::Socket)
    }

    /// Sends a frame; the descriptor travels with its first byte.
    async fn ask(&mut self, bytes: &[u8], file: &File) -> std::io::Result<()> {
        let sent = self
            .stream
            .async_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                let mut control = SendAncillaryBuffer::new(&mut space);
                let fds = [file.as_fd()];
                if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
                    return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput));
                }
                let whole = [IoSlice::new(bytes)];
                let flags = SendFlags::NOSIGNAL;
                Ok(rustix::net::sendmsg(&self.stream, &whole, &mut control, flags)?)
            })
            .await?;
        self.stream.write_all(bytes.get(sent..).unwrap_or_default()).await
    }

    /// The next frame. Descriptors that a hostile worker might send along are dropped by the
    /// kernel, because nobody asks for them.
    async fn hear(&mut self) -> Result<Reply, WorkError> {
        let mut chunk = vec![0_u8; 16 * 1024];
        loop {
            if let Some(reply) = self.assembler.next::<Reply>()? {
                return Ok(reply);
            }
            let came = self.stream.read(chunk.as_mut_slice()).await.map_err(WorkError::Socket)?;
            if came == 0 {
                return Err(WorkError::Silent);
            }
            self.assembler.feed(chunk.get(..came).unwrap_or_default());
        }
    }
}

/// A request without copies of what it says.
#[derive(serde::Serialize)]
struct RequestRef<'a> {
    hint: &'a str,
    instructions: &'a serde_json::value::RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    elsewhere: Option<u64>,
}

/// How a worker gets an object.
#[derive(Debug)]
enum Handing {
    /// A plain file that is open for reading only, with its place among the spools if it has one.
    Descriptor(File, #[expect(dead_code, reason = "held for its drop")] Option<SpoolRoom>),
    /// It asks for ranges.
    Ranges(Box<dyn Ranges>),
}

/// An object that can be handed to a worker.
#[derive(Debug)]
pub(super) struct Handed {
    content: Handing,
    hint: String,
    /// The source gave only a part of it.
    pub(super) sampled: bool,
}

impl Handed {
    /// Makes sure that it is one.
    pub(super) fn of(opened: crate::Opened) -> Result<Self, WorkError> {
        let content = match opened.content {
            Content::File(file) => Handing::Descriptor(plain(file)?, None),
            Content::Spooled(file, room) => Handing::Descriptor(plain(file)?, Some(room)),
            Content::Ranges(ranges) => Handing::Ranges(ranges),
        };
        let mut hint = opened.hint;
        if hint.len() > frame::HINT_BYTES_MAX / 2 {
            // The ending is what tells; JSON may double what is left.
            let tail = hint.char_indices().rev().nth(255).map_or(0, |(place, _)| place);
            hint = hint.split_off(tail);
        }
        Ok(Self { content, hint, sampled: opened.sampled })
    }
}

/// A plain file, opened again for reading only when it is open for writing too.
fn plain(file: File) -> Result<File, WorkError> {
    let kind = rustix::fs::fstat(&file).map_err(|e| WorkError::Descriptor(e.into()))?;
    if !rustix::fs::FileType::from_raw_mode(kind.st_mode).is_file() {
        let kind = std::io::Error::from(std::io::ErrorKind::InvalidInput);
        return Err(WorkError::Descriptor(kind));
    }
    let flags = rustix::fs::fcntl_getfl(&file).map_err(|e| WorkError::Descriptor(e.into()))?;
    if flags & OFlags::ACCMODE == OFlags::RDONLY {
        return Ok(file);
    }
    let number = std::os::fd::AsRawFd::as_raw_fd(&file);
    File::open(format!("/proc/self/fd/{number}")).map_err(WorkError::Descriptor)
}
