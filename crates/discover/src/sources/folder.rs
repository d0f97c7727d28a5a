//! A folder and all below it.
//!
//! Every path is resolved by the kernel below the folder's own descriptor and never through a link,
//! so that nobody who may write there can lead the scan elsewhere, before or while it runs.
//! Devices, pipes and sockets are passed over without being opened. POSIX access lists are not
//! read: who can read a file is told from its mode and the modes of the folders above it.

use super::{Exposure, FolderSetting, Listing, Object, Opened, Pending, Source, SourceError};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Folders inside folders; the kernel's own limit on a path is met at about the same depth.
const DEPTH_MAX: usize = 200;
/// Names in one folder, which are held to be sorted; a folder with more is reported, not listed.
const NAMES_MAX: usize = 4_000_000;

/// The source.
#[derive(Debug)]
pub(super) struct Folder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    other_file_systems: bool,
    /// Where the last listing stopped, so that a large folder is not read again for each page.
    walk: Mutex<Option<(String, Walk)>>,
}

/// A walk that can go on: for each folder from the root down, the names that are left in it.
#[derive(Debug)]
struct Walk {
    levels: Vec<Level>,
    device: u64,
}

#[derive(Debug)]
struct Level {
    /// Relative to the root; empty for the root.
    path: PathBuf,
    /// In descending order: the next one is the last.
    names: Vec<OsString>,
    /// Whether anybody may pass all folders down to here.
    passable: bool,
}

impl Folder {
    pub(super) fn new(setting: &FolderSetting) -> Result<Self, SourceError> {
        let root = PathBuf::from(&setting.path);
        if !root.is_absolute() || setting.path.contains('\0') {
            return Err(SourceError::Setting("path"));
        }
        let other_file_systems = setting.other_file_systems;
        let shared = Shared { root, other_file_systems, walk: Mutex::new(None) };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Source for Folder {
    fn list<'a>(&'a self, after: Option<&'a str>, max: usize) -> Pending<'a, Listing> {
        let (shared, after) = (Arc::clone(&self.shared), after.map(str::to_owned));
        Box::pin(aside(move || shared.list(after.as_deref(), max)))
    }

    fn open<'a>(&'a self, object: &'a Object) -> Pending<'a, Opened> {
        let (shared, name) = (Arc::clone(&self.shared), object.name.clone());
        Box::pin(aside(move || shared.open(&name)))
    }
}

/// Runs what may wait for a disk where it holds nobody up.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(SourceError::Unreachable("the thread of the source".to_owned())))
}

impl Shared {
    fn root(&self) -> Result<OwnedFd, SourceError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(CWD, &self.root, flags, Mode::empty())
            .map_err(|errno| failure(errno, &self.root))
    }

    fn list(&self, after: Option<&str>, max: usize) -> Result<Listing, SourceError> {
        let root = self.root()?;
        let mut listing = Listing { objects: Vec::new(), next: None, unreadable: Vec::new() };
        let kept = self.lock().take();
        let mut walk = match (kept, after) {
            (Some((place, walk)), Some(after)) if place == after => walk,
            (_, Some(after)) => self.resume(&root, after, &mut listing)?,
            (_, None) => self.begin(&root)?,
        };
        while listing.objects.len() < max {
            let Some(object) = self.step(&root, &mut walk, &mut listing) else {
                return Ok(listing);
            };
            listing.objects.push(object);
        }
        listing.next = listing.objects.last().map(|object| object.name.clone());
        if let Some(next) = &listing.next {
            *self.lock() = Some((next.clone(), walk));
        }
        Ok(listing)
    }

    fn begin(&self, root: &OwnedFd) -> Result<Walk, SourceError> {
        let stat = rustix::fs::fstat(root).map_err(|errno| failure(errno, &self.root))?;
        let names = names_of(root, Path::new("")).map_err(|errno| failure(errno, &self.root))?;
        let passable = stat.st_mode & 0o001 != 0;
        let level = Level { path: PathBuf::new(), names, passable };
        Ok(Walk { levels: vec![level], device: stat.st_dev })
    }

    /// The walk as it stood after an object, found by comparing names, whether the object is still
    /// there or not.
    fn resume(
        &self,
        root: &OwnedFd,
        after: &str,
        listing: &mut Listing,
    ) -> Result<Walk, SourceError> {
        let mut walk = self.begin(root)?;
        let place = plain(after).ok_or(SourceError::Setting("cursor"))?;
        for name in place.iter() {
            let Some(level) = walk.levels.last_mut() else { break };
            while level.names.last().is_some_and(|next| next.as_os_str() < name) {
                level.names.pop();
            }
            if level.names.last().is_none_or(|next| next != name) {
                break;
            }
            // The file itself has been listed; a folder of that name is entered.
            level.names.pop();
            let path = level.path.join(name);
            let Ok((stat, _)) = look_at(root, &path) else { break };
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                self.enter(root, &mut walk, path, &stat, listing);
            }
        }
        Ok(walk)
    }

    /// Goes on to the next file.
    fn step(&self, root: &OwnedFd, walk: &mut Walk, listing: &mut Listing) -> Option<Object> {
        loop {
            let level = walk.levels.last_mut()?;
            let Some(name) = level.names.pop() else {
                walk.levels.pop();
                continue;
            };
            let (path, passable) = (level.path.join(name), level.passable);
            let stat = match look_at(root, &path) {
                Ok((stat, _)) => stat,
                // Gone since its folder was read, or a link.
                Err(Errno::NOENT | Errno::LOOP) => continue,
                Err(errno) => {
                    listing.unreadable.push((shown(&path), reason(errno)));
                    continue;
                }
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => self.enter(root, walk, path, &stat, listing),
                FileType::RegularFile => return Some(object(&path, &stat, passable)),
                _ => {}
            }
        }
    }

    fn enter(
        &self,
        root: &OwnedFd,
        walk: &mut Walk,
        path: PathBuf,
        stat: &Stat,
        listing: &mut Listing,
    ) {
        if stat.st_dev != walk.device && !self.other_file_systems {
            let why = "another file system is mounted here".to_owned();
            listing.unreadable.push((shown(&path), why));
            return;
        }
        if walk.levels.len() >= DEPTH_MAX {
            listing.unreadable.push((shown(&path), "nested too deep".to_owned()));
            return;
        }
        let above = walk.levels.last().is_none_or(|level| level.passable);
        match names_of(root, &path) {
            Ok(names) => {
                let passable = above && stat.st_mode & 0o001 != 0;
                walk.levels.push(Level { path, names, passable });
            }
            Err(errno) => listing.unreadable.push((shown(&path), reason(errno))),
        }
    }

    fn open(&self, name: &str) -> Result<Opened, SourceError> {
        let path = plain(name).ok_or_else(|| SourceError::Gone(name.to_owned()))?;
        let root = self.root()?;
        // Without waiting: a pipe that took the file's place must not hold the scan.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = below(&root, &path, flags).map_err(|errno| failure(errno, &path))?;
        let stat = rustix::fs::fstat(&fd).map_err(|errno| failure(errno, &path))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(SourceError::Gone(name.to_owned()));
        }
        let hint = name.rsplit('/').next().unwrap_or(name).to_owned();
        Ok(Opened { content: File::from(fd).into(), hint, sampled: false })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(String, Walk)>> {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens below the root, whatever links lie or come to lie on the way.
fn below(root: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
}

/// What lies at a path, without opening it.
fn look_at(root: &OwnedFd, path: &Path) -> Result<(Stat, OwnedFd), Errno> {
    let fd = below(root, path, OFlags::PATH | OFlags::NOFOLLOW)?;
    Ok((rustix::fs::fstat(&fd)?, fd))
}

/// The names in a folder in descending order.
fn names_of(root: &OwnedFd, path: &Path) -> Result<Vec<OsString>, Errno> {
    let folder = below(root, path, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name.to_vec()));
        }
        if names.len() > NAMES_MAX {
            return Err(Errno::TOOBIG);
        }
    }
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

/// How a file is: whoever changes it changes this.
pub(crate) fn version_of(stat: &Stat) -> String {
    format!(
        "{}.{}.{}.{}.{}.{}.{}",
        stat.st_dev,
        stat.st_ino,
        stat.st_size,
        stat.st_mtime,
        stat.st_mtime_nsec,
        stat.st_ctime,
        stat.st_ctime_nsec
    )
}

fn object(path: &Path, stat: &Stat, passable: bool) -> Object {
    let (user, group, mode) = (stat.st_uid, stat.st_gid, stat.st_mode);
    let mut readers = Vec::new();
    if mode & 0o400 != 0 {
        readers.push(format!("uid {user}"));
    }
    if mode & 0o040 != 0 {
        readers.push(format!("gid {group}"));
    }
    let public = passable && mode & 0o004 != 0;
    if public {
        readers.push("everybody on the machine".to_owned());
    }
    Object {
        name: shown(path),
        bytes: u64::try_from(stat.st_size).ok(),
        version: Some(version_of(stat)),
        exposure: Exposure {
            public: Some(public),
            readers,
            owner: Some(format!("uid {user}")),
            ..Exposure::default()
        },
    }
}

/// A path as a name: what is not text, control characters and the backslash itself are escaped, so
/// that the name leads back to the path.
fn shown(path: &Path) -> String {
    let mut name = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => name.push_str("\\\\"),
                c if c.is_control() => {
                    let mut bytes = [0; 4];
                    escape(&mut name, c.encode_utf8(&mut bytes).as_bytes());
                }
                c => name.push(c),
            }
        }
        escape(&mut name, chunk.invalid());
    }
    name
}

fn escape(name: &mut String, bytes: &[u8]) {
    for byte in bytes {
        name.push_str(&format!("\\x{byte:02x}"));
    }
}

/// The path of a name; `None` for what no path of ours is called.
fn plain(name: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next()? {
            b'\\' => bytes.push(b'\\'),
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            _ => return None,
        }
    }
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

fn failure(errno: Errno, path: &Path) -> SourceError {
    let name = shown(path);
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV => SourceError::Gone(name),
        Errno::ACCESS | Errno::PERM => SourceError::Refused(name),
        _ => SourceError::Unreadable(name),
    }
}

fn reason(errno: Errno) -> String {
    match errno {
        Errno::ACCESS | Errno::PERM => "access is refused".to_owned(),
        Errno::TOOBIG => format!("more than {NAMES_MAX} names"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_leads_back_to_its_path(bytes in proptest::collection::vec(1_u8.., 0..40)) {
            let path = PathBuf::from(OsString::from_vec(bytes));
            let name = shown(&path);
            prop_assert!(!name.chars().any(char::is_control));
            prop_assert_eq!(plain(&name), Some(path));
        }

        #[test]
        fn no_name_makes_it_panic(name in any::<String>()) {
            let _ = plain(&name);
        }
    }
}
