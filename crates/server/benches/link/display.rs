//! A wall display with nothing around it: its key, its code, its connection.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use http::Method;
use luminous_domain::{AccessToken, Clock as _, OsEntropy, SystemClock};
use luminous_oidc::DpopKey;
use luminous_oidc::jose::{Algorithm, Jws, KeySet};
use luminous_signalr::client::{
    Client, ClientPort, ClientSettings, Event, Events, PostAnswer, PostFailed, TicketError,
};
use luminous_wire::api::hub::link_hub;
use luminous_wire::api::{
    CodeClaimed, DEVICE_CODE_GRANT, DISPLAY_CLIENT_ID, DeviceAuthorization, HubTicket,
    RedeemArguments, TokenAnswer,
};
use url::Url;

/// How long a display waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// One display.
pub struct Display {
    key: DpopKey,
    http: reqwest::Client,
    /// The replica it speaks to.
    base: String,
    /// The name all replicas are known by, which proofs are made for.
    public: String,
    /// What it shows.
    pub shown: DeviceAuthorization,
}

/// Its connection to the link hub.
pub struct Waiting {
    client: Client,
    events: Events,
}

impl Display {
    /// One that shows a code.
    pub async fn show(http: &reqwest::Client, base: &str, public: &str) -> anyhow::Result<Self> {
        let key = DpopKey::generate()?;
        let path = "/oauth2/device_authorization";
        let form = [("client_id", DISPLAY_CLIENT_ID), ("device_name", "A wall")];
        let proof = proof(&key, public, path)?;
        let request = http.post(format!("{base}{path}")).header("dpop", proof).form(&form);
        let shown = request.send().await?.error_for_status()?.json().await?;
        let (base, public) = (base.to_owned(), public.to_owned());
        Ok(Self { key, http: http.clone(), base, public, shown })
    }

    /// Connects to the hub.
    pub async fn wait(&self) -> anyhow::Result<Waiting> {
        let path = "/oauth2/link_ticket";
        let code = self.shown.device_code.as_str();
        let form = [("client_id", DISPLAY_CLIENT_ID), ("device_code", code)];
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request.header("dpop", proof(&self.key, &self.public, path)?).form(&form);
        let ticket: HubTicket = request.send().await?.error_for_status()?.json().await?;
        let hub = Url::parse(&format!("{}{}", self.base, link_hub::PATH))?;
        let settings = ClientSettings::new(hub, std::sync::Arc::new(OsEntropy));
        let port = Port { http: self.http.clone(), ticket: ticket.ticket };
        let (client, mut events) = Client::start(settings, port);
        match next(&mut events).await? {
            Event::Connected => Ok(Waiting { client, events }),
            other => bail!("not connected: {other:?}"),
        }
    }

    /// What the push leads to: its tokens, verified.
    pub async fn redeem(&self, waiting: &Waiting, keys: &KeySet) -> anyhow::Result<()> {
        let asked = RedeemArguments {
            device_code: self.shown.device_code.clone(),
            proof: proof(&self.key, &self.public, "/oauth2/token")?,
        };
        let tokens: TokenAnswer =
            waiting.client.invoke(link_hub::REDEEM, &(asked,), PATIENCE).await?;
        verify(&tokens, keys)
    }

    /// One poll: its tokens, verified, once they are there.
    pub async fn poll(&self, keys: &KeySet) -> anyhow::Result<bool> {
        let path = "/oauth2/token";
        let form = [
            ("client_id", DISPLAY_CLIENT_ID),
            ("grant_type", DEVICE_CODE_GRANT),
            ("device_code", self.shown.device_code.as_str()),
        ];
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request.header("dpop", proof(&self.key, &self.public, path)?).form(&form);
        let answer = request.send().await?;
        if answer.status() == 400 {
            let problem: serde_json::Value = answer.json().await?;
            ensure!(problem["error"] == "authorization_pending", "{problem}");
            return Ok(false);
        }
        verify(&answer.error_for_status()?.json().await?, keys)?;
        Ok(true)
    }
}

impl Waiting {
    /// The number to show.
    pub async fn number(&mut self) -> anyhow::Result<String> {
        let (claimed,): (CodeClaimed,) = self.called(link_hub::CODE_CLAIMED).await?.read()?;
        Ok(claimed.number)
    }

    /// Until it is approved.
    pub async fn linked(&mut self) -> anyhow::Result<()> {
        self.called(link_hub::LINKED).await.map(drop)
    }

    async fn called(
        &mut self,
        expected: &str,
    ) -> anyhow::Result<luminous_signalr::codec::Arguments> {
        match next(&mut self.events).await? {
            Event::Called { target, arguments } if target == expected => Ok(arguments),
            other => bail!("{other:?} instead of {expected}"),
        }
    }
}

async fn next(events: &mut Events) -> anyhow::Result<Event> {
    let next = tokio::time::timeout(PATIENCE, events.next()).await.context("nothing happens")?;
    next.context("the connection ended")
}

fn proof(key: &DpopKey, public: &str, path: &str) -> anyhow::Result<String> {
    let url = Url::parse(&format!("{public}{path}"))?;
    Ok(key.proof(&Method::POST, &url, None, SystemClock.now(), &OsEntropy)?)
}

fn verify(tokens: &TokenAnswer, keys: &KeySet) -> anyhow::Result<()> {
    let token = AccessToken::new(tokens.access_token.as_str());
    keys.verify(&Jws::parse(token.expose(), &[Algorithm::Es256])?)?;
    Ok(())
}

/// The keys that the server publishes.
pub async fn keys(http: &reqwest::Client, base: &str) -> anyhow::Result<KeySet> {
    let address = format!("{base}/.well-known/jwks.json");
    let bytes = http.get(address).send().await?.error_for_status()?.bytes().await?;
    Ok(KeySet::parse(&bytes, &[Algorithm::Es256])?)
}

struct Port {
    http: reqwest::Client,
    ticket: String,
}

impl ClientPort for Port {
    async fn ticket(&self) -> Result<Option<String>, TicketError> {
        Ok(Some(self.ticket.clone()))
    }

    async fn post(&self, address: &Url, bearer: Option<&str>) -> Result<PostAnswer, PostFailed> {
        let mut request = self.http.post(address.clone());
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        let failed = |error: reqwest::Error| PostFailed(error.to_string());
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(failed)?.to_vec();
        Ok(PostAnswer { status, body, retry_after: None })
    }
}
