//! One inspection on its way: what was found so far, where we are, and what may still be spent.

use crate::input::Budget;
use crate::ledger::Ledger;
use crate::obstacle::Obstacle;
use crate::settings::Detectors;
use crate::{Coverage, Format, Inspection, Limits, Part, Trouble, TroubleKind};
use std::rc::Rc;
use std::sync::Arc;

/// Characters of one step of a path that are kept: file systems allow no longer names.
const STEP_CHARS_MAX: usize = 255;

/// What the formats share while one object is inspected.
pub(crate) struct Session<'a> {
    pub(crate) detectors: Arc<Detectors>,
    pub(crate) limits: &'a Limits,
    pub(crate) budget: Rc<Budget>,
    path: Vec<String>,
    depth: u32,
    held: u64,
    members: u64,
    cells: u64,
    text_bytes: u64,
    partial: bool,
    parts: Vec<Part>,
    troubles: Vec<Trouble>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(detectors: Arc<Detectors>, limits: &'a Limits, object_bytes: u64) -> Self {
        Self {
            detectors,
            limits,
            budget: Rc::new(Budget::new(object_bytes, limits)),
            path: Vec::new(),
            depth: 0,
            held: 0,
            members: 0,
            cells: 0,
            text_bytes: 0,
            partial: false,
            parts: Vec::new(),
            troubles: Vec::new(),
        }
    }

    /// Counts for a new part.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(&self.detectors, self.limits.columns_max)
    }

    /// Keeps a part if it holds something.
    pub(crate) fn keep(&mut self, format: Format, encoding: Option<String>, ledger: Ledger) {
        self.text_bytes += ledger.text_bytes();
        let (kinds, columns) = ledger.finish();
        if kinds.is_empty() && columns.is_empty() {
            return;
        }
        if self.parts.len() >= self.limits.parts_max {
            self.trouble(Obstacle::too_many("more parts hold something than are reported"));
            return;
        }
        let path = self.path.clone();
        self.parts.push(Part { path, format, encoding, kinds, columns });
    }

    /// Reports what could not be read here. What was met twice at one place is told once.
    pub(crate) fn trouble(&mut self, obstacle: Obstacle) {
        self.partial = true;
        let detail = obstacle.detail.to_owned();
        let trouble = Trouble { path: self.path.clone(), kind: obstacle.kind, detail };
        if self.troubles.len() < self.limits.troubles_max && self.troubles.last() != Some(&trouble)
        {
            self.troubles.push(trouble);
        }
    }

    /// Reports an obstacle, if there was one.
    pub(crate) fn settle(&mut self, result: Result<(), Obstacle>) {
        if let Err(obstacle) = result {
            self.trouble(obstacle);
        }
    }

    /// Says that a part was left out on purpose: a sample was read.
    pub(crate) const fn sampled(&mut self) {
        self.partial = true;
    }

    /// Does something one step further inside.
    pub(crate) fn inside<T>(&mut self, step: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        let clean = step.chars().map(|c| if c.is_control() { ' ' } else { c });
        self.path.push(clean.take(STEP_CHARS_MAX).collect());
        let done = act(self);
        self.path.pop();
        done
    }

    /// Does something with a container's inside, unless it lies too deep.
    pub(crate) fn deeper(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), Obstacle>,
    ) -> Result<(), Obstacle> {
        if self.depth >= self.limits.depth_max {
            let detail = "it lies deeper in containers than the limits allow";
            return Err(Obstacle { kind: TroubleKind::TooDeep, detail });
        }
        self.depth += 1;
        let done = act(self);
        self.depth -= 1;
        done
    }

    /// Counts a member of a container.
    pub(crate) fn member(&mut self) -> Result<(), Obstacle> {
        // When nothing more may be unpacked, no further member is begun.
        self.budget.spend(0)?;
        self.members += 1;
        if self.members > self.limits.members_max {
            return Err(Obstacle::too_many("it has more members than the limits allow"));
        }
        Ok(())
    }

    /// Counts cells of a table.
    pub(crate) fn cells(&mut self, count: usize) -> Result<(), Obstacle> {
        self.cells += count as u64;
        if self.cells > self.limits.cells_max {
            return Err(Obstacle::too_many("it has more cells than the limits allow"));
        }
        Ok(())
    }

    /// Bytes that may still be held.
    pub(crate) const fn holdable(&self) -> u64 {
        self.limits.held_bytes_max.saturating_sub(self.held)
    }

    /// Does something with bytes in memory, which count as held meanwhile.
    pub(crate) fn holding<T>(&mut self, bytes: usize, act: impl FnOnce(&mut Self) -> T) -> T {
        self.held += bytes as u64;
        let done = act(self);
        self.held -= bytes as u64;
        done
    }

    /// Ends the inspection.
    pub(crate) fn finish(self, format: Format, bytes: u64) -> Inspection {
        let nothing = self.text_bytes == 0 && !self.troubles.is_empty();
        let coverage = match (nothing, self.partial) {
            (true, _) => Coverage::None,
            (false, true) => Coverage::Part,
            (false, false) => Coverage::Whole,
        };
        Inspection {
            format,
            bytes,
            text_bytes: self.text_bytes,
            coverage,
            parts: self.parts,
            troubles: self.troubles,
        }
    }
}
