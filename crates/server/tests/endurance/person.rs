//! Somebody with a family of their own, who asks until they are answered, as the app does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use luminous_domain::FamilyId;
use luminous_emulator::DEMO_APP_CLIENT_ID;
use luminous_signalr::client::TicketError;
use luminous_wire::api::HubTicket;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::{House, base};

/// How often one question is asked; each time another replica may answer.
const TRIES: usize = 50;

/// Somebody. Clones are the same person.
#[derive(Clone)]
pub struct Person {
    /// The family they founded.
    pub family: FamilyId,
    /// What they ask with.
    pub phone: Phone,
}

/// What somebody asks with, and the way the questions go.
#[derive(Clone)]
pub struct Phone {
    /// How the server is reached, without a slash at the end.
    pub base: String,
    token: String,
    http: reqwest::Client,
    /// How often there was no answer, or only that there is none now.
    unanswered: Arc<AtomicUsize>,
}

/// An answer at last.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    /// An earlier answer may have been lost.
    pub was_repeated: bool,
}

impl Phone {
    /// Asks until there is an answer. What creates something creates it once.
    pub async fn ask(&self, method: Method, path: &str, body: &Value) -> Answer {
        let key = Uuid::new_v4().to_string();
        for attempt in 0..TRIES {
            let request = self.http.request(method.clone(), format!("{}{path}", self.base));
            let request = request.bearer_auth(&self.token).header("idempotency-key", &key);
            let request = if body.is_null() { request } else { request.json(body) };
            match read(request).await {
                Ok((status, body)) if !status.is_server_error() => {
                    return Answer { status, body, was_repeated: attempt > 0 };
                }
                _ => self.unanswered.fetch_add(1, Ordering::SeqCst),
            };
        }
        panic!("nobody answers {method} {path}");
    }

    /// How often there was no answer.
    pub fn unanswered(&self) -> usize {
        self.unanswered.load(Ordering::SeqCst)
    }

    /// A ticket to the family's hub, bought by way of `base`. One try: the hub's client tries again.
    pub async fn ticket(&self, base: &str) -> Result<String, TicketError> {
        let request = self.http.post(format!("{base}/api/hub/ticket")).bearer_auth(&self.token);
        let later = |word: String| TicketError::Later(word);
        let (status, body) = read(request).await.map_err(|error| later(error.to_string()))?;
        let ticket: HubTicket =
            serde_json::from_value(body).map_err(|error| later(format!("{status}: {error}")))?;
        Ok(ticket.ticket)
    }
}

impl Person {
    /// Somebody new, who founds a family.
    pub async fn found(house: &House, name: &str) -> Self {
        let control = house.emulator.control();
        let email = format!("{name}@example.test");
        let user = control.create_user(&email, name, "correct horse 7 battery").unwrap();
        let token = || control.mint(&control.access_token_spec(&user, DEMO_APP_CLIENT_ID)).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (base, unanswered) = (base(house.addresses[0]), Arc::default());
        let phone = Phone { base, token: token(), http, unanswered };
        let founded = phone.ask(Method::POST, "/api/families", &json!({ "name": name })).await;
        assert_eq!(founded.status, 201, "{}", founded.body);
        let family = founded.body["membership"]["family"]["id"].as_str().unwrap();
        // The first token may be older than the place in the family.
        Self { family: family.parse().unwrap(), phone: Phone { token: token(), ..phone } }
    }

    /// Puts a note on the wall; its id.
    pub async fn post(&self, text: &str) -> String {
        let posted = self.phone.ask(Method::POST, &self.notes(), &json!({ "text": text })).await;
        // One whose answer was lost is found standing.
        assert!(posted.status.is_success(), "{} {}", posted.status, posted.body);
        posted.body["id"].as_str().unwrap().to_owned()
    }

    /// Takes a note down.
    pub async fn remove(&self, note: &str) {
        let path = format!("{}/{note}", self.notes());
        let removed = self.phone.ask(Method::DELETE, &path, &Value::Null).await;
        let is_gone = removed.was_repeated && removed.status == 404;
        assert!(removed.status == 204 || is_gone, "{} {}", removed.status, removed.body);
    }

    fn notes(&self) -> String {
        format!("/api/families/{}/notes", self.family)
    }
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<(StatusCode, Value)> {
    let answer = request.send().await?;
    let (status, body) = (answer.status(), answer.bytes().await?);
    Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}
