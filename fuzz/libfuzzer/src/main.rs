//! libFuzzer before the target that the environment names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

/// The target, chosen once: `LIONROCK_FUZZ` is its name.
fn target() -> &'static fuzz::Target {
    static TARGET: OnceLock<&'static fuzz::Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        // A panic inside a parser of others that the product catches is no finding: what counts is
        // whether the target itself panics.
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
        let name = std::env::var("LIONROCK_FUZZ").expect("LIONROCK_FUZZ names the target");
        fuzz::find(&name).unwrap_or_else(|| panic!("there is no target `{name}`"))
    })
}

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() <= target().bytes_max {
        if std::panic::catch_unwind(|| (target().run)(bytes)).is_err() {
            std::process::abort();
        }
    }
});
