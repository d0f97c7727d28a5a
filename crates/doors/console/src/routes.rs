//! Which path is which page or act.

use crate::answer::{self, Answer};
use crate::console::{Console, asset};
use crate::{acts, data_acts, load, pages, people_acts, profile_acts};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use http::Request;
use kernel::{LogPosition, Problem};
use std::str::FromStr;
use std::sync::Arc;

type Asked = State<Arc<Console>>;

impl Console {
    /// The routes of the console, ready to be merged with those of other doors. Whatever is not
    /// another door's is answered here with a page.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/assets/{name}", get(assets))
            .route("/sign-in", get(ask_password).post(take_password))
            .route("/sign-in/code", get(ask_code).post(take_code))
            .route("/sign-out", post(take_leave))
            .route("/set-up", get(ask_link).post(open_link))
            .route("/set-up/finish", post(finish_link))
            .route("/account", get(show_account))
            .route("/account/password", post(change_password))
            .route("/account/device", post(begin_device))
            .route("/account/device/finish", post(finish_device))
            .route("/", get(overview))
            .route("/guides/{guide}", get(guide))
            .route("/requirements", get(requirements))
            .route("/requirements/run", post(run_checks))
            .route("/requirements/{requirement}", get(requirement))
            .route("/reports", get(reports).post(make_report))
            .route("/reports/{report}", get(report))
            .route("/reports/{report}/sign", post(sign_report))
            .route("/keys", get(keys).post(create_key))
            .route("/keys/{key}", get(key))
            .route("/keys/{key}/{verb}", post(act_on_key))
            .route("/requests", get(requests))
            .route("/requests/{request}", post(act_on_request))
            .route("/people", get(people))
            .route("/people/groups", post(create_group))
            .route("/people/groups/{group}/{verb}", post(act_on_group))
            .route("/map", get(map))
            .route("/data", get(data))
            .route("/data/findings", get(findings))
            .route("/data/report", get(data_report))
            .route("/data/findings/{finding}", get(finding))
            .route("/data/findings/{finding}/{verb}", post(act_on_finding))
            .route("/data/sources", get(sources))
            .route("/data/sources/{source}", get(source))
            .route("/data/sources/{source}/{verb}", post(act_on_source))
            .route("/data/profiles", get(profiles).post(write_profile))
            .route("/data/profiles/{profile}", get(profile))
            .route("/data/profiles/{profile}/{verb}", post(act_on_profile))
            .route("/data/try", get(ask_text).post(try_text))
            .route("/log", get(log))
            .route("/log/{position}", get(record))
            .fallback(nothing)
            .method_not_allowed_fallback(nothing)
            .with_state(Arc::clone(self))
    }
}

/// The identifier in a path; one that is none names a thing that does not exist.
fn id<T: FromStr>(text: &str, what: &'static str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::not_found(what))
}

async fn assets(State(console): Asked, request: Request<Body>) -> Answer {
    match asset(request.uri().path()) {
        Some(found) => found,
        None => nothing(State(console), request).await,
    }
}

async fn nothing(State(console): Asked, _: Request<Body>) -> Answer {
    answer::problem(&Problem::not_found("page"), "", console.is_sample())
}

async fn ask_password(State(console): Asked, request: Request<Body>) -> Answer {
    console.ask_password(request).await
}

async fn take_password(State(console): Asked, request: Request<Body>) -> Answer {
    console.take_password(request).await
}

async fn ask_code(State(console): Asked, request: Request<Body>) -> Answer {
    console.ask_code(request).await
}

async fn take_code(State(console): Asked, request: Request<Body>) -> Answer {
    console.take_code(request).await
}

async fn take_leave(State(console): Asked, request: Request<Body>) -> Answer {
    console.take_leave(request).await
}

async fn ask_link(State(console): Asked, request: Request<Body>) -> Answer {
    console.ask_link(request).await
}

async fn open_link(State(console): Asked, request: Request<Body>) -> Answer {
    console.open_link(request).await
}

async fn finish_link(State(console): Asked, request: Request<Body>) -> Answer {
    console.finish_link(request).await
}

async fn show_account(State(console): Asked, request: Request<Body>) -> Answer {
    console.show_account(request).await
}

async fn change_password(State(console): Asked, request: Request<Body>) -> Answer {
    console.change_password(request).await
}

async fn begin_device(State(console): Asked, request: Request<Body>) -> Answer {
    console.begin_device(request).await
}

async fn finish_device(State(console): Asked, request: Request<Body>) -> Answer {
    console.finish_device(request).await
}

async fn keys(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::keys::list(desk)?;
            Ok(pages::keys::show(&desk.frame, &source, &view))
        })
        .await
}

async fn create_key(State(console): Asked, request: Request<Body>) -> Answer {
    console.act(request, acts::create).await
}

async fn key(State(console): Asked, Path(key): Path<String>, request: Request<Body>) -> Answer {
    console
        .page(request, move |desk| {
            let (source, view) = load::key::one(desk, id(&key, "key")?)?;
            Ok(pages::key::show(&desk.frame, &source, &view))
        })
        .await
}

async fn act_on_key(
    State(console): Asked,
    Path((key, verb)): Path<(String, String)>,
    request: Request<Body>,
) -> Answer {
    console
        .act(request, async move |desk, fields| {
            acts::on_key(desk, fields, id(&key, "key")?, verb).await
        })
        .await
}

async fn requests(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::requests::list(desk)?;
            Ok(pages::requests::show(&desk.frame, &source, &view))
        })
        .await
}

async fn act_on_request(
    State(console): Asked,
    Path(approval): Path<String>,
    request: Request<Body>,
) -> Answer {
    console
        .act(request, async move |desk, fields| {
            acts::on_request(desk, fields, id(&approval, "request for approval")?).await
        })
        .await
}

async fn people(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::people::list(desk)?;
            Ok(pages::people::show(&desk.frame, &source, &view))
        })
        .await
}

async fn create_group(State(console): Asked, request: Request<Body>) -> Answer {
    console.act(request, people_acts::create).await
}

async fn act_on_group(
    State(console): Asked,
    Path((group, verb)): Path<(String, String)>,
    request: Request<Body>,
) -> Answer {
    console
        .act(request, async move |desk, fields| {
            people_acts::on_group(desk, fields, id(&group, "group")?, verb).await
        })
        .await
}

async fn map(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::map::read(desk)?;
            Ok(pages::map::show(&desk.frame, &source, &view))
        })
        .await
}

async fn data(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::data::overview(desk)?;
            Ok(pages::data::overview(&desk.frame, &source, &view))
        })
        .await
}

async fn findings(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::data::findings(desk)?;
            Ok(pages::data::findings(&desk.frame, &source, &view))
        })
        .await
}

async fn data_report(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .answer(request, |desk| {
            let report = load::data::report(desk)?;
            let name = format!("findings.{}", report.ending);
            Ok(answer::attachment(report.media, &name, report.bytes))
        })
        .await
}

async fn finding(
    State(console): Asked,
    Path(finding): Path<String>,
    request: Request<Body>,
) -> Answer {
    console
        .page(request, move |desk| {
            let (source, view) = load::data::finding(desk, id(&finding, "finding")?)?;
            Ok(pages::data::finding::finding(&desk.frame, &source, &view))
        })
        .await
}

async fn act_on_finding(
    State(console): Asked,
    Path((finding, verb)): Path<(String, String)>,
    request: Request<Body>,
) -> Answer {
    console
        .act(request, async move |desk, fields| {
            data_acts::on_finding(desk, fields, id(&finding, "finding")?, verb).await
        })
        .await
}

async fn sources(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::data::source_list(desk)?;
            Ok(pages::data::sources::sources(&desk.frame, &source, &view))
        })
        .await
}

async fn act_on_source(
    State(console): Asked,
    Path((source, verb)): Path<(String, String)>,
    request: Request<Body>,
) -> Answer {
    console
        .act(request, async move |desk, fields| {
            data_acts::on_source(desk, fields, id(&source, "source")?, verb).await
        })
        .await
}

async fn source(
    State(console): Asked,
    Path(source): Path<String>,
    request: Request<Body>,
) -> Answer {
    console
        .page(request, move |desk| {
            let (read, view) = load::source::one(desk, id(&source, "source")?)?;
            Ok(pages::data::source::show(&desk.frame, &read, &view))
        })
        .await
}

async fn profiles(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::source::profiles(desk)?;
            Ok(pages::data::profiles::list(&desk.frame, &source, &view))
        })
        .await
}

async fn profile(
    State(console): Asked,
    Path(profile): Path<String>,
    request: Request<Body>,
) -> Answer {
    console
        .page(request, move |desk| {
            let (source, view) = load::source::profile(desk, &profile)?;
            Ok(pages::data::profiles::show(&desk.frame, &source, &view))
        })
        .await
}

async fn write_profile(State(console): Asked, request: Request<Body>) -> Answer {
    console.act(request, async move |desk, fields| profile_acts::bring(desk, fields).await).await
}

async fn act_on_profile(
    State(console): Asked,
    Path((profile, verb)): Path<(String, String)>,
    request: Request<Body>,
) -> Answer {
    console
        .act(request, async move |desk, fields| {
            profile_acts::on_profile(desk, fields, profile, verb).await
        })
        .await
}

async fn ask_text(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::data::try_box(desk, &desk.query)?;
            Ok(pages::data::trial::try_box(&desk.frame, &source, &view))
        })
        .await
}

async fn try_text(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .shown(request, |desk, fields| {
            let (source, view) = load::data::try_box(desk, fields)?;
            Ok(pages::data::trial::try_box(&desk.frame, &source, &view))
        })
        .await
}

async fn log(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::log::find(desk)?;
            Ok(pages::log::show(&desk.frame, &source, &view))
        })
        .await
}

async fn record(
    State(console): Asked,
    Path(position): Path<String>,
    request: Request<Body>,
) -> Answer {
    console
        .page(request, move |desk| {
            let position = LogPosition(id(&position, "record")?);
            let (source, view) = load::record::one(desk, position)?;
            Ok(pages::record::show(&desk.frame, &source, &view))
        })
        .await
}

async fn overview(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::overview::read(desk)?;
            Ok(pages::overview::show(&desk.frame, &source, &view))
        })
        .await
}

async fn guide(State(console): Asked, Path(guide): Path<String>, request: Request<Body>) -> Answer {
    console
        .page(request, move |desk| {
            let (source, view) = load::guide::one(desk, &guide)?;
            Ok(pages::guide::show(&desk.frame, &source, &view))
        })
        .await
}

async fn requirements(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, |desk| {
            let (source, view) = load::requirements::list(desk)?;
            Ok(pages::requirements::show(&desk.frame, &source, &view))
        })
        .await
}

async fn requirement(
    State(console): Asked,
    Path(requirement): Path<String>,
    request: Request<Body>,
) -> Answer {
    console
        .page(request, move |desk| {
            let (source, view) = load::requirement::one(desk, &requirement)?;
            Ok(pages::requirement::show(&desk.frame, &source, &view))
        })
        .await
}

async fn run_checks(State(console): Asked, request: Request<Body>) -> Answer {
    console.act(request, async |desk, _| acts::run_checks(desk).await).await
}

async fn reports(State(console): Asked, request: Request<Body>) -> Answer {
    console
        .page(request, move |desk| {
            let (source, view) = load::reports::list(desk)?;
            Ok(pages::reports::show(&desk.frame, &source, &view))
        })
        .await
}

async fn make_report(State(console): Asked, request: Request<Body>) -> Answer {
    console.act(request, async |desk, _| acts::make_report(desk).await).await
}

async fn sign_report(
    State(console): Asked,
    Path(report): Path<String>,
    request: Request<Body>,
) -> Answer {
    console
        .act(request, async move |desk, fields| {
            acts::sign_report(desk, fields, id(&report, "report")?).await
        })
        .await
}

async fn report(
    State(console): Asked,
    Path(report): Path<String>,
    request: Request<Body>,
) -> Answer {
    console
        .answer(request, move |desk| {
            let bytes = load::reports::file(desk, id(&report, "report")?)?;
            Ok(answer::attachment("application/zip", &format!("{report}.zip"), bytes))
        })
        .await
}
