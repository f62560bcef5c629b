//! Asking a hub for a connection: what of SignalR goes by plain HTTP.

use std::time::Duration;

use http::{Request, header};
use luminous_oidc::{HttpClient, Limits};
use luminous_signalr::client::{PostAnswer, PostFailed};
use url::Url;

/// The largest answer; they are small.
const MOST: usize = 64 * 1024;

/// Posts nothing to `address` with this bearer token, as a hub's client asks for it.
///
/// # Errors
/// [`PostFailed`] when there is no answer; any answer is one.
pub(crate) async fn post(
    http: &dyn HttpClient,
    address: &Url,
    bearer: Option<&str>,
    timeout: Duration,
) -> Result<PostAnswer, PostFailed> {
    let mut request = Request::post(address.as_str());
    if let Some(bearer) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    // The error would quote what could not be a header, which may be the ticket.
    let request = request.body(Vec::new()).map_err(|_| PostFailed("no request".to_owned()))?;
    let answer = http.send(request, Limits { timeout, max_body: MOST }).await;
    let answer = answer.map_err(|error| PostFailed(error.to_string()))?;
    let retry_after = answer.headers().get(header::RETRY_AFTER);
    let seconds = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Ok(PostAnswer {
        status: answer.status().as_u16(),
        retry_after: seconds.map(Duration::from_secs),
        body: answer.into_body(),
    })
}
