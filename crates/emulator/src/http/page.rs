//! The pages and their files.
//!
//! No inline script and no inline style, so the policy can forbid both; the only script is the one
//! that submits `response_mode=form_post`, which that response mode cannot do without.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::accounts::Fault;
use crate::authorize::form_target;
use crate::config::IdentityProvider;
use crate::engine::Core;
use crate::refusal::Report;
use crate::words::{Language, Words};

/// A line of the list of faults, and the field it is about.
pub(super) struct Line {
    pub(super) field: &'static str,
    pub(super) text: &'static str,
}

/// The lines for some faults.
pub(super) fn lines(faults: &[Fault], w: &Words) -> Vec<Line> {
    faults.iter().map(|fault| Line { field: field(*fault), text: w.fault(*fault) }).collect()
}

fn field(fault: Fault) -> &'static str {
    match fault {
        Fault::EmailMissing
        | Fault::EmailInvalid
        | Fault::EmailTaken
        | Fault::WrongCredentials
        | Fault::NoSuchAccount => "email",
        Fault::NameMissing | Fault::NameTooLong => "displayName",
        Fault::PasswordMissing
        | Fault::PasswordTooShort
        | Fault::PasswordTooLong
        | Fault::PasswordTooSimple
        | Fault::Locked => "password",
        Fault::PasswordsDiffer => "confirmPassword",
        Fault::MailedCodeWrong
        | Fault::MailedCodeOver
        | Fault::CodeMissing
        | Fault::CodeWrong
        | Fault::CodeUsed
        | Fault::CodeLocked
        | Fault::CodesUsedUp => super::form::CODE,
    }
}

/// The sign-in page.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignIn<'a> {
    pub(super) w: &'static Words,
    pub(super) language: &'static str,
    pub(super) tx: &'a str,
    pub(super) csrf: &'a str,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) email: &'a str,
    pub(super) forgot: bool,
    pub(super) signs_up: bool,
    pub(super) providers: &'a [IdentityProvider],
    pub(super) faults: Vec<Line>,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    w: &'static Words,
    language: &'static str,
    tone: &'static str,
    title: &'a str,
    text: &'a str,
    go_to: Option<&'a str>,
    details: Option<String>,
}

/// The page that posts the answer to the app.
#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPost<'a> {
    w: &'static Words,
    language: &'static str,
    action: &'a str,
    fields: &'a [(&'static str, String)],
}

/// Renders a page. `redirect_uri` is where its form may lead in the end.
pub(super) fn render(page: &impl Template, status: StatusCode, redirect_uri: &str) -> Response {
    let target = form_target(redirect_uri);
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {target}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    respond(page, status, &policy)
}

fn respond(page: &impl Template, status: StatusCode, policy: &str) -> Response {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    let set = |headers: &mut HeaderMap, name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(headers, header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(headers, header::CONTENT_SECURITY_POLICY, policy);
    set(headers, header::CACHE_CONTROL, "no-store");
    set(headers, header::REFERRER_POLICY, "no-referrer");
    set(headers, header::X_FRAME_OPTIONS, "DENY");
    response
}

/// "You may close this tab", while the browser hands the answer to the app.
pub(super) fn finished(language: Language, signed_in: bool, go_to: &str) -> Response {
    let w = language.words();
    let (tone, title, text) = if signed_in {
        ("good", w.done_title, w.done_text)
    } else {
        ("", w.left_title, w.left_text)
    };
    let language = language.tag();
    let page = Message { w, language, tone, title, text, go_to: Some(go_to), details: None };
    render(&page, StatusCode::OK, "")
}

/// "You are signed out."
pub(super) fn signed_out(language: Language) -> Response {
    let w = language.words();
    say(language, StatusCode::OK, "good", (w.signed_out_title, w.signed_out_text), None)
}

/// An open page that is no longer open.
pub(super) fn expired(language: Language) -> Response {
    let w = language.words();
    say(language, StatusCode::BAD_REQUEST, "", (w.expired_title, w.expired_text), None)
}

/// A request that must not be answered at the app.
pub(super) fn refused(language: Language, report: &Report) -> Response {
    let w = language.words();
    let details = Some(report.description().trim_end().replace("\r\n", "\n"));
    say(language, StatusCode::BAD_REQUEST, "bad", (w.refused_title, w.refused_text), details)
}

/// Somebody whom the connector does not let in, with its own words.
pub(super) fn blocked(language: Language, message: &str) -> Response {
    say(language, StatusCode::OK, "bad", (language.words().blocked_title, message), None)
}

/// A fault of our own.
pub(super) fn failed(language: Language) -> Response {
    let w = language.words();
    let words = (w.failed_title, w.failed_text);
    say(language, StatusCode::INTERNAL_SERVER_ERROR, "bad", words, None)
}

fn say(
    language: Language,
    status: StatusCode,
    tone: &'static str,
    (title, text): (&str, &str),
    details: Option<String>,
) -> Response {
    let (w, language) = (language.words(), language.tag());
    render(&Message { w, language, tone, title, text, go_to: None, details }, status, "")
}

/// The page that posts the answer to `action`.
pub(super) fn form_post(
    language: Language,
    action: &str,
    fields: &[(&'static str, String)],
) -> Response {
    let target = form_target(action);
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
         form-action {target}; base-uri 'none'; frame-ancestors 'none'"
    );
    let page = FormPost { w: language.words(), language: language.tag(), action, fields };
    respond(&page, StatusCode::OK, &policy)
}

/// Where a person lands who types the address.
pub(super) async fn welcome(State(core): State<Arc<Core>>) -> Response {
    let realm = crate::realm::Realm::main(&core.config, &core.base);
    let details =
        format!("{}\n{}", realm.endpoint(crate::address::Endpoint::Discovery), realm.issuer());
    let text = "An identity provider for development, demonstrations and tests. It listens on this computer only.";
    let words = ("The identity emulator is running", text);
    say(Language::English, StatusCode::OK, "good", words, Some(details))
}

/// B2C's answer to a tenant or policy that does not exist.
pub(super) fn not_found() -> Response {
    let text = "The resource you are looking for has been removed, had its name changed, or is \
                temporarily unavailable.";
    (StatusCode::NOT_FOUND, text).into_response()
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=300")];
    (headers, text).into_response()
}

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("../../assets/style.css"))
}

pub(super) async fn mark() -> Response {
    file("image/svg+xml", include_str!("../../assets/mark.svg"))
}

pub(super) async fn submit() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../../assets/submit.js"))
}
