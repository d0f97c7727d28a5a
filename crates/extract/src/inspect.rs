//! An object inspected from the outside: set up, opened at the door, told.

use crate::input::{Input, Source, Watched};
use crate::obstacle::Obstacle;
use crate::session::Session;
use crate::settings::Detectors;
use crate::{Format, Inspection, Limits, TroubleKind, door};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// Inspects an object. The hint is its name: it is asked only where the bytes say too little.
/// `progress` is told how many bytes of the object were read so far.
///
/// ```
/// use extract::{Detectors, Limits, Settings};
/// let detectors = std::sync::Arc::new(Detectors::new(&Settings::everything([0; 32]))?);
/// let mut object = std::io::Cursor::new(b"name,id_no\nx,A123456(3)\n");
/// let limits = Limits::default();
/// let found = extract::inspect(&mut object, "a.csv", &detectors, &limits, &mut |_| {});
/// assert_eq!(found.parts[0].kinds[0].samples[0].masked, "A12****(*)");
/// # Ok::<(), extract::SettingsError>(())
/// ```
pub fn inspect(
    input: &mut dyn Input,
    hint: &str,
    detectors: &Arc<Detectors>,
    limits: &Limits,
    progress: &mut dyn FnMut(u64),
) -> Inspection {
    let failed = Rc::new(Cell::new(false));
    let mut watched = match Watched::new(input, progress, Rc::clone(&failed)) {
        Ok(watched) => watched,
        Err(_) => {
            let mut session = Session::new(Arc::clone(detectors), limits, 0);
            session.trouble(unreadable());
            return session.finish(Format::Binary, 0);
        }
    };
    let size = watched.size();
    let mut session = Session::new(Arc::clone(detectors), limits, size);
    let format = door::enter(&mut session, Source::Whole(&mut watched), hint);
    if failed.get() {
        // Readers in between may have called it damaged.
        session.trouble(unreadable());
    }
    session.finish(format, watched.consumed())
}

const fn unreadable() -> Obstacle {
    let detail = "the object could not be read to its end";
    Obstacle { kind: TroubleKind::Unreadable, detail }
}
