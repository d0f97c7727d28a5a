//! `/account`: one's own password and device of one-time codes.

use crate::elements::form_token;
use crate::frame::{Frame, Source, Title, page};
use crate::pages::set_up::Seed;
use crate::pages::sign_in::{code_field, message};
use crate::qr;
use maud::{Markup, html};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    /// What was changed just now.
    pub(crate) done: Option<&'static str>,
    /// What is wrong with the last try.
    pub(crate) message: Option<String>,
    /// A new device waits for its first code.
    pub(crate) begun: bool,
    /// The seed for it; none when it was shown before and only the code is repeated.
    pub(crate) seed: Option<Seed>,
}

/// The page.
pub(crate) fn show(frame: &Frame, source: &Source, view: &Account) -> Markup {
    let body = html! {
        (message(view.message.as_deref()))
        @if let Some(done) = view.done {
            div.callout role="status" { p { (done) } }
        }
        @if view.begun { (new_device(frame, view)) } @else { (both(frame)) }
    };
    page(frame, &Title::of("Your account"), source, &body)
}

fn both(frame: &Frame) -> Markup {
    let shortest = access::PASSWORD_CHARS_MIN;
    html! {
        p {
            "Each change asks for both proofs that you have now, and ends your other sessions. \
             Whoever has lost a proof asks an identity administrator for a new link."
        }
        section {
            h2 { "Change your password" }
            form.stack method="post" action="/account/password" {
                (form_token(&frame.form_token))
                (current_password())
                (code_field(false))
                label { "New password, at least " (shortest) " characters"
                    input type="password" name="new" required autocomplete="new-password"
                        minlength=(shortest) maxlength="1024"; }
                label { "The new password again"
                    input type="password" name="again" required autocomplete="new-password"
                        minlength=(shortest) maxlength="1024"; }
                button type="submit" { "Change the password" }
            }
        }
        section {
            h2 { "Change your device" }
            p { "The old device goes on until the new one has given a code." }
            form.stack method="post" action="/account/device" {
                (form_token(&frame.form_token))
                (current_password())
                (code_field(false))
                button type="submit" { "Show a new seed" }
            }
        }
    }
}

fn current_password() -> Markup {
    html! {
        label { "Password until now"
            input type="password" name="password" required autocomplete="current-password"
                maxlength="1024"; }
    }
}

fn new_device(frame: &Frame, view: &Account) -> Markup {
    html! {
        section {
            h2 { "The new device" }
            @if let Some(seed) = &view.seed {
                p { "Scan this with the new authenticator, or type the seed. It is shown once." }
                (qr::picture(&seed.address, "QR code; the seed below is the same"))
                p { "Seed: " code { (seed.base32) } }
            }
            form.stack method="post" action="/account/device/finish" {
                (form_token(&frame.form_token))
                (code_field(true))
                button.first type="submit" { "Use this device from now on" }
            }
            p { a href="/account" { "Keep the old device" } }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::frame::tests::{frame, source};

    pub(crate) fn sample_device() -> Account {
        let seed = Seed {
            address: "otpauth://totp/Lionrock:a?secret=JBSWY3DPEHPK3PXP&issuer=Lionrock".into(),
            base32: "JBSWY3DPEHPK3PXP".into(),
        };
        Account { begun: true, seed: Some(seed), ..Account::default() }
    }

    #[test]
    fn each_change_asks_for_both_old_proofs() {
        let text = show(&frame(), &source(), &Account::default()).into_string();
        assert_eq!(text.matches("autocomplete=\"current-password\"").count(), 2);
        assert_eq!(text.matches("autocomplete=\"one-time-code\"").count(), 2);
        assert_eq!(text.matches("form-token-of-the-test").count(), 3, "sign-out and two forms");
    }

    #[test]
    fn a_new_seed_is_in_the_picture_and_in_words() {
        let text = show(&frame(), &source(), &sample_device()).into_string();
        assert!(text.contains("<svg class=\"qr\"") && text.contains("JBSWY3DPEHPK3PXP"));
        assert!(!text.contains("otpauth://") && !text.contains("current-password"));
    }
}
