//! Counts and latencies of every endpoint, as Prometheus text (format 0.0.4).

use crate::table::Table;
use http::StatusCode;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS: [u64; 8] = [500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000];
/// Classes of status: 1xx to 5xx.
const CLASSES: usize = 5;

#[derive(Debug, Default)]
struct Meter {
    classes: [AtomicU64; CLASSES],
    buckets: [AtomicU64; BUCKETS.len()],
    micros: AtomicU64,
    count: AtomicU64,
}

/// The meters of the door, one for each line of the table.
#[derive(Debug)]
pub(crate) struct Meters(Vec<Meter>);

impl Meters {
    pub(crate) fn of(table: &Table) -> Self {
        Self(table.endpoints().iter().map(|_| Meter::default()).collect())
    }

    /// Counts one request.
    pub(crate) fn count(&self, line: usize, status: StatusCode, micros: u64) {
        let Some(meter) = self.0.get(line) else { return };
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(class) = meter.classes.get(class) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        for (bound, bucket) in BUCKETS.iter().zip(&meter.buckets) {
            if micros <= *bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        meter.micros.fetch_add(micros, Ordering::Relaxed);
        meter.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the meters; lines that nobody has called are left out.
    pub(crate) fn write(&self, table: &Table, text: &mut String) {
        let used = || {
            let pairs = table.endpoints().iter().zip(&self.0);
            pairs.filter(|(_, meter)| meter.count.load(Ordering::Relaxed) > 0)
        };
        text.push_str(
            "# HELP lionrock_requests_total Requests by operation and class of status.\n",
        );
        text.push_str("# TYPE lionrock_requests_total counter\n");
        for (endpoint, meter) in used() {
            let operation = endpoint.operation();
            for (class, count) in (1..).zip(&meter.classes) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let _ = writeln!(
                        text,
                        "lionrock_requests_total{{operation=\"{operation}\",class=\"{class}xx\"}} \
                         {count}"
                    );
                }
            }
        }
        let name = "lionrock_request_duration_seconds";
        let _ = writeln!(text, "# HELP {name} Time from arrival to answer.");
        let _ = writeln!(text, "# TYPE {name} histogram");
        for (endpoint, meter) in used() {
            let operation = endpoint.operation();
            let count = meter.count.load(Ordering::Relaxed);
            for (bound, bucket) in BUCKETS.iter().zip(&meter.buckets) {
                let (bound, within) = (seconds(*bound), bucket.load(Ordering::Relaxed));
                let _ = writeln!(
                    text,
                    "{name}_bucket{{operation=\"{operation}\",le=\"{bound}\"}} {within}"
                );
            }
            let _ =
                writeln!(text, "{name}_bucket{{operation=\"{operation}\",le=\"+Inf\"}} {count}");
            let sum = seconds(meter.micros.load(Ordering::Relaxed));
            let _ = writeln!(text, "{name}_sum{{operation=\"{operation}\"}} {sum}");
            let _ = writeln!(text, "{name}_count{{operation=\"{operation}\"}} {count}");
        }
    }
}

/// Microseconds as seconds with six digits, without floating point.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_once_in_every_bucket_that_holds_it() {
        let table = crate::table();
        let meters = Meters::of(&table);
        meters.count(0, StatusCode::OK, 700);
        meters.count(0, StatusCode::NOT_FOUND, 2_000_000);
        meters.count(usize::MAX, StatusCode::OK, 1);
        let mut text = String::new();
        meters.write(&table, &mut text);
        let operation = table.endpoints()[0].operation();
        for line in [
            format!("lionrock_requests_total{{operation=\"{operation}\",class=\"2xx\"}} 1"),
            format!("lionrock_requests_total{{operation=\"{operation}\",class=\"4xx\"}} 1"),
            format!(
                "lionrock_request_duration_seconds_bucket{{operation=\"{operation}\",le=\"0.000500\"}} 0"
            ),
            format!(
                "lionrock_request_duration_seconds_bucket{{operation=\"{operation}\",le=\"0.001000\"}} 1"
            ),
            format!("lionrock_request_duration_seconds_count{{operation=\"{operation}\"}} 2"),
            format!("lionrock_request_duration_seconds_sum{{operation=\"{operation}\"}} 2.000700"),
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
