//! A Git repository on disk, with its whole history: its packs and loose objects.
//!
//! Nothing of the repository is run or obeyed: no hook, no configuration, no alternate store is
//! followed, and its files are opened by the folder source, below the repository and through no
//! link. Packs and objects are named by what they hold, so that each is looked at once for ever;
//! they are parsed by a worker like any hostile file.

use super::folder::Folder;
use super::{FolderSetting, GitSetting, Listing, Object, Opened, Pending, Source, SourceError};

/// Where other repositories' objects would be named.
const ALTERNATES: &str = "info/alternates";

/// The source: the repository's folder of objects.
#[derive(Debug)]
pub(super) struct Git {
    objects: Folder,
}

impl Git {
    pub(super) fn new(setting: &GitSetting) -> Result<Self, SourceError> {
        let path = setting.path.trim_end_matches('/');
        let inner = match setting.bare {
            true => format!("{path}/objects"),
            false => format!("{path}/.git/objects"),
        };
        let objects = FolderSetting { path: inner, other_file_systems: false };
        Ok(Self { objects: Folder::new(&objects)? })
    }

    async fn page(&self, after: Option<&str>, max: usize) -> Result<Listing, SourceError> {
        let mut after = after.map(str::to_owned);
        loop {
            let mut listing = self.objects.list(after.as_deref(), max).await?;
            if listing.objects.iter().any(|object| object.name == ALTERNATES) {
                let why = "objects of another repository are not followed".to_owned();
                listing.unreadable.push((ALTERNATES.to_owned(), why));
            }
            listing.objects.retain(|object| holds_objects(&object.name));
            for object in &mut listing.objects {
                // The name is the hash of the content.
                object.version = Some(object.name.clone());
            }
            // A page of indexes alone is nothing to stop at.
            let is_nothing = listing.objects.is_empty() && listing.unreadable.is_empty();
            if listing.next.is_none() || !is_nothing {
                return Ok(listing);
            }
            after = listing.next;
        }
    }
}

impl Source for Git {
    fn list<'a>(&'a self, after: Option<&'a str>, max: usize) -> Pending<'a, Listing> {
        Box::pin(self.page(after, max))
    }

    fn open<'a>(&'a self, object: &'a Object) -> Pending<'a, Opened> {
        Box::pin(async move {
            if !holds_objects(&object.name) {
                return Err(SourceError::Gone(object.name.clone()));
            }
            self.objects.open(object).await
        })
    }
}

/// Whether a file below `objects` is a pack or a loose object: its name says so.
fn holds_objects(name: &str) -> bool {
    let is_hash = |text: &str, length: &[usize]| {
        length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
    };
    match name.split_once('/') {
        Some(("pack", file)) => {
            let hash = file.strip_prefix("pack-").and_then(|file| file.strip_suffix(".pack"));
            hash.is_some_and(|hash| is_hash(hash, &[40, 64]))
        }
        Some((folder, file)) => is_hash(folder, &[2]) && is_hash(file, &[38, 62]),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_and_loose_objects_are_told_by_their_names() {
        let rest = "23456789abcdef0123456789abcdef01234567";
        let hash = format!("01{rest}");
        assert!(holds_objects(&format!("pack/pack-{hash}.pack")));
        assert!(holds_objects(&format!("ab/{rest}")));
        for name in [
            ALTERNATES.to_owned(),
            format!("pack/pack-{hash}.idx"),
            format!("pack/{hash}.pack"),
            format!("pack/pack-{hash}.pack/x"),
            format!("abc/{rest}"),
            format!("ab/{hash}"),
            hash,
        ] {
            assert!(!holds_objects(&name), "{name}");
        }
    }
}
