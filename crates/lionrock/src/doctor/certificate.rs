//! The listener's certificate: there, readable, and not about to end.

use super::{Finding, Grade};
use crate::authority::{self, RENEWAL_DAYS};
use kernel::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::Path;

const ABOUT: &str = "certificate";
const RENEW: &str = "start the server unsealed: it renews the certificate";

pub(super) fn examine(data: &Path, now: Timestamp) -> Option<Finding> {
    let path = data.join("listener.crt");
    if !path.exists() {
        return None;
    }
    let ends = CertificateDer::from_pem_file(&path).ok();
    let ends = ends.and_then(|certificate| authority::ends(&certificate).ok());
    Some(judge(ends, now))
}

fn judge(ends: Option<Timestamp>, now: Timestamp) -> Finding {
    match ends {
        None => Finding::new(ABOUT, Grade::Bad, "`listener.crt` cannot be read")
            .advise("remove the three files `listener.*`: the next start makes new ones"),
        Some(ends) if ends <= now => {
            Finding::new(ABOUT, Grade::Bad, format!("ended {ends}: clients refuse it"))
                .advise(RENEW)
        }
        Some(ends) if ends <= now.plus_days(RENEWAL_DAYS) => {
            Finding::new(ABOUT, Grade::Weak, format!("good until {ends} only")).advise(RENEW)
        }
        Some(ends) => Finding::good(ABOUT, format!("good until {ends}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_good_until_its_renewal_is_due() {
        let now = Timestamp::parse_rfc3339("2026-11-21T00:00:00Z").unwrap();
        let grade = |ends| judge(ends, now).grade;
        assert_eq!(grade(None), Grade::Bad);
        assert_eq!(grade(Some(now)), Grade::Bad);
        assert_eq!(grade(Some(now.plus_days(RENEWAL_DAYS))), Grade::Weak);
        assert_eq!(grade(Some(now.plus_days(RENEWAL_DAYS + 1))), Grade::Good);
        assert_eq!(examine(Path::new("/nowhere"), now), None);
    }
}
