//! A folder with everything in it that could lead a scan astray.

use discover::sources::{FolderSetting, Rates, open, throttled};
use discover::{Object, Source, SourceError, SourceSetting};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("lionrock-folder-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    async fn source(&self) -> Box<dyn Source> {
        source(&self.0).await
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn source(path: &Path) -> Box<dyn Source> {
    let path = path.to_str().unwrap().to_owned();
    let setting = SourceSetting::Folder(FolderSetting { path, other_file_systems: false });
    open(&setting, None).await.unwrap()
}

async fn all(source: &dyn Source, page: usize) -> Vec<Object> {
    let (mut objects, mut after) = (Vec::new(), None::<String>);
    loop {
        let listing = source.list(after.as_deref(), page).await.unwrap();
        assert!(listing.objects.len() <= page);
        objects.extend(listing.objects);
        after = listing.next;
        if after.is_none() {
            return objects;
        }
    }
}

fn names(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(|object| object.name.as_str()).collect()
}

async fn text(source: &dyn Source, object: &Object) -> Result<String, SourceError> {
    let mut text = String::new();
    let mut file = source.open(object).await?.content.into_file().unwrap();
    file.read_to_string(&mut text).unwrap();
    Ok(text)
}

#[tokio::test]
async fn files_come_in_one_order_whatever_the_page_and_wherever_it_resumes() {
    let scratch = Scratch::new();
    let expected = ["a/1", "a/b/2", "a/b/3", "a.txt", "b/z", "客戶/名單.csv"];
    expected.iter().for_each(|name| drop(scratch.write(name, name)));
    fs::create_dir(scratch.0.join("empty")).unwrap();
    let source = scratch.source().await;
    for page in 1..8 {
        assert_eq!(names(&all(&*source, page).await), expected, "pages of {page}");
    }
    for (place, name) in expected.iter().enumerate() {
        // Another process goes on after a crash: nothing is known but the name.
        let fresh = scratch.source().await;
        let rest = fresh.list(Some(name), 100).await.unwrap();
        assert_eq!(names(&rest.objects), expected[place + 1..], "after {name}");
    }
    fs::remove_file(scratch.0.join("a/b/2")).unwrap();
    let rest = scratch.source().await.list(Some("a/b/2"), 100).await.unwrap();
    assert_eq!(names(&rest.objects), expected[2..], "after one that is gone");
}

#[tokio::test]
async fn links_pipes_and_devices_lead_nowhere() {
    let (inside, outside) = (Scratch::new(), Scratch::new());
    let secret = outside.write("deep/secret.txt", "secret");
    inside.write("plain.txt", "plain");
    symlink(&secret, inside.0.join("file-link")).unwrap();
    symlink(outside.0.join("deep"), inside.0.join("folder-link")).unwrap();
    symlink("..", inside.0.join("up")).unwrap();
    symlink(".", inside.0.join("circle")).unwrap();
    let pipe = inside.0.join("pipe");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
    let source = inside.source().await;
    let objects = all(&*source, 10).await;
    assert_eq!(names(&objects), ["plain.txt"]);
    let steps = format!("../{}/deep/secret.txt", outside.0.file_name().unwrap().to_str().unwrap());
    let absolute = secret.to_str().unwrap();
    for name in ["file-link", "folder-link/secret.txt", &steps, absolute, "pipe", "", ".", "\\xzz"]
    {
        let asked = Object { name: name.to_owned(), ..objects[0].clone() };
        assert!(source.open(&asked).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_becomes_a_link_while_the_scan_runs_is_not_followed() {
    let (inside, outside) = (Scratch::new(), Scratch::new());
    let secret = outside.write("secret.txt", "secret");
    let victim = inside.write("folder/victim.txt", "harmless");
    let source = inside.source().await;
    let objects = all(&*source, 10).await;
    assert_eq!(text(&*source, &objects[0]).await.unwrap(), "harmless");
    fs::remove_file(&victim).unwrap();
    symlink(&secret, &victim).unwrap();
    assert!(matches!(source.open(&objects[0]).await, Err(SourceError::Gone(_))));
    fs::remove_dir_all(inside.0.join("folder")).unwrap();
    outside.write("victim.txt", "secret");
    symlink(&outside.0, inside.0.join("folder")).unwrap();
    assert!(matches!(source.open(&objects[0]).await, Err(SourceError::Gone(_))));
}

#[tokio::test]
async fn a_version_changes_with_the_content_and_the_rights() {
    let scratch = Scratch::new();
    let path = scratch.write("a", "one");
    let version = async || all(&*scratch.source().await, 9).await[0].version.clone().unwrap();
    let first = version().await;
    assert_eq!(version().await, first);
    fs::write(&path, "other").unwrap();
    let second = version().await;
    assert_ne!(second, first);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_ne!(version().await, second);
}

#[tokio::test]
async fn who_can_read_is_told_from_the_modes_down_to_the_file() {
    let scratch = Scratch::new();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, bits) in [("open/a", 0o644), ("open/b", 0o640), ("closed/c", 0o644)] {
        mode(&scratch.write(name, name), bits);
    }
    mode(&scratch.0, 0o755);
    mode(&scratch.0.join("open"), 0o755);
    mode(&scratch.0.join("closed"), 0o700);
    let objects = all(&*scratch.source().await, 9).await;
    let public: Vec<_> =
        objects.iter().map(|o| (o.name.as_str(), o.exposure.public.unwrap())).collect();
    assert_eq!(public, [("closed/c", false), ("open/a", true), ("open/b", false)]);
    assert!(objects[2].exposure.readers.iter().any(|reader| reader.starts_with("gid ")));
    assert!(objects[0].exposure.owner.as_ref().unwrap().starts_with("uid "));
}

#[tokio::test]
async fn a_missing_folder_and_a_relative_one_are_refused() {
    let scratch = Scratch::new();
    let gone = source(&scratch.0.join("gone")).await;
    assert!(matches!(gone.list(None, 1).await, Err(SourceError::Gone(_))));
    let path = "relative".to_owned();
    let setting = SourceSetting::Folder(FolderSetting { path, other_file_systems: false });
    assert!(matches!(open(&setting, None).await, Err(SourceError::Setting("path"))));
}

#[tokio::test]
async fn a_throttled_source_is_the_same_source() {
    let scratch = Scratch::new();
    scratch.write("a", "content");
    let rates = Rates { objects_per_second: std::num::NonZeroU32::new(1_000), ..Rates::default() };
    let source = throttled(scratch.source().await, rates);
    let objects = all(&*source, 1).await;
    assert_eq!(text(&*source, &objects[0]).await.unwrap(), "content");
}
