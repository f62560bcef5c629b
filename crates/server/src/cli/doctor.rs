//! `doctor`: what the server needs, looked at one by one.

use std::process::ExitCode;
use std::time::Duration;

use luminous_domain::{Clock as _, SystemClock};
use luminous_oidc::{HttpClient, Limits, Provider};
use luminous_server::AppState;
use luminous_server::config::Config;

use super::{Failure, open, say};

/// Tokens may be off by this much; more, and good ones are refused.
const CLOCK_TOLERANCE_S: i64 = 60;

/// Looks at everything, says a line for each, and answers status 1 when something is wrong.
///
/// # Errors
/// [`Failure`] when it cannot even be looked at.
pub async fn examine(config: Config) -> Result<ExitCode, Failure> {
    config.check()?;
    say("ok    configuration")?;
    let parts = open::parts(&config).await?;
    let http = parts.http.clone();
    let state = AppState::new(config, parts)?;
    let mut report = Report { wrong: false };
    examine_store(&state, &mut report).await?;
    for (_, provider) in state.trust().providers() {
        examine_provider(provider, &*http, &mut report).await?;
    }
    state.store().close().await;
    Ok(if report.wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Report {
    wrong: bool,
}

impl Report {
    fn note(&mut self, about: &str, found: Result<String, String>) -> Result<(), Failure> {
        self.wrong |= found.is_err();
        match found {
            Ok(text) => say(&format!("ok    {about}: {text}"))?,
            Err(text) => say(&format!("WRONG {about}: {text}"))?,
        };
        Ok(())
    }
}

async fn examine_store(state: &AppState, report: &mut Report) -> Result<(), Failure> {
    match state.store().examine().await {
        Ok(lines) if lines.is_empty() => report.note("store", Ok("sound".to_owned())),
        Ok(lines) => lines.into_iter().try_for_each(|line| report.note("store", Err(line))),
        Err(error) => report.note("store", Err(format!("{}: {error}", error.code()))),
    }
}

async fn examine_provider(
    provider: &Provider,
    http: &dyn HttpClient,
    report: &mut Report,
) -> Result<(), Failure> {
    let url = provider.config().metadata_url();
    let found = match provider.warm().await {
        Ok(()) => {
            let keys = provider.keys();
            let issuer = provider.pinned_issuer().unwrap_or_default();
            Ok(format!("issuer {issuer}, {} keys, {} not usable", keys.usable, keys.dropped.len()))
        }
        Err(error) => Err(format!("{}: {error}", error.code())),
    };
    report.note(&format!("provider {url}"), found)?;
    report.note(&format!("clock against {}", provider.config().host()), clock(http, &url).await)
}

/// Compares our clock with the provider's `Date`.
async fn clock(http: &dyn HttpClient, url: &url::Url) -> Result<String, String> {
    let limits = Limits { timeout: Duration::from_secs(5), max_body: 64 * 1024 };
    let request = http::Request::get(url.as_str()).body(Vec::new());
    let request = request.map_err(|error| error.to_string())?;
    let answer = http.send(request, limits).await.map_err(|error| error.to_string())?;
    let date = answer.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    let date = date.ok_or("it sends no Date")?;
    let theirs = jiff::fmt::rfc2822::parse(date).map_err(|_| "its Date cannot be read")?;
    let ahead_s = SystemClock.now().as_second() - theirs.timestamp().as_second();
    let text = format!("we are {ahead_s} s ahead");
    if ahead_s.abs() <= CLOCK_TOLERANCE_S { Ok(text) } else { Err(text) }
}
