//! Looks at a store once: lists it by pages, has each object inspected by workers of the given
//! binary, and prints what they found as JSON. Tests run it over real servers; it keeps nothing.
//!
//! usage: look BINARY SETTING PAGE, with the store's secret (if it has one) on standard input

use discover::work::{Instructions, WorkerOptions, Workers};
use discover::{SourceSetting, sources};
use extract::{Limits, Settings};
use kernel::Secret;
use serde_json::json;
use std::error::Error;
use std::io::{Read, Write};
use std::time::Duration;

/// No object of a test takes as long.
const DEADLINE: Duration = Duration::from_secs(60);

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

    let options = WorkerOptions { program: binary.into(), ..WorkerOptions::this_program(2) };
    let workers = Box::pin(Workers::start(options)).await?;
    let instructions = Instructions::new(&Settings::everything([7; 32]), &Limits::default())?;
    let source = sources::open(&setting, secret).await?;
    let (mut objects, mut unreadable, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let listing = source.list(after.as_deref(), page).await?;
        unreadable.extend(listing.unreadable);
        for object in listing.objects {
            match source.open(&object).await {
                Ok(opened) => {
                    let sampled = opened.sampled;
                    let done = workers.inspect(opened, &instructions, DEADLINE, &|_| {});
                    let found = Box::pin(done).await;
                    objects.push(json!({ "object": object, "sampled": sampled, "found": found }));
                }
                Err(error) => unreadable.push((object.name, error.to_string())),
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
