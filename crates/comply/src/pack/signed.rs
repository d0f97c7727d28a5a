//! Who signed a pack, followed back from the event that vouches for its documents.

use super::verdict::PackFault::Approval;
use super::verdict::{PackFault, SignatureSeen, content, verify};
use super::{PACK_DETAIL, SIGNED_PACK, STATEMENT, STATEMENT_DETAIL, STEP_DETAIL};
use crate::report::{Report, Signatories, Signatory};
use crate::signing::Step;
use audit::Hash;
use audit::line::Line;
use audit::verify::Trust;
use documents::hex;
use documents::pack::Files;
use kernel::{Event, LogPosition, Outcome};

/// An event of a report that was done, with its place in the log.
#[derive(Debug, Clone)]
pub(super) struct Voucher {
    event: Event,
    position: LogPosition,
}

impl Voucher {
    /// The event of a line, if it vouches for the documents of this statement: the making of a
    /// report, or its approval.
    pub(super) fn of(line: &Line, statement: &str) -> Option<Self> {
        let found = Self::done(line)?;
        let vouches = found.event.action == "report.make" || found.is_step(Step::Approve);
        let same = found.event.detail(STATEMENT_DETAIL) == Some(statement);
        (vouches && same).then_some(found)
    }

    fn done(line: &Line) -> Option<Self> {
        let event: Event = serde_json::from_str(&line.public).ok()?;
        let position = LogPosition(line.position);
        (event.outcome == Outcome::Done).then_some(Self { event, position })
    }

    fn is_step(&self, step: Step) -> bool {
        self.event.action == "report.sign" && self.event.detail(STEP_DETAIL) == Some(step.word())
    }

    /// The signature, named as the documents print it; the account and the time are the event's.
    fn seen(&self, what: &'static str, printed: Option<Signatory>) -> Option<SignatureSeen> {
        let printed = printed?;
        let same = printed.who == self.event.principal.to_string() && printed.at == self.event.at;
        same.then_some(SignatureSeen { what, by: printed, position: self.position })
    }
}

fn report_in(files: &Files) -> Option<Report> {
    serde_json::from_slice(content(files, crate::JSON)).ok()
}

/// Who prepared, reviewed and approved. Of a draft: who prepared it, when its documents say so.
///
/// # Errors
/// When the pack claims an approval that is not proven, and at what.
pub(super) fn follow(
    files: &Files,
    lines: &[Line],
    voucher: Voucher,
    trust: &Trust<'_>,
) -> Result<Vec<SignatureSeen>, PackFault> {
    let printed = report_in(files).map(|report| report.signatories).unwrap_or_default();
    if !voucher.is_step(Step::Approve) {
        if printed.reviewer.is_some() || printed.approver.is_some() {
            return Err(Approval("a draft prints a reviewer or an approver"));
        }
        return Ok(voucher.seen("prepared", printed.preparer).into_iter().collect());
    }
    let signed = files.get(SIGNED_PACK).ok_or(Approval("`draft.zip` is missing"))?;
    let hash = hex(&Hash::of(signed).0);
    let on_it = |found: &Voucher| {
        found.event.resource == voucher.event.resource
            && found.event.detail(PACK_DETAIL) == Some(&hash)
    };
    if !on_it(&voucher) {
        return Err(Approval("the approver signed another pack than `draft.zip`"));
    }
    let review = lines
        .iter()
        .filter_map(Voucher::done)
        .find(|found| {
            found.is_step(Step::Review) && on_it(found) && found.position < voucher.position
        })
        .ok_or(Approval("no event before it reviews `draft.zip`"))?;
    let draft = documents::pack::read(signed).map_err(|_| Approval("`draft.zip` is no pack"))?;
    let statement = hex(&Hash::of(content(&draft, STATEMENT)).0);
    let made = lines
        .iter()
        .filter_map(|line| Voucher::of(line, &statement))
        .find(|found| {
            found.event.action == "report.make"
                && found.event.resource == voucher.event.resource
                && found.position < review.position
        })
        .ok_or(Approval("no event before the review makes `draft.zip`"))?;
    // What was signed is a draft: it has no pack inside, so this goes one step down and no more.
    if draft.contains_key(SIGNED_PACK) || !verify(signed, trust, None).is_consistent() {
        return Err(Approval("`draft.zip` does not verify by itself"));
    }
    same_report(files, &draft)?;
    let [a, b, c] = [&made, &review, &voucher].map(|found| found.event.principal);
    if a == b || b == c || a == c {
        return Err(Approval("two of the three who signed are one person"));
    }
    let Signatories { preparer, reviewer, approver } = printed;
    [
        made.seen("prepared", preparer),
        review.seen("reviewed", reviewer),
        voucher.seen("approved", approver),
    ]
    .into_iter()
    .collect::<Option<Vec<_>>>()
    .ok_or(Approval("the documents print other people or times than the events"))
}

/// The final report says what the signed one says, but for who signed.
fn same_report(files: &Files, draft: &Files) -> Result<(), PackFault> {
    let (last, first) = report_in(files)
        .zip(report_in(draft))
        .ok_or(Approval("the report of the pack, or of `draft.zip`, cannot be read"))?;
    let preparer = last.signatories.preparer.clone();
    let bare = Report { signatories: first.signatories.clone(), ..last };
    if bare == first && preparer == first.signatories.preparer {
        Ok(())
    } else {
        Err(Approval("the documents say something else than those in `draft.zip`"))
    }
}
