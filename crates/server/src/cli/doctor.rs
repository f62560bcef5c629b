//! `doctor`: what the server needs, looked at one by one.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{Clock as _, SystemClock};
use luminous_oidc::{HttpClient, Limits, Provider};
use luminous_server::config::{Config, Secrets};
use luminous_server::trust::Trust;

use super::open::{self, Examined};
use super::{Failure, say};

/// Tokens may be off by this much; more, and good ones are refused.
const CLOCK_TOLERANCE_S: i64 = 60;

/// Looks at everything, says a line for each, and answers status 1 when something is wrong. Makes
/// and changes nothing: not the database, not its schema, not the key.
///
/// # Errors
/// [`Failure`] when it cannot even be looked at.
pub async fn examine(config: Config) -> Result<ExitCode, Failure> {
    config.check()?;
    say("ok    configuration")?;
    let mut report = Report { wrong: false };
    examine_secrets(&config, &mut report)?;
    report.notes("store", open::examine(&config.store).await?)?;
    let (http, clock) = (open::http()?, Arc::new(SystemClock));
    let trust = Trust::new(&config, &http, &(clock as _))?;
    for (_, provider) in trust.providers() {
        examine_provider(provider, &*http, &mut report).await?;
    }
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

    fn notes(&mut self, about: &str, found: Examined) -> Result<(), Failure> {
        match found {
            Examined::Sound => self.note(about, Ok("sound".to_owned())),
            Examined::NotYet => {
                self.note(about, Ok("not there yet; the first start makes it".to_owned()))
            }
            Examined::Wrong(lines) => {
                lines.into_iter().try_for_each(|one| self.note(about, Err(one)))
            }
        }
    }
}

fn examine_secrets(config: &Config, report: &mut Report) -> Result<(), Failure> {
    let comes_by_itself = config.store.postgres_url_file.is_none() && !config.key_file.exists();
    if comes_by_itself {
        return report.note("key", Ok("not there yet; the first start makes it".to_owned()));
    }
    let found = Secrets::read(config).map(|_| "key and others can be read".to_owned());
    report.note("secrets", found.map_err(|error| error.to_string()))
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
