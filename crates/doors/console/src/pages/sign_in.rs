//! `/sign-in`: a password, then a one-time code. What was wrong is never said.

use crate::elements::form_token;
use crate::frame::bare_page;
use maud::{Markup, html};

/// What both steps share.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignIn {
    /// The installation is a sample.
    pub(crate) sample: bool,
    /// The token that the form carries.
    pub(crate) form_token: String,
    /// What to say first, such as that the last try failed.
    pub(crate) message: Option<String>,
    /// The path to go to afterwards; always one of ours.
    pub(crate) then: String,
}

/// The first step.
pub(crate) fn password(view: &SignIn) -> Markup {
    let body = html! {
        (message(view.message.as_deref()))
        form.stack method="post" action="/sign-in" {
            (form_token(&view.form_token))
            input type="hidden" name="then" value=(view.then);
            label { "Sign-in name"
                input name="name" required autofocus autocomplete="username" autocapitalize="none"
                    spellcheck="false" maxlength="128"; }
            label { "Password"
                input type="password" name="password" required autocomplete="current-password"
                    maxlength="1024"; }
            button.first type="submit" { "Continue" }
        }
        p.hint { "Next: the one-time code of your authenticator." }
    };
    bare_page("Sign in", view.sample, &body)
}

/// The second step.
pub(crate) fn code(view: &SignIn) -> Markup {
    let body = html! {
        (message(view.message.as_deref()))
        form.stack method="post" action="/sign-in/code" {
            (form_token(&view.form_token))
            input type="hidden" name="then" value=(view.then);
            (code_field(true))
            button.first type="submit" { "Sign in" }
        }
        p { a href="/sign-in" { "Start again" } }
    };
    bare_page("One-time code", view.sample, &body)
}

/// The field for six digits; `first` when it is where one begins.
pub(crate) fn code_field(first: bool) -> Markup {
    html! {
        label {
            "Six digits from your authenticator"
            input.code name="code" required autofocus[first] inputmode="numeric" pattern="[0-9]{6}"
                maxlength="6" autocomplete="one-time-code";
        }
    }
}

/// What went wrong, said first and read out.
pub(crate) fn message(message: Option<&str>) -> Markup {
    html! {
        @if let Some(message) = message {
            div.callout.bad role="alert" { p { (message) } }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> SignIn {
        SignIn {
            sample: true,
            form_token: "t".into(),
            message: Some("Name, password or code is not right, or the account is locked.".into()),
            then: "/keys".into(),
        }
    }

    #[test]
    fn both_steps_post_with_a_form_token() {
        for page in [password(&sample()), code(&sample())] {
            let text = page.into_string();
            assert!(text.contains("method=\"post\"") && text.contains("name=\"form_token\""));
            assert!(text.contains("role=\"alert\""));
        }
    }

    #[test]
    fn the_way_on_cannot_leave_its_field() {
        let view = SignIn { then: "\"><script>".into(), ..sample() };
        assert!(!password(&view).into_string().contains("\"><script>"));
    }
}
