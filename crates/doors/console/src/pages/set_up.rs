//! `/set-up`: who holds a one-time link sets a password and a second factor.
//!
//! The first page only carries the link on: a link that is merely looked at, by a mail scanner or
//! by going back, makes nothing. The second shows the seed of one-time codes, once.

use crate::elements::form_token;
use crate::frame::bare_page;
use crate::pages::sign_in::{code_field, message};
use crate::qr;
use maud::{Markup, html};

/// The first page: the link was opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opening {
    /// The installation is a sample.
    pub(crate) sample: bool,
    /// The token that the form carries.
    pub(crate) form_token: String,
    /// The one-time token of the link.
    pub(crate) link: String,
    /// What is wrong with the last try.
    pub(crate) message: Option<String>,
}

/// The seed of one-time codes, as it is shown once.
#[derive(Debug, Clone)]
pub(crate) struct Seed {
    /// The address that an authenticator reads (`otpauth://totp/…`).
    pub(crate) address: String,
    /// The seed in base 32, for typing.
    pub(crate) base32: String,
}

/// The second page: password and second factor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Enrolling {
    /// The installation is a sample.
    pub(crate) sample: bool,
    /// The token that the form carries.
    pub(crate) form_token: String,
    /// The one-time token of the link.
    pub(crate) link: String,
    /// What is wrong with the last try.
    pub(crate) message: Option<String>,
    /// The name to sign in with from now on.
    pub(crate) sign_in_name: String,
    /// The seed; none when it was shown before and only the try is repeated.
    pub(crate) seed: Option<Seed>,
    /// The fewest characters that a password has.
    pub(crate) password_chars_min: usize,
}

/// The first page.
pub(crate) fn opening(view: &Opening) -> Markup {
    let body = html! {
        (message(view.message.as_deref()))
        @if view.link.is_empty() {
            p { "Open the whole link that you were given: it works once, for a short time." }
        } @else {
            p {
                "This link works once. With it you choose your password and enrol the authenticator \
                 that makes your one-time codes. Have the authenticator at hand."
            }
            form.stack method="post" action="/set-up" {
                (form_token(&view.form_token))
                input type="hidden" name="link" value=(view.link);
                button.first type="submit" { "Continue" }
            }
        }
    };
    bare_page("Set up your account", view.sample, &body)
}

/// The second page.
pub(crate) fn enrolling(view: &Enrolling) -> Markup {
    let shortest = view.password_chars_min;
    let body = html! {
        (message(view.message.as_deref()))
        p { "You sign in as " strong { (view.sign_in_name) } "." }
        @match &view.seed {
            Some(seed) => {
                p { "Scan this with your authenticator, or type the seed. It is shown once." }
                (qr::picture(&seed.address, "QR code; the seed below is the same"))
                p { "Seed: " code { (seed.base32) } }
            },
            None => form.stack method="post" action="/set-up" {
                (form_token(&view.form_token))
                input type="hidden" name="link" value=(view.link);
                p.hint { "Your authenticator has the seed already. If not:" }
                button type="submit" { "Show a new seed" }
            },
        }
        form.stack method="post" action="/set-up/finish" {
            (form_token(&view.form_token))
            input type="hidden" name="link" value=(view.link);
            input type="hidden" name="name" value=(view.sign_in_name) autocomplete="username";
            label { "Password, at least " (shortest) " characters"
                input type="password" name="password" required autocomplete="new-password"
                    minlength=(shortest) maxlength="1024"; }
            label { "The same password again"
                input type="password" name="again" required autocomplete="new-password"
                    minlength=(shortest) maxlength="1024"; }
            (code_field(false))
            button.first type="submit" { "Finish" }
        }
    };
    bare_page("Choose your proofs", view.sample, &body)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample_opening() -> Opening {
        Opening { sample: true, form_token: "t".into(), link: "lri_once".into(), message: None }
    }

    pub(crate) fn sample_enrolling() -> Enrolling {
        Enrolling {
            sample: true,
            form_token: "t".into(),
            link: "lri_once".into(),
            message: None,
            sign_in_name: "admin".into(),
            seed: Some(Seed {
                address: "otpauth://totp/Lionrock:admin?secret=JBSWY3DPEHPK3PXP&issuer=Lionrock"
                    .into(),
                base32: "JBSWY3DPEHPK3PXP".into(),
            }),
            password_chars_min: 12,
        }
    }

    #[test]
    fn a_link_that_is_looked_at_is_only_carried_on() {
        let text = opening(&sample_opening()).into_string();
        assert!(text.contains("name=\"link\" value=\"lri_once\""));
        assert!(text.contains("action=\"/set-up\"") && !text.contains("href=\"/set-up"));
        assert!(!opening(&Opening::default()).into_string().contains("<form"));
    }

    #[test]
    fn the_seed_can_be_scanned_or_typed_and_is_shown_once() {
        let text = enrolling(&sample_enrolling()).into_string();
        assert!(text.contains("<svg class=\"qr\"") && text.contains("JBSWY3DPEHPK3PXP"));
        assert!(!text.contains("otpauth://"), "the address is in the picture only");
        let again = Enrolling { seed: None, ..sample_enrolling() };
        let text = enrolling(&again).into_string();
        assert!(!text.contains("<svg class=\"qr\"") && text.contains("Show a new seed"));
    }

    #[test]
    fn a_hostile_link_cannot_leave_its_field() {
        let view = Opening { link: "\"><script>".into(), ..sample_opening() };
        assert!(!opening(&view).into_string().contains("\"><script>"));
    }
}
