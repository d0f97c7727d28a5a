//! Looks at a store once: lists it by pages, has each object inspected by workers of the given
//! binary, and prints what they found as JSON. Tests run it over real servers; it keeps nothing.
//!
//! usage: look BINARY SETTING PAGE [WORKERS], with the store's secret (if it has one) on standard
//! input

use discover::work::{Instructions, WorkerOptions, Workers};
use discover::{SourceSetting, sources};
use extract::{Limits, Settings};
use futures_util::StreamExt;
use kernel::Secret;
use serde_json::json;
use std::error::Error;
use std::io::{Read, Write};
use std::time::Duration;

/// No object of a test takes as long.
const DEADLINE: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: look BINARY SETTING PAGE");
    let (binary, setting, page) = (next()?, next()?, next()?);
    let mut secret = String::new();
    std::io::stdin().read_to_string(&mut secret)?;
    let secret = (!secret.is_empty()).then(|| Secret::new(secret));
    let setting: SourceSetting = serde_json::from_str(&setting)?;
    let page: usize = page.parse()?;
    let at_once = next().map_or(Ok(2), |count| count.parse())?;

    let options = WorkerOptions { program: binary.into(), ..WorkerOptions::this_program(at_once) };
    let workers = Box::pin(Workers::start(options)).await?;
    let instructions = Instructions::new(&Settings::everything([7; 32]), &Limits::default())?;
    let source = sources::open(&setting, secret).await?;
    let (mut objects, mut unreadable, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let listing = source.list(after.as_deref(), page).await?;
        unreadable.extend(listing.unreadable);
        let (source, workers, instructions) = (&source, &workers, &instructions);
        let looks = listing.objects.into_iter().map(|object| async move {
            let opened = source.open(&object).await;
            let opened = opened.map_err(|error| (object.name.clone(), error.to_string()))?;
            let sampled = opened.sampled;
            let done = workers.inspect(opened, instructions, DEADLINE, &|_| {});
            let found = Box::pin(done).await;
            Ok(json!({ "object": object, "sampled": sampled, "found": found }))
        });
        let mut looks = futures_util::stream::iter(looks).buffered(at_once);
        while let Some(look) = looks.next().await {
            match look {
                Ok(look) => objects.push(look),
                Err(trouble) => unreadable.push(trouble),
            }
        }
        after = listing.next;
        if after.is_none() {
            break;
        }
    }
    let all = json!({ "objects": objects, "unreadable": unreadable });
    writeln!(std::io::stdout(), "{all}")?;
    Ok(())
}
