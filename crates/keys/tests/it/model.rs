//! Random lives of a key beside a model that shares no code with it, restarts included.

use crate::bench::*;
use kernel::VersionNo;
use keys::*;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Act {
    Encrypt,
    DecryptAll,
    Rotate,
    Suspend,
    Resume,
    CompromiseAll,
    Destroy,
    Recover,
    HoursPass(u32),
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Encrypt),
        4 => Just(Act::DecryptAll),
        4 => Just(Act::Rotate),
        2 => Just(Act::Suspend),
        3 => Just(Act::Resume),
        1 => Just(Act::CompromiseAll),
        2 => Just(Act::Destroy),
        2 => Just(Act::Recover),
        3 => (1u32..15).prop_map(Act::HoursPass),
        1 => Just(Act::Restart),
    ];
    prop::collection::vec(act, 1..40)
}

/// What may be done with one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Both,
    Read,
    ReadKnowing,
}

/// The key as somebody would keep it on paper.
#[derive(Debug, Default)]
struct Paper {
    versions: Vec<May>,
    suspended: bool,
    /// Hours that the destruction still has to be served.
    hours_left: Option<u32>,
    gone: bool,
    texts: Vec<(Vec<u8>, String, usize)>,
}

impl Paper {
    fn writes_with(&self) -> Option<usize> {
        if self.suspended || self.hours_left.is_some() || self.gone {
            return None;
        }
        self.versions.iter().rposition(|may| *may == May::Both)
    }

    fn reads(&self, version: usize, knowing: bool) -> bool {
        let stopped = self.suspended || self.hours_left.is_some() || self.gone;
        !stopped && (self.versions[version] != May::ReadKnowing || knowing)
    }
}

async fn live(acts: Vec<Act>) {
    let mut bench = Bench::new();
    let retail = bench.domain("retail", WAITING_SECONDS_MIN).await;
    let id = bench.aes(retail, "ledger").await;
    let mut paper = Paper { versions: vec![May::Both], ..Paper::default() };
    for (n, act) in acts.into_iter().enumerate() {
        let reason = || why();
        match act {
            Act::Encrypt => {
                let text = format!("text {n}");
                let made = bench.keys.encrypt(bench.on_key(id), &plain(&text)).await;
                assert_eq!(made.is_ok(), paper.writes_with().is_some(), "{n}: {made:?} {paper:?}");
                if let (Ok(made), Some(version)) = (made, paper.writes_with()) {
                    assert_eq!(made.version, VersionNo(u32::try_from(version).unwrap() + 1));
                    paper.texts.push((made.ciphertext, text, version));
                }
            }
            Act::DecryptAll => {
                for (ciphertext, expected, version) in &paper.texts {
                    for compromise in [Compromise::Refuse, Compromise::Accept] {
                        let request = Decrypt {
                            ciphertext: ciphertext.clone(),
                            context: b"t".to_vec(),
                            compromise,
                        };
                        let read = bench.keys.decrypt(bench.on_key(id), &request).await;
                        let may = paper.reads(*version, compromise == Compromise::Accept);
                        assert_eq!(read.is_ok(), may, "{n}: {read:?} {paper:?}");
                        if let Ok(read) = read {
                            assert_eq!(text(read.plaintext), *expected);
                        }
                    }
                }
            }
            Act::Rotate => {
                let may = !paper.suspended && paper.hours_left.is_none() && !paper.gone;
                let done = bench.keys.rotate(bench.on_key(id), None).await;
                assert_eq!(done.is_ok(), may, "{n}: {done:?} {paper:?}");
                if may {
                    for version in &mut paper.versions {
                        if *version == May::Both {
                            *version = May::Read;
                        }
                    }
                    paper.versions.push(May::Both);
                }
            }
            Act::Suspend => {
                let request = Suspend { reason: reason(), stops: vec![] };
                let done = bench.keys.suspend(bench.on_key(id), &request).await;
                assert_eq!(done.is_ok(), !paper.suspended && !paper.gone, "{n}: {done:?}");
                paper.suspended |= done.is_ok();
            }
            Act::Resume => {
                let request = Resume { reason: reason() };
                let done = bench.keys.resume(bench.on_key(id), &request).await;
                assert_eq!(done.is_ok(), paper.suspended && !paper.gone, "{n}: {done:?}");
                paper.suspended &= done.is_err();
            }
            Act::CompromiseAll => {
                let request = DeclareCompromise { reason: reason(), versions: None };
                let done = bench.keys.compromise(bench.on_key(id), &request).await;
                let news = paper.versions.iter().any(|may| *may != May::ReadKnowing);
                let may = !paper.gone && news;
                assert_eq!(done.is_ok(), may, "{n}: {done:?} {paper:?}");
                if may {
                    // A suspended key stays suspended: two people stopped it.
                    paper.versions.fill(May::ReadKnowing);
                }
            }
            Act::Destroy => {
                let request = Destroy { reason: reason() };
                let done = bench.keys.destroy(bench.on_key(id), &request).await;
                let may = paper.hours_left.is_none() && !paper.gone;
                assert_eq!(done.is_ok(), may, "{n}: {done:?} {paper:?}");
                if may {
                    paper.hours_left = Some(24);
                }
            }
            Act::Recover => {
                let request = Destroy { reason: reason() };
                let done = bench.keys.recover_key(bench.on_key(id), &request).await;
                assert_eq!(done.is_ok(), paper.hours_left.is_some(), "{n}: {done:?} {paper:?}");
                paper.hours_left = None;
            }
            Act::HoursPass(hours) => {
                bench.clock.advance_millis(hours * 3_600_000);
                bench.keys.sweep().await.unwrap();
                paper.hours_left = paper.hours_left.map(|left| left.saturating_sub(hours));
                if paper.hours_left == Some(0) {
                    paper.hours_left = None;
                    paper.gone = true;
                }
            }
            Act::Restart => {
                bench.keys.flush_usage().await.unwrap();
                bench = bench.restarted();
                bench.keys.recover().await.unwrap();
            }
        }
        assert_eq!(bench.view(id).versions.len(), paper.versions.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_life_of_a_key_agrees_with_the_paper(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(live(acts));
    }
}
