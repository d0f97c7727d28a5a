//! One object of a folder on this machine, moved, sealed or removed without ever following a link.

use crate::act::{QUARANTINE, SEALED};
use crate::error::DiscoverError;
use kernel::FindingId;
use keys::envelope::{self, DataKey, Header};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

/// Where an object lies: its folder, its name below it, and its name in quarantine.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    root: String,
    object: String,
    id: FindingId,
}

impl Place {
    pub(crate) fn new(root: &str, object: &str, id: FindingId) -> Self {
        Self { root: root.to_owned(), object: object.to_owned(), id }
    }

    /// Whether a name is a plain path below the source's folder. A source writes bytes that are no
    /// text with a backslash; such a file is acted on by hand.
    pub(crate) fn is_plain(object: &str) -> bool {
        let path = Path::new(object);
        !object.is_empty()
            && !object.contains(['\\', '\0'])
            && path.components().all(|part| matches!(part, Component::Normal(_)))
    }

    /// The name of the envelope file beside the object.
    pub(crate) fn sealed(&self) -> String {
        format!("{}{SEALED}", self.object)
    }

    pub(crate) fn is_there(&self) -> bool {
        self.stat(&self.object)
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.stat(&self.sealed())
    }

    pub(crate) fn is_quarantined(&self) -> bool {
        self.stat(&format!("{QUARANTINE}/{}", self.id))
    }

    fn stat(&self, name: &str) -> bool {
        let opened = || {
            let (folder, last) = self.parent(name).ok()?;
            let found = rustix::fs::statat(&folder, last, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            Some(FileType::from_raw_mode(found.st_mode).is_file())
        };
        opened() == Some(true)
    }

    /// How the object is now, as a scan would write it down.
    pub(crate) fn version(&self) -> Option<String> {
        let (folder, last) = self.parent(&self.object).ok()?;
        let found = rustix::fs::statat(&folder, last, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let file = FileType::from_raw_mode(found.st_mode).is_file();
        file.then(|| crate::sources::version_of(&found))
    }

    /// Moves the object into the quarantine folder, which only its owner may enter.
    pub(crate) fn quarantine(&self) -> Result<(), DiscoverError> {
        let root = self.root()?;
        match rustix::fs::mkdirat(&root, QUARANTINE, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(disk(errno)),
        }
        let away = below(&root, QUARANTINE)?;
        let (folder, name) = self.parent(&self.object)?;
        only_a_file(&folder, name)?;
        let id = self.id.to_string();
        let moved = rustix::fs::renameat_with(&folder, name, &away, &id, RenameFlags::NOREPLACE);
        moved.map_err(disk)?;
        settle(&[&folder, &away])
    }

    /// Moves the object back; never over something that has taken its place.
    pub(crate) fn restore(&self) -> Result<(), DiscoverError> {
        let away = below(&self.root()?, QUARANTINE)?;
        let (folder, name) = self.parent(&self.object)?;
        let id = self.id.to_string();
        let moved = rustix::fs::renameat_with(&away, &id, &folder, name, RenameFlags::NOREPLACE);
        moved.map_err(disk)?;
        settle(&[&folder, &away])
    }

    /// Writes the envelope file, makes it durable, and removes the object.
    pub(crate) fn encrypt(&self, header: &Header, key: &DataKey) -> Result<(), DiscoverError> {
        let (folder, name) = self.parent(&self.object)?;
        only_a_file(&folder, name)?;
        let from = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let plain = rustix::fs::openat(&folder, name, from, Mode::empty()).map_err(disk)?;
        let before = rustix::fs::fstat(&plain).map_err(disk)?;
        let part = format!(".lionrock-{}.part", self.id);
        let to =
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let sealed =
            rustix::fs::openat(&folder, &part, to, Mode::RUSR | Mode::WUSR).map_err(disk)?;
        let (mut plain, mut sealed) = (File::from(plain), File::from(sealed));
        let written = envelope::seal(header, key, &mut plain, &mut sealed)
            .map_err(DiscoverError::from)
            .and_then(|bytes| {
                sealed.flush().and_then(|()| sealed.sync_all()).map_err(DiscoverError::Disk)?;
                let after = rustix::fs::fstat(&plain).map_err(disk)?;
                let same = after.st_mtime == before.st_mtime
                    && after.st_mtime_nsec == before.st_mtime_nsec
                    && u64::try_from(after.st_size).ok() == Some(bytes);
                if same { Ok(()) } else { Err(DiscoverError::Changed) }
            });
        if let Err(cause) = written {
            // What was half written is of no use to anybody.
            let _ = rustix::fs::unlinkat(&folder, &part, AtFlags::empty());
            return Err(cause);
        }
        let ready = format!("{name}{SEALED}");
        rustix::fs::renameat_with(&folder, &part, &folder, &ready, RenameFlags::NOREPLACE)
            .map_err(disk)?;
        settle(&[&folder])?;
        rustix::fs::unlinkat(&folder, name, AtFlags::empty()).map_err(disk)?;
        settle(&[&folder])
    }

    /// Removes the object, from quarantine when it lies there.
    pub(crate) fn delete(&self) -> Result<(), DiscoverError> {
        let id = self.id.to_string();
        let root = self.root()?;
        if self.is_quarantined() {
            let away = below(&root, QUARANTINE)?;
            rustix::fs::unlinkat(&away, &id, AtFlags::empty()).map_err(disk)?;
            return settle(&[&away]);
        }
        let (folder, name) = self.parent(&self.object)?;
        only_a_file(&folder, name)?;
        rustix::fs::unlinkat(&folder, name, AtFlags::empty()).map_err(disk)?;
        settle(&[&folder])
    }

    fn root(&self) -> Result<OwnedFd, DiscoverError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(self.root.as_str(), flags, Mode::empty()).map_err(disk)
    }

    /// The folder in which a name lies, opened without following links, and its last part.
    fn parent<'n>(&self, name: &'n str) -> Result<(OwnedFd, &'n str), DiscoverError> {
        if !Self::is_plain(name) {
            return Err(DiscoverError::CannotAct);
        }
        let root = self.root()?;
        match name.rsplit_once('/') {
            Some((folder, last)) => Ok((below(&root, folder)?, last)),
            None => Ok((root, name)),
        }
    }
}

fn below(root: &OwnedFd, folder: &str) -> Result<OwnedFd, DiscoverError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, folder, flags, Mode::empty(), resolve).map_err(disk)
}

/// A link, a pipe or a folder that took the object's place is not the object.
fn only_a_file(folder: &OwnedFd, name: &str) -> Result<(), DiscoverError> {
    let found = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(disk)?;
    let file = FileType::from_raw_mode(found.st_mode).is_file();
    if file { Ok(()) } else { Err(DiscoverError::Changed) }
}

/// Makes what was done in folders durable.
fn settle(folders: &[&OwnedFd]) -> Result<(), DiscoverError> {
    folders.iter().try_for_each(|folder| rustix::fs::fsync(folder).map_err(disk))
}

fn disk(errno: Errno) -> DiscoverError {
    match errno {
        Errno::NOENT | Errno::EXIST | Errno::XDEV | Errno::LOOP | Errno::NOTDIR => {
            DiscoverError::Changed
        }
        errno => DiscoverError::Disk(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_below_the_folder_are_acted_on() {
        for plain in ["a.csv", "a/b/客戶.csv", ".hidden"] {
            assert!(Place::is_plain(plain), "{plain}");
        }
        for bad in ["", "/etc/passwd", "../a", "a/../b", "a\\x00", "./a", "a\0b"] {
            assert!(!Place::is_plain(bad), "{bad:?}");
        }
    }
}
