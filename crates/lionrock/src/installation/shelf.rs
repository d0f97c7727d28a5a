//! The shelf of reports as the console's pages see it.

use comply::{Period, ReportRequest, Signatories};
use console::{Making, Pack, Packs};
use kernel::actions::ReportMake;
use kernel::{Permit, PersonId, Principal, Problem, ReportId};
use rest::Rooms;
use std::sync::Arc;

/// Days that a report made from a page looks back.
const DAYS: i64 = 90;

pub(super) struct Shelf {
    rooms: Arc<Rooms>,
}

impl Shelf {
    pub(super) fn of(rooms: &Arc<Rooms>) -> Self {
        Self { rooms: Arc::clone(rooms) }
    }

    /// The name of whoever made a report; their identifier when the account is gone.
    fn name(&self, made_by: &str) -> String {
        let person = made_by.parse::<PersonId>().ok().map(Principal::Person);
        let name = person.and_then(|person| self.rooms.access.display_name(person));
        name.map_or_else(|| made_by.to_owned(), String::from)
    }
}

impl Packs for Shelf {
    fn list(&self) -> Result<Vec<Pack>, Problem> {
        let found = self.rooms.comply.reports.shelf()?;
        let there = found.into_iter().filter_map(|(record, bytes)| Some((record, bytes?)));
        Ok(there
            .map(|(record, bytes)| Pack {
                id: record.id,
                title: format!(
                    "Assessment, {} to {}",
                    record.from.hong_kong_date(),
                    record.to.hong_kong_date()
                ),
                made_at: record.made_at,
                signatories: Signatories {
                    preparer: Some(self.name(&record.made_by)),
                    ..Signatories::default()
                },
                checkpoint_size: None,
                bytes,
            })
            .collect())
    }

    fn read(&self, id: ReportId) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.rooms.comply.reports.pack(id)?)
    }

    fn make(&self, permit: Permit<ReportMake>) -> Making<'_, ReportId> {
        Box::pin(async move {
            let now = self.rooms.clock.wall();
            let made_by = self.name(&permit.caller().principal.to_string());
            let period = Period::new(now.plus_days(-DAYS), now).map_err(|cause| {
                Problem::new(kernel::ProblemKind::Internal, "period", cause.to_string())
            })?;
            let request = ReportRequest {
                period,
                sample: self.rooms.sample,
                show_designation: false,
                signatories: Signatories { preparer: Some(made_by), ..Signatories::default() },
            };
            Ok(self.rooms.comply.reports.make(permit, request).await?.id)
        })
    }
}
