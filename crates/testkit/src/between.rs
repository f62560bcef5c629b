//! What lies between a display and its server: a real network that can be told to fail.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::{HeaderValue, Request, Response, header};
use luminous_domain::Clock;
use luminous_oidc::{HttpClient, HttpError, Limits, ReqwestClient, Trust};
use tokio::sync::watch;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weather {
    /// It arrives, and its answer comes back.
    Fair,
    /// Nothing is reached.
    Down,
    /// It arrives; the answer is lost.
    AnswerLost,
    /// Something in between answers in the server's place: status, content type, body.
    Imposter(u16, &'static str, &'static str),
}

/// One request that went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Method and path: `POST /oauth2/token`.
    pub what: String,
    /// The grant type, where a form had one.
    pub grant: Option<String>,
    /// The status of the answer; absent when there was none.
    pub status: Option<u16>,
}

struct Inner {
    weather: Weather,
    /// For all requests whose method and path begin so.
    always: Vec<(String, Weather)>,
    /// For the next requests whose method and path begin so, before the weather.
    next: VecDeque<(String, Weather)>,
    sent: Vec<Sent>,
    answers: Vec<Vec<u8>>,
    lost: Vec<Vec<u8>>,
}

/// The network. Clones share it.
#[derive(Clone)]
pub struct Between {
    client: ReqwestClient,
    /// The server's clock: its `Date` comes from an HTTP library, which asks the operating system.
    clock: Arc<dyn Clock>,
    inner: Arc<Mutex<Inner>>,
    under_way: Arc<watch::Sender<usize>>,
}

impl Between {
    /// A fair one; `clock` is the server's.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            weather: Weather::Fair,
            always: Vec::new(),
            next: VecDeque::new(),
            sent: Vec::new(),
            answers: Vec::new(),
            lost: Vec::new(),
        };
        Self {
            client: ReqwestClient::new(Trust::system()).unwrap(),
            clock,
            inner: Arc::new(Mutex::new(inner)),
            under_way: Arc::default(),
        }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// From now on.
    pub fn set(&self, weather: Weather) {
        self.inner().weather = weather;
    }

    /// From now on, for all requests whose method and path begin with `what`.
    pub fn always(&self, what: &str, weather: Weather) {
        self.inner().always.push((what.to_owned(), weather));
    }

    /// Fair weather again, for everything.
    pub fn clear(&self) {
        let mut inner = self.inner();
        inner.weather = Weather::Fair;
        inner.always.clear();
        inner.next.clear();
    }

    /// No ticket to a hub can be bought from now on: everything has to go by polling.
    pub fn block_hubs(&self) {
        self.always("POST /oauth2/link_ticket", Weather::Down);
        self.always("POST /api/hub/ticket", Weather::Down);
    }

    /// For the next request whose method and path begin with `what`.
    pub fn next(&self, what: &str, weather: Weather) {
        self.inner().next.push_back((what.to_owned(), weather));
    }

    /// Everything that went out.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.inner().sent.clone()
    }

    /// How many requests of this method, path and grant type went out.
    #[must_use]
    pub fn count(&self, what: &str, grant: Option<&str>) -> usize {
        let sent = self.inner().sent.clone();
        let fits = |one: &&Sent| {
            one.what == what && grant.is_none_or(|grant| one.grant.as_deref() == Some(grant))
        };
        sent.iter().filter(fits).count()
    }

    /// The bodies of all answers that came back, for looking for what must not be elsewhere.
    #[must_use]
    pub fn answers(&self) -> Vec<Vec<u8>> {
        self.inner().answers.clone()
    }

    /// The bodies of all answers that were lost; somebody else may have them.
    #[must_use]
    pub fn lost(&self) -> Vec<Vec<u8>> {
        self.inner().lost.clone()
    }

    /// Waits until nothing is on its way.
    pub async fn until_quiet(&self) {
        let _ = self.under_way.subscribe().wait_for(|count| *count == 0).await;
    }

    fn weather_for(&self, what: &str) -> Weather {
        let mut inner = self.inner();
        let due = inner.next.iter().position(|(prefix, _)| what.starts_with(prefix.as_str()));
        match due.and_then(|index| inner.next.remove(index)) {
            Some((_, weather)) => weather,
            None => {
                let always = inner.always.iter().find(|(prefix, _)| what.starts_with(prefix));
                always.map_or_else(|| inner.weather.clone(), |(_, weather)| weather.clone())
            }
        }
    }

    async fn pass(
        &self,
        what: &str,
        request: Request<Vec<u8>>,
        limits: Limits,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        match self.weather_for(what) {
            Weather::Fair => {
                let mut answer = self.client.send(request, limits).await?;
                answer.headers_mut().insert(header::DATE, self.date());
                Ok(answer)
            }
            Weather::Down => Err(HttpError::Unreachable { reason: "no network".to_owned() }),
            Weather::AnswerLost => {
                let answer = self.client.send(request, limits).await?;
                self.inner().lost.push(answer.into_body());
                Err(HttpError::Timeout)
            }
            Weather::Imposter(status, kind, body) => {
                let answer = Response::builder()
                    .status(status)
                    .header(header::CONTENT_TYPE, kind)
                    .header(header::DATE, "Thu, 01 Jan 2099 00:00:00 GMT")
                    .header(header::LOCATION, "http://hotel.example/login");
                Ok(answer.body(body.as_bytes().to_vec()).unwrap())
            }
        }
    }

    fn date(&self) -> HeaderValue {
        let now = self.clock.now();
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        HeaderValue::from_str(&date).unwrap()
    }
}

#[async_trait]
impl HttpClient for Between {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: Limits,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let what = format!("{} {}", request.method(), request.uri().path());
        let form = url::form_urlencoded::parse(request.body());
        let grant =
            form.into_owned().find(|(name, _)| name == "grant_type").map(|(_, grant)| grant);
        self.under_way.send_modify(|count| *count += 1);
        let on_its_way = OnItsWay(Arc::clone(&self.under_way));
        let answer = self.pass(&what, request, limits).await;
        let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        {
            let mut inner = self.inner();
            inner.sent.push(Sent { what, grant, status });
            inner.answers.extend(answer.as_ref().ok().map(|answer| answer.body().clone()));
        }
        drop(on_its_way);
        answer
    }
}

/// Also a request that is given up is not on its way any more.
struct OnItsWay(Arc<watch::Sender<usize>>);

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
