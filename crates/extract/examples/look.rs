//! Prints what files hold, one JSON object to a line: `look FILE…`.
#![expect(clippy::print_stdout, reason = "an example speaks on standard output")]

use extract::{Detectors, Limits, Settings, inspect};
use std::error::Error;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let detectors = Arc::new(Detectors::new(&Settings::everything([1; 32]))?);
    for path in std::env::args().skip(1) {
        let mut file = std::fs::File::open(&path)?;
        let found = inspect(&mut file, &path, &detectors, &Limits::default(), &mut |_| {});
        println!("{path}: {}", serde_json::to_string(&found)?);
    }
    Ok(())
}
