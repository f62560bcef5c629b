//! Who approves.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use luminous_domain::{Clock as _, SystemClock};
use luminous_emulator::{DEMO_APP_CLIENT_ID, Emulator};
use luminous_wire::api::{ConfirmLink, CreateFamily, DeclineLink, LinkChallenge, LookUpLink};
use serde::Serialize;

use crate::replica::House;

/// Owners of families of their own, each good for the links that one may make in a while.
pub struct People {
    emulator: Emulator,
    http: reqwest::Client,
    made: usize,
}

/// One of them, at one replica.
pub struct Person {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl People {
    /// None yet.
    pub fn new(emulator: Emulator, http: reqwest::Client) -> Self {
        Self { emulator, http, made: 0 }
    }

    /// The provider they sign in at.
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// The next one, who has founded a family by way of replica `at`.
    pub async fn next(&mut self, house: &House, at: usize) -> anyhow::Result<Person> {
        self.made += 1;
        let name = format!("p{}", self.made);
        let control = self.emulator.control();
        let email = format!("{name}@example.test");
        let user = control.create_user(&email, &name, "correct horse 7 battery")?;
        let token = || control.mint(&control.access_token_spec(&user, DEMO_APP_CLIENT_ID));
        let base = house.replicas.get(at).context("no such replica")?.base.clone();
        let person = Person { http: self.http.clone(), base, token: token()? };
        person.post("/api/families", &CreateFamily { name }).await?.error_for_status()?;
        // The first token may be older than the place in the family.
        Ok(Person { token: token()?, ..person })
    }
}

impl Person {
    /// Types the code.
    pub async fn look_up(&self, user_code: &str) -> anyhow::Result<LinkChallenge> {
        let asked = LookUpLink { user_code: user_code.to_owned() };
        let answer = self.post("/api/link/lookup", &asked).await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Types the number.
    pub async fn confirm(&self, asked: &LinkChallenge, number: &str) -> anyhow::Result<()> {
        let yes = ConfirmLink {
            challenge: asked.challenge,
            number: number.to_owned(),
            name: "A wall".to_owned(),
            room: None,
        };
        self.post("/api/link/confirm", &yes).await?.error_for_status()?;
        Ok(())
    }

    /// Says no.
    pub async fn decline(&self, asked: &LinkChallenge) -> anyhow::Result<()> {
        let no = DeclineLink { challenge: asked.challenge };
        self.post("/api/link/decline", &no).await?.error_for_status()?;
        Ok(())
    }

    /// Types a code that is no good, from some address, and answers how long the refusal took.
    pub async fn guess(&self, user_code: &str, address: Ipv4Addr) -> anyhow::Result<Duration> {
        let asked = LookUpLink { user_code: user_code.to_owned() };
        let request = self.http.post(format!("{}/api/link/lookup", self.base));
        let request =
            request.bearer_auth(&self.token).header("x-forwarded-for", address.to_string());
        let begun = SystemClock.elapsed();
        let answer = request.json(&asked).send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        let took = SystemClock.elapsed() - begun;
        ensure!(status == 404 && body.contains("device.code_invalid"), "{status} {body}");
        Ok(took)
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> anyhow::Result<reqwest::Response> {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        Ok(request.json(body).send().await?)
    }
}
