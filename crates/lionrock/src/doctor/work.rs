//! Whether hostile files can be parsed in a sandbox here, and which of its layers are in force: a
//! worker is started, enters it and says so.

use super::{Finding, Grade};
use discover::work::{Layers, WorkError, WorkerOptions, Workers};

/// The first version of Landlock's interface that closes off TCP; before it, the list of system
/// calls does so alone.
const LANDLOCK_TCP: u8 = 4;

pub(super) fn examine(options: WorkerOptions) -> Finding {
    match layers(options) {
        Ok(layers) => told(layers),
        Err(why) => Finding::new("sandbox", Grade::Bad, why)
            .advise("scans cannot run here: allow seccomp filters, and mount /proc"),
    }
}

fn layers(options: WorkerOptions) -> Result<Layers, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| cause.to_string())?;
    runtime.block_on(async {
        let workers = Workers::start(options).await.map_err(|error| words(&error))?;
        workers.layers().await.map_err(|error| words(&error))
    })
}

fn words(error: &WorkError) -> String {
    std::error::Error::source(error)
        .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn told(layers: Layers) -> Finding {
    let user = match layers.user {
        Some(user) => format!("user {user}"),
        None => "the server's user".to_owned(),
    };
    let base = format!("few system calls, bounded memory and time, no privileges, {user}");
    let about = "sandbox";
    match layers.landlock_abi {
        Some(version) if version >= LANDLOCK_TCP => {
            Finding::good(about, format!("{base}, no files and no network by Landlock {version}"))
        }
        Some(version) => Finding::good(about, format!("{base}, no files by Landlock {version}")),
        None => Finding::new(about, Grade::Weak, format!("{base}; the kernel has no Landlock"))
            .advise("the list of system calls stands alone: use Linux 5.13 or later with Landlock"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_without_landlock_is_weak_and_none_at_all_is_bad() {
        let with = |landlock_abi| told(Layers { landlock_abi, user: Some(65_534) });
        assert_eq!((with(Some(7)).grade, with(Some(1)).grade), (Grade::Good, Grade::Good));
        assert!(with(Some(7)).says.contains("no network"));
        assert!(!with(Some(1)).says.contains("no network"));
        assert_eq!(with(None).grade, Grade::Weak);
        let missing =
            WorkerOptions { program: "/nonexistent".into(), ..WorkerOptions::this_program(1) };
        let finding = examine(missing);
        assert_eq!(finding.grade, Grade::Bad);
        assert!(finding.advice.is_some());
    }
}
