//! Finding events, newest first, and taking them out.
//!
//! There is no index yet: a query walks back over the records, reads the public text of each event
//! and looks for the wanted words before it parses anything. One call walks over at most
//! [`SCAN_EVENTS_MAX`] events and gives a cursor where it stopped, so no query holds anything up.

use crate::line::{Line, PersonalText};
use crate::log::{Log, LogError};
use crate::proof::{TileSource as _, inclusion};
use crate::record::{CarriedKey, PersonalHash, Record, RecordedEvent};
use crate::shared::read;
use crate::tile::{HEIGHT, Tile, WIDTH, Wanted, bundle};
use kernel::{Decision, DomainId, Event, LogPosition, Principal, Timestamp};
use serde::Deserialize;
use std::borrow::Cow;

/// Most events that one call looks at: some 100 ms of work.
pub const SCAN_EVENTS_MAX: u64 = 65_536;
/// Rows that are read at once while walking.
const ROWS_AT_ONCE: u64 = 256;
/// Events that a walk back looks at first; it doubles up to [`WINDOW_MAX`].
const WINDOW_FIRST: u64 = 256;
/// Most events that a walk back looks at in one stretch.
const WINDOW_MAX: u64 = 4_096;

/// One event of the log, with its place and time there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedEvent {
    /// Its position.
    pub position: LogPosition,
    /// The log's time when it was written.
    pub logged: Timestamp,
    /// The event; its personal part is there as long as its key is.
    pub event: Event,
}

/// What to look for; everything that is given must match.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    /// Who.
    pub principal: Option<Principal>,
    /// The action's word, or its beginning when it ends in a dot: `key.` finds every use of a key.
    pub action: Option<String>,
    /// Kind and id of the resource.
    pub resource: Option<String>,
    /// Key domains, any of them.
    pub domains: Option<Vec<DomainId>>,
    /// The decision.
    pub decision: Option<Decision>,
    /// The id by which the caller knows the request.
    pub correlation: Option<String>,
    /// Not logged before.
    pub from: Option<Timestamp>,
    /// Logged before.
    pub until: Option<Timestamp>,
    /// Only events before this position: the cursor of the last page.
    pub before: Option<LogPosition>,
}

/// One page of events, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// The events.
    pub events: Vec<LoggedEvent>,
    /// Where to go on ([`Query::before`]); none at the beginning of the log. A page may be short,
    /// even empty, and still have one: the walk stopped at its limit.
    pub next: Option<LogPosition>,
}

#[derive(Deserialize)]
struct Logged {
    logged: Timestamp,
}

impl Query {
    /// Whether a text can match at all: cheap, before it is parsed.
    fn may_match(&self, text: &str, principal: Option<&str>) -> bool {
        let has = |wanted: Option<&str>| wanted.is_none_or(|wanted| text.contains(wanted));
        // Words that JSON would escape are left to the exact comparison.
        let plain = |wanted: &Option<String>| {
            wanted
                .clone()
                .filter(|w| w.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\'))
        };
        has(plain(&self.action).as_deref())
            && has(plain(&self.resource).as_deref())
            && has(plain(&self.correlation).as_deref())
            && has(principal)
    }

    fn matches(&self, logged: &LoggedEvent) -> bool {
        let event = &logged.event;
        let action = |wanted: &String| {
            event.action == *wanted || (wanted.ends_with('.') && event.action.starts_with(wanted))
        };
        self.principal.is_none_or(|p| p == event.principal)
            && self.action.as_ref().is_none_or(action)
            && self.resource.as_ref().is_none_or(|r| *r == event.resource)
            && self.domains.as_ref().is_none_or(|d| d.contains(&event.domain))
            && self.decision.is_none_or(|d| d == event.decision)
            && self.correlation.as_ref().is_none_or(|c| *c == event.correlation)
            && self.from.is_none_or(|from| logged.logged >= from)
            && self.until.is_none_or(|until| logged.logged < until)
    }
}

impl Log {
    /// Events that match, newest first, at most `limit` of them.
    ///
    /// # Errors
    /// When the stored log cannot be read.
    pub fn query(&self, query: &Query, limit: usize) -> Result<Page, LogError> {
        let size = self.head().size;
        let end = query.before.map_or(size, |before| before.0.min(size));
        let floor = end.saturating_sub(SCAN_EVENTS_MAX);
        let principal = query.principal.map(|p| p.to_string());
        let mut page = Page::default();
        let (mut at, mut window) = (end, WINDOW_FIRST);
        while at > floor {
            let start = at.saturating_sub(window).max(floor);
            let mut found = Vec::new();
            let mut past = false;
            let mut first = true;
            self.walk(start, at, |event, record| {
                // Nothing that matches need be found to see that the period has ended.
                if std::mem::take(&mut first)
                    && let Some(from) = query.from
                {
                    past |= logged(event)?.logged < from;
                }
                if query.may_match(event.public, principal.as_deref()) {
                    let mut logged = logged(event)?;
                    past |= query.from.is_some_and(|from| logged.logged < from);
                    if query.matches(&logged) {
                        logged.event.personal = self.personal(event, record)?;
                        found.push(logged);
                    }
                }
                Ok(())
            })?;
            for logged in found.into_iter().rev() {
                if page.events.len() >= limit {
                    return Ok(page);
                }
                page.next = Some(logged.position);
                page.events.push(logged);
            }
            at = start;
            page.next = (at > 0).then_some(LogPosition(at));
            // The log's time never goes back: nothing before an older event is newer.
            if past {
                page.next = None;
                break;
            }
            window = (window * 2).min(WINDOW_MAX);
        }
        Ok(page)
    }

    /// One event.
    ///
    /// # Errors
    /// When there is none at this position, or the stored log cannot be read.
    pub fn event(&self, position: LogPosition) -> Result<LoggedEvent, LogError> {
        let mut found = None;
        self.one(position.0, |event, record| {
            let mut logged = logged(event)?;
            logged.event.personal = self.personal(event, record)?;
            found = Some(logged);
            Ok(())
        })?;
        found.ok_or_else(|| self.none_at(position.0))
    }

    /// Events from `from` on, oldest first, at most `limit` of them: for sinks.
    ///
    /// # Errors
    /// When the stored log cannot be read.
    pub fn events_from(
        &self,
        from: LogPosition,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, LogError> {
        let end = self.head().size.min(from.0.saturating_add(limit as u64));
        let mut events = Vec::new();
        self.walk(from.0, end, |event, record| {
            let mut logged = logged(event)?;
            logged.event.personal = self.personal(event, record)?;
            events.push(logged);
            Ok(())
        })?;
        Ok(events)
    }

    /// One event as evidence: with everything to hash it again and the proof that it is in the log
    /// of `size` events.
    ///
    /// # Errors
    /// When there is none at this position, or the stored log cannot be read.
    pub fn evidence(&self, position: LogPosition, size: u64) -> Result<Line, LogError> {
        if position.0 >= size || size > self.head().size {
            return Err(self.none_at(position.0));
        }
        let mut found = None;
        self.one(position.0, |event, _| {
            found = Some(line(event, None));
            Ok(())
        })?;
        let mut line = found.ok_or_else(|| self.none_at(position.0))?;
        line.path = inclusion(&self.reader(), position.0, size)?;
        Ok(line)
    }

    /// Gives the lines of an export from `from` up to `until`, oldest first: JSON with everything
    /// to recompute the leaves, the personal parts too if they are asked for and their keys exist.
    ///
    /// # Errors
    /// When the stored log cannot be read, or the taker fails.
    pub fn export(
        &self,
        from: LogPosition,
        until: LogPosition,
        with_personal: bool,
        mut take: impl FnMut(&Line) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let end = until.0.min(self.head().size);
        self.walk(from.0, end, |event, record| {
            let text = if with_personal { self.open_personal(event, record)? } else { None };
            take(&line(event, text))
        })
    }

    /// What a mirror asks for by a path of C2SP `tlog-tiles`, under the log's prefix: `checkpoint`,
    /// `tile/<level>/<index>` or `tile/entries/<index>`, partial ones with `.p/<width>`. Entries
    /// are hashes of salted texts and say nothing about their events. `None`: there is no such file
    /// (yet).
    ///
    /// # Errors
    /// When the stored log cannot be read.
    pub fn mirror_file(&self, path: &str) -> Result<Option<Vec<u8>>, LogError> {
        if path == "checkpoint" {
            return self.checkpoint().map(|note| Some(note.to_string().into_bytes()));
        }
        let Some(wanted) = Wanted::parse(path) else { return Ok(None) };
        let size = self.head().size;
        let (level, index, width) = match wanted {
            Wanted::Hashes { level, index, width } => (level, index, width),
            Wanted::Entries { index, width } => (0, index, width),
        };
        let hashes = size >> (u32::from(level) * u32::from(HEIGHT));
        let first = index.checked_mul(WIDTH as u64);
        let end = first.and_then(|first| first.checked_add(width as u64));
        let (Some(first), Some(end)) = (first, end.filter(|end| *end <= hashes)) else {
            return Ok(None);
        };
        if let Wanted::Hashes { .. } = wanted {
            let tile = self.reader().tile(level, index)?;
            let hashes = tile.get(..width).ok_or(LogError::Hashes { level, index })?.to_vec();
            return Ok(Some(Tile { level, index, hashes }.bytes()));
        }
        let mut entries = Vec::with_capacity(width);
        self.walk(first, end, |event, _| {
            entries.push(event.entry());
            Ok(())
        })?;
        Ok(Some(bundle(&entries)))
    }

    /// Calls `see` for each event of a range, oldest first, with the record that it lies in.
    fn walk(
        &self,
        start: u64,
        end: u64,
        mut see: impl FnMut(&RecordedEvent<'_>, &Record<'_>) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let (mut at, mut rows) = (start, 1);
        while at < end {
            let before = at;
            for row in self.rows.rows(LogPosition(at), rows)? {
                let record = read(&row.body, at)?;
                let wanted = |e: &&RecordedEvent<'_>| (at..end).contains(&e.position);
                for event in record.events.iter().filter(wanted) {
                    see(event, &record)?;
                }
                at = at.max(record.first + record.events.len() as u64);
            }
            if at == before {
                return Err(self.none_at(at));
            }
            // As many rows as should hold what is left, going by those just read.
            let expected = (end.saturating_sub(at) * rows as u64).div_ceil(at - before);
            rows = usize::try_from(expected.clamp(1, ROWS_AT_ONCE)).unwrap_or(1);
        }
        Ok(())
    }

    fn one(
        &self,
        position: u64,
        see: impl FnMut(&RecordedEvent<'_>, &Record<'_>) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        if position >= self.head().size {
            return Err(self.none_at(position));
        }
        self.walk(position, position + 1, see)
    }

    fn none_at(&self, asked: u64) -> LogError {
        LogError::NoSuchPosition { asked, size: self.head().size }
    }

    fn personal(&self, event: &RecordedEvent<'_>, record: &Record<'_>) -> Result<Pairs, LogError> {
        match self.open_personal(event, record)? {
            Some(text) => pairs(event.position, &text),
            None => Ok(Vec::new()),
        }
    }

    fn open_personal(
        &self,
        event: &RecordedEvent<'_>,
        record: &Record<'_>,
    ) -> Result<Option<PersonalText>, LogError> {
        let Some(PersonalHash { part: number, .. }) = event.personal else { return Ok(None) };
        let Some(part) = record.parts.get(usize::from(number)) else { return Ok(None) };
        let place = (record.first, number);
        self.shared.personal.open(place, event.position, part, |key| {
            let pick = |keys: &[CarriedKey]| keys.get(usize::from(key.number)).cloned();
            let older = if key.record == record.first {
                pick(&record.carried)
            } else {
                pick(&read(&self.row(key.record)?.body, key.record)?.carried)
            };
            let Some(older) = older else { return Ok(Vec::new()) };
            let newer = self.rows.rewrapped(&crate::shred::name(key))?;
            let newer = newer.map(|wrapped| CarriedKey { slot: older.slot.clone(), wrapped });
            Ok(newer.into_iter().chain([older]).collect())
        })
    }
}

type Pairs = Vec<(Cow<'static, str>, String)>;

fn logged(event: &RecordedEvent<'_>) -> Result<LoggedEvent, LogError> {
    let position = event.position;
    let fault = |cause| LogError::Event { position, cause };
    let Logged { logged } = serde_json::from_str(event.public).map_err(fault)?;
    let event = serde_json::from_str(event.public).map_err(fault)?;
    Ok(LoggedEvent { position: LogPosition(position), logged, event })
}

fn pairs(position: u64, text: &PersonalText) -> Result<Vec<(Cow<'static, str>, String)>, LogError> {
    serde_json::from_str(&text.text).map_err(|cause| LogError::Event { position, cause })
}

fn line(event: &RecordedEvent<'_>, personal: Option<PersonalText>) -> Line {
    Line {
        position: event.position,
        public: event.public.to_owned(),
        public_salt: event.public_salt,
        personal_hash: event.personal_hash(),
        personal,
        path: Vec::new(),
    }
}
