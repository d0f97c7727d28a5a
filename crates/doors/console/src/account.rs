//! One's own account: another password, another device of one-time codes.
//!
//! Each change asks for both old proofs again. The session goes on under a new cookie; every other
//! one has ended when the page says so.

use crate::answer::{self, Answer};
use crate::console::{Console, Knock, blocking};
use crate::cookies::Cookie;
use crate::desk::Desk;
use crate::fields::Fields;
use crate::pages::account::{self, Account};
use crate::pages::problem::sentence;
use crate::pages::set_up::Seed;
use access::{AccessError, OldProofs, SignedIn};
use axum::body::Body;
use http::{Request, StatusCode};
use kernel::Problem;
use std::sync::Arc;

impl Console {
    /// `GET /account`: one's own password and device.
    pub(crate) async fn show_account(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.page(request, |desk| {
            let done = match desk.query.text("changed") {
                "password" => Some("Your password was changed, and other sessions have ended."),
                "device" => Some("The new device counts now, and other sessions have ended."),
                _ => None,
            };
            let view = Account { done, ..Account::default() };
            Ok(account::show(&desk.frame, &desk.live("your account"), &view))
        })
        .await
    }

    /// `POST /account/password`: sets another password.
    pub(crate) async fn change_password(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.stepped(request, async |console, knock, fields| {
            if fields.exact("new") != fields.exact("again") {
                let message = String::from("The two new passwords are not the same.");
                return console.account_again(knock, StatusCode::BAD_REQUEST, message, None);
            }
            let (cookie, old) = (session(knock), old_proofs(&fields));
            let (new, arrival) = (fields.secret("new"), knock.arrival.clone());
            let rooms = console.rooms()?;
            let judged = blocking(move || {
                let (origin, correlation) = (arrival.origin, &arrival.correlation);
                Ok(rooms.access.change_password(&cookie, &old, &new, origin, correlation))
            })
            .await?;
            console.account_changed(knock, judged, "password", None)
        })
        .await
    }

    /// `POST /account/device`: shows the seed for another device.
    pub(crate) async fn begin_device(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.stepped(request, async |console, knock, fields| {
            let (cookie, old) = (session(knock), old_proofs(&fields));
            let (rooms, arrival) = (console.rooms()?, knock.arrival.clone());
            let judged = blocking(move || {
                let (origin, correlation) = (arrival.origin, &arrival.correlation);
                Ok(rooms.access.begin_device_change(&cookie, &old, origin, correlation))
            })
            .await?;
            match judged {
                Ok(shown) => {
                    let seed = Seed {
                        address: shown.otpauth.expose().clone(),
                        base32: shown.seed.expose().clone(),
                    };
                    let desk = console.own_desk(knock)?;
                    let view = Account { seed: Some(seed), begun: true, ..Account::default() };
                    let page = account::show(&desk.frame, &desk.live("your account"), &view);
                    Ok(answer::page(StatusCode::OK, page))
                }
                Err(cause) => console.account_changed(knock, Err(cause), "device", None),
            }
        })
        .await
    }

    /// `POST /account/device/finish`: the first code of the new device makes it count.
    pub(crate) async fn finish_device(self: Arc<Self>, request: Request<Body>) -> Answer {
        self.stepped(request, async |console, knock, fields| {
            let (cookie, code) = (session(knock), fields.secret("code"));
            let (rooms, arrival) = (console.rooms()?, knock.arrival.clone());
            let judged = blocking(move || {
                let (origin, correlation) = (arrival.origin, &arrival.correlation);
                Ok(rooms.access.complete_device_change(&cookie, &code, origin, correlation))
            })
            .await?;
            let begun = matches!(&judged, Err(AccessError::ProofRefused)).then_some(true);
            console.account_changed(knock, judged, "device", begun)
        })
        .await
    }

    fn own_desk(&self, knock: &Knock) -> Result<Desk, Problem> {
        self.desk(self.rooms()?, knock)
    }

    /// On with the new cookie, or the page again with what went wrong.
    fn account_changed(
        &self,
        knock: &Knock,
        judged: Result<SignedIn, AccessError>,
        what: &str,
        begun: Option<bool>,
    ) -> Result<Answer, Problem> {
        match judged {
            Ok(signed_in) => {
                let onward = answer::see_other(&format!("/account?changed={what}"));
                Ok(answer::with_cookie(onward, Cookie::Session, signed_in.cookie.expose()))
            }
            Err(AccessError::SessionOver) => Ok(answer::see_other("/sign-in?then=%2Faccount")),
            Err(cause) => {
                let problem = Problem::from(cause);
                let status = answer::status_of(problem.kind);
                self.account_again(knock, status, sentence(&problem.detail), begun)
            }
        }
    }

    fn account_again(
        &self,
        knock: &Knock,
        status: StatusCode,
        message: String,
        begun: Option<bool>,
    ) -> Result<Answer, Problem> {
        let desk = self.own_desk(knock)?;
        let begun = begun.unwrap_or_default();
        let view = Account { message: Some(message), begun, ..Account::default() };
        Ok(answer::page(status, account::show(&desk.frame, &desk.live("your account"), &view)))
    }
}

fn session(knock: &Knock) -> String {
    knock.session().unwrap_or_default().to_owned()
}

fn old_proofs(fields: &Fields) -> OldProofs {
    OldProofs { password: fields.secret("password"), code: fields.secret("code") }
}
