//! `/set-up`: the first administrator, from the one-time link: a password, then an authenticator.

use crate::elements::form_token;
use crate::frame::bare_page;
use crate::pages::sign_in::code_field;
use crate::qr;
use maud::{Markup, html};

/// The first step: who, and which password.
#[derive(Debug, Clone, Default)]
pub(crate) struct Password {
    /// The installation is a sample.
    pub(crate) sample: bool,
    /// The token that the form carries.
    pub(crate) form_token: String,
    /// The one-time token of the link.
    pub(crate) link: String,
    /// What is wrong with the last try.
    pub(crate) message: Option<String>,
    /// The fewest characters that a password has.
    pub(crate) password_chars_min: usize,
}

/// The second step: the authenticator.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authenticator {
    /// The installation is a sample.
    pub(crate) sample: bool,
    /// The token that the form carries.
    pub(crate) form_token: String,
    /// What is wrong with the last try.
    pub(crate) message: Option<String>,
    /// The address that an authenticator reads (`otpauth://totp/…`); shown once.
    pub(crate) address: String,
    /// The secret in base 32, for typing.
    pub(crate) secret: String,
}

/// The page of the first step.
pub(crate) fn password(view: &Password) -> Markup {
    let body = html! {
        (message(view.message.as_ref()))
        p {
            "You are the first administrator. This link works once. You will make other people and \
             give them roles; you cannot use keys yourself."
        }
        form.stack method="post" action="/set-up" {
            (form_token(&view.form_token))
            input type="hidden" name="link" value=(view.link);
            label { "Your sign-in name"
                input name="name" required autofocus autocomplete="username" autocapitalize="none"
                    spellcheck="false" maxlength="128"; }
            label { "Password, at least " (view.password_chars_min) " characters"
                input type="password" name="password" required autocomplete="new-password"
                    minlength=(view.password_chars_min) maxlength="1024"; }
            label { "The same password again"
                input type="password" name="again" required autocomplete="new-password"
                    minlength=(view.password_chars_min) maxlength="1024"; }
            button.first type="submit" { "Continue" }
        }
    };
    bare_page("Set up the first administrator", view.sample, &body)
}

/// The page of the second step.
pub(crate) fn authenticator(view: &Authenticator) -> Markup {
    let body = html! {
        (message(view.message.as_ref()))
        p { "Scan this with your authenticator, or type the secret. It is shown once." }
        (qr::picture(&view.address, "QR code for your authenticator; the secret below is the same"))
        p { "Secret: " code { (view.secret) } }
        form.stack method="post" action="/set-up/code" {
            (form_token(&view.form_token))
            (code_field())
            button.first type="submit" { "Finish" }
        }
    };
    bare_page("Enrol your authenticator", view.sample, &body)
}

fn message(message: Option<&String>) -> Markup {
    html! {
        @if let Some(message) = message {
            div.callout.bad role="alert" { p { (message) } }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample_password() -> Password {
        Password {
            sample: true,
            form_token: "t".into(),
            link: "one-time".into(),
            message: None,
            password_chars_min: 12,
        }
    }

    pub(crate) fn sample_authenticator() -> Authenticator {
        Authenticator {
            sample: true,
            form_token: "t".into(),
            message: None,
            address: "otpauth://totp/Lionrock:admin?secret=JBSWY3DPEHPK3PXP&issuer=Lionrock".into(),
            secret: "JBSW Y3DP EHPK 3PXP".into(),
        }
    }

    #[test]
    fn the_link_stays_in_the_form_and_out_of_the_action() {
        let text = password(&sample_password()).into_string();
        assert!(text.contains("name=\"link\" value=\"one-time\""));
        assert!(text.contains("action=\"/set-up\""));
    }

    #[test]
    fn the_authenticator_can_be_scanned_or_typed() {
        let text = authenticator(&sample_authenticator()).into_string();
        assert!(text.contains("<svg class=\"qr\"") && text.contains("JBSW Y3DP"));
        assert!(!text.contains("otpauth://"), "the address is in the picture only");
    }

    #[test]
    fn a_hostile_link_cannot_leave_its_field() {
        let view = Password { link: "\"><script>".into(), ..sample_password() };
        assert!(!password(&view).into_string().contains("\"><script>"));
    }
}
