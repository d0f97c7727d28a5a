//! Coming in and going: password, one-time code, set-up from a link, signing out.
//!
//! The password is judged first and gives a session that is half open: it is good for giving the
//! code and for nothing else. Giving the code changes the cookie.

use crate::answer::{self, Answer};
use crate::console::{Console, Knock, blocking, own_fields, remembered};
use crate::cookies::Cookie;
use crate::fields::Fields;
use crate::guard::own_path;
use crate::pages::set_up::{self, Enrolling, Opening, Seed};
use crate::pages::sign_in::{self, SignIn};
use access::{AccessError, Enrolment, SignedIn};
use axum::body::Body;
use http::{Request, StatusCode};
use kernel::Problem;
use maud::Markup;
use std::sync::Arc;

impl Console {
    /// `GET /sign-in`: asks for name and password.
    pub(crate) async fn ask_password(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.asked(request, |console, knock| Ok(sign_in::password(&console.form(knock, None)?)))
    }

    /// `GET /sign-in/code`: asks for the one-time code.
    pub(crate) async fn ask_code(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.asked(request, |console, knock| Ok(sign_in::code(&console.form(knock, None)?)))
    }

    /// `GET /set-up?link=…`: carries the link on.
    pub(crate) async fn ask_link(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.asked(request, |console, knock| {
            let link = knock.query()?.text("link").to_owned();
            let (sample, form_token) = (console.is_sample(), knock.form_token.clone());
            Ok(set_up::opening(&Opening { sample, form_token, link, message: None }))
        })
    }

    /// `POST /sign-in`: judges name and password.
    pub(crate) async fn take_password(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.stepped(request, async |console, knock, fields| {
            let rooms = console.rooms()?;
            let form = access::SignIn {
                name: fields.text("name").to_owned(),
                password: fields.secret("password"),
                code: None,
            };
            let arrival = knock.arrival.clone();
            let judged = blocking(move || {
                let correlation = &arrival.correlation;
                Ok(rooms.access.sign_in(form, arrival.origin, correlation))
            })
            .await?;
            let then = own_path(fields.exact("then"));
            match judged {
                Ok(signed_in) => Ok(on(&signed_in, then)),
                Err(cause) => console.again(knock, &fields, cause, sign_in::password),
            }
        })
        .await
    }

    /// `POST /sign-in/code`: judges the one-time code of a session, half open or not.
    pub(crate) async fn take_code(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.stepped(request, async |console, knock, fields| {
            let rooms = console.rooms()?;
            let Some(cookie) = knock.session().map(ToOwned::to_owned) else {
                return Ok(answer::see_other("/sign-in"));
            };
            let (arrival, code) = (knock.arrival.clone(), fields.secret("code"));
            let judged = blocking(move || {
                let correlation = &arrival.correlation;
                Ok(rooms.access.give_code(&cookie, &code, arrival.origin, correlation))
            })
            .await?;
            match judged {
                Ok(signed_in) => Ok(on(&signed_in, own_path(fields.exact("then")))),
                Err(AccessError::SessionOver) => Ok(answer::see_other("/sign-in")),
                Err(cause) => console.again(knock, &fields, cause, sign_in::code),
            }
        })
        .await
    }

    /// `POST /sign-out`: ends the session.
    pub(crate) async fn take_leave(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.stepped(request, async |console, knock, _| {
            if let Some(cookie) = knock.session() {
                let (origin, correlation) = (knock.arrival.origin, &knock.arrival.correlation);
                console.rooms()?.access.sign_out(cookie, origin, correlation).await?;
            }
            Ok(answer::without_cookie(answer::see_other("/sign-in"), Cookie::Session))
        })
        .await
    }

    /// `POST /set-up`: opens the link and shows the seed of one-time codes.
    pub(crate) async fn open_link(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.stepped(request, async |console, knock, fields| {
            let link = fields.text("link").to_owned();
            let opened = console.rooms()?.access.begin_enrolment(&link, knock.arrival.origin).await;
            let (sample, form_token) = (console.is_sample(), knock.form_token.clone());
            match opened {
                Ok(enrolment) => {
                    let view = enrolling(sample, form_token, link, &enrolment);
                    Ok(answer::page(StatusCode::OK, set_up::enrolling(&view)))
                }
                Err(cause) => {
                    let problem = Problem::from(cause);
                    let message = Some(sentence(&problem.detail));
                    let view = Opening { sample, form_token, message, link: String::new() };
                    let status = answer::status_of(problem.kind);
                    Ok(answer::page(status, set_up::opening(&view)))
                }
            }
        })
        .await
    }

    /// `POST /set-up/finish`: sets password and second factor and signs in.
    pub(crate) async fn finish_link(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.stepped(request, async |console, knock, fields| {
            let again = |message: String, status| {
                let view = Enrolling {
                    sample: console.is_sample(),
                    form_token: knock.form_token.clone(),
                    link: fields.text("link").to_owned(),
                    message: Some(message),
                    sign_in_name: fields.text("name").to_owned(),
                    seed: None,
                    password_chars_min: access::PASSWORD_CHARS_MIN,
                };
                Ok(answer::page(status, set_up::enrolling(&view)))
            };
            if fields.exact("password") != fields.exact("again") {
                let message = String::from("The two passwords are not the same.");
                return again(message, StatusCode::BAD_REQUEST);
            }
            let rooms = console.rooms()?;
            let (link, arrival) = (fields.text("link").to_owned(), knock.arrival.clone());
            let (password, code) = (fields.secret("password"), fields.secret("code"));
            let judged = blocking(move || {
                let (origin, correlation) = (arrival.origin, &arrival.correlation);
                let access = &rooms.access;
                Ok(access.complete_enrolment(&link, &password, &code, origin, correlation))
            })
            .await?;
            match judged {
                Ok(signed_in) => Ok(on(&signed_in, "/")),
                Err(cause) => {
                    let problem = Problem::from(cause);
                    again(sentence(&problem.detail), answer::status_of(problem.kind))
                }
            }
        })
        .await
    }

    /// Answers a stranger's GET with a form.
    fn asked(
        &self,
        request: Request<Body>,
        draw: impl FnOnce(&Self, &Knock) -> Result<Markup, Problem>,
    ) -> Answer {
        let (parts, _) = request.into_parts();
        match self.knock(parts) {
            Ok(knock) => {
                let answer = match draw(self, &knock) {
                    Ok(markup) => answer::page(StatusCode::OK, markup),
                    Err(problem) => {
                        answer::problem(&problem, &knock.arrival.correlation, self.is_sample())
                    }
                };
                remembered(answer, &knock)
            }
            Err(problem) => answer::problem(&problem, "", self.is_sample()),
        }
    }

    /// Answers a stranger's form.
    pub(crate) async fn stepped<F>(&self, request: Request<Body>, step: F) -> Answer
    where
        F: AsyncFnOnce(&Self, &Knock, Fields) -> Result<Answer, Problem>,
    {
        let (parts, body) = request.into_parts();
        let knock = match self.knock(parts) {
            Ok(knock) => knock,
            Err(problem) => return answer::problem(&problem, "", self.is_sample()),
        };
        let result = match own_fields(&knock, body).await {
            Ok(fields) => step(self, &knock, fields).await,
            Err(problem) => Err(problem),
        };
        let answer = result.unwrap_or_else(|problem| {
            answer::problem(&problem, &knock.arrival.correlation, self.is_sample())
        });
        remembered(answer, &knock)
    }

    /// A form of the two steps as it is first shown.
    fn form(&self, knock: &Knock, message: Option<String>) -> Result<SignIn, Problem> {
        let then = own_path(knock.query()?.exact("then")).to_owned();
        let (sample, form_token) = (self.is_sample(), knock.form_token.clone());
        Ok(SignIn { sample, form_token, message, then })
    }

    /// The same form again, with what went wrong.
    fn again(
        &self,
        knock: &Knock,
        fields: &Fields,
        cause: AccessError,
        draw: fn(&SignIn) -> Markup,
    ) -> Result<Answer, Problem> {
        let problem = Problem::from(cause);
        let mut view = self.form(knock, Some(sentence(&problem.detail)))?;
        own_path(fields.exact("then")).clone_into(&mut view.then);
        Ok(answer::page(answer::status_of(problem.kind), draw(&view)))
    }
}

fn enrolling(sample: bool, form_token: String, link: String, made: &Enrolment) -> Enrolling {
    Enrolling {
        sample,
        form_token,
        link,
        message: None,
        sign_in_name: made.sign_in_name.as_str().to_owned(),
        seed: Some(Seed {
            address: made.otpauth.expose().clone(),
            base32: made.seed.expose().clone(),
        }),
        password_chars_min: access::PASSWORD_CHARS_MIN,
    }
}

/// On to the next step with the new cookie.
fn on(signed_in: &SignedIn, then: &str) -> Answer {
    let place = if signed_in.code_needed {
        format!("/sign-in/code?then={}", crate::elements::query_value(then))
    } else {
        then.to_owned()
    };
    answer::with_cookie(answer::see_other(&place), Cookie::Session, signed_in.cookie.expose())
}

/// Messages are written in lower case without a full stop; on a page they are sentences.
fn sentence(detail: &str) -> String {
    crate::pages::problem::sentence(detail)
}
