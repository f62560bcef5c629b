//! The W3C WebDriver calls that a journey needs, for WebKitWebDriver and ChromeDriver alike.

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::wait::{PATIENCE, until};

/// The key under which WebDriver names an element (W3C WebDriver section 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One session: one window of the app, or one browser.
pub struct Session {
    http: reqwest::Client,
    base: String,
}

impl Session {
    /// Starts a session at the driver on `port` of this computer.
    pub async fn begin(port: u16, capabilities: Value) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let server = format!("http://127.0.0.1:{port}");
        until("a WebDriver that is ready", || {
            let status = http.get(format!("{server}/status")).send();
            async move { Ok(status.await.is_ok_and(|r| r.status().is_success()).then_some(())) }
        })
        .await?;
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let mut this = Self { http, base: server };
        let answer = this.call(Method::POST, "/session", Some(body)).await?;
        let id = answer["sessionId"].as_str().context("the driver named no session")?;
        this.base = format!("{}/session/{id}", this.base);
        Ok(this)
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let mut answer: Value = request.send().await?.json().await?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(anyhow!("{error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].take()),
        }
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Waits for the element, by CSS selector or by XPath, and answers its id.
    pub async fn find(&self, css: &str) -> anyhow::Result<String> {
        until(css, || async move {
            let using = if css.starts_with("//") { "xpath" } else { "css selector" };
            let query = json!({ "using": using, "value": css });
            let found = self.post("/element", query).await?;
            Ok(found[ELEMENT].as_str().map(str::to_owned))
        })
        .await
    }

    /// Waits for the element, then for a click on it to be taken.
    pub async fn click(&self, css: &str) -> anyhow::Result<()> {
        until(&format!("a click on {css}"), || async move {
            let element = self.find(css).await?;
            self.post(&format!("/element/{element}/click"), json!({})).await?;
            Ok(Some(()))
        })
        .await
    }

    /// Types into the field, over what stands there.
    pub async fn fill(&self, css: &str, text: &str) -> anyhow::Result<()> {
        let element = self.find(css).await?;
        self.post(&format!("/element/{element}/clear"), json!({})).await?;
        self.post(&format!("/element/{element}/value"), json!({ "text": text })).await?;
        // The keys arrive one after the other, some after the answer.
        let property = format!("/element/{element}/property/value");
        until(&format!("{text:?} in {css}"), || async {
            let value = self.call(Method::GET, &property, None).await?;
            Ok((value.as_str().unwrap_or_default().len() >= text.len()).then_some(()))
        })
        .await
    }

    /// The visible text of the element.
    pub async fn text(&self, css: &str) -> anyhow::Result<String> {
        let element = self.find(css).await?;
        let text = self.call(Method::GET, &format!("/element/{element}/text"), None).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the element's text contains `part`.
    pub async fn see(&self, css: &str, part: &str) -> anyhow::Result<()> {
        let seen = until(&format!("{part:?} in {css}"), || async move {
            Ok(self.text(css).await?.contains(part).then_some(()))
        })
        .await;
        if let Err(error) = seen {
            let shown = self.text(css).await.unwrap_or_default();
            return Err(error.context(format!("{css} shows:\n{shown}")));
        }
        Ok(())
    }

    /// Waits until nothing on the page moves any more.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let moving = "return document.getAnimations()\
             .some(one => one.effect?.getTiming().iterations !== Infinity)";
        until("a page at rest", || async { Ok((self.run(moving).await? == false).then_some(())) })
            .await
    }

    /// Waits until no element fits the selector.
    pub async fn lacks(&self, css: &str) -> anyhow::Result<()> {
        let script = format!("return document.querySelector({css:?}) === null");
        until(&format!("no {css}"), || async {
            Ok((self.run(&script).await? == true).then_some(()))
        })
        .await
    }

    /// Runs a script in the page and answers what it returns.
    pub async fn run(&self, script: &str) -> anyhow::Result<Value> {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Runs a script that calls its last argument with the answer.
    pub async fn run_async(&self, script: &str) -> anyhow::Result<Value> {
        self.post("/execute/async", json!({ "script": script, "args": [] })).await
    }

    /// Goes to an address.
    pub async fn go_to(&self, address: &str) -> anyhow::Result<()> {
        self.post("/url", json!({ "url": address })).await?;
        Ok(())
    }

    /// The address the page is at.
    pub async fn address(&self) -> anyhow::Result<String> {
        let address = self.call(Method::GET, "/url", None).await?;
        Ok(address.as_str().unwrap_or_default().to_owned())
    }

    /// The page as a PNG.
    pub async fn picture(&self) -> anyhow::Result<Vec<u8>> {
        let picture = self.call(Method::GET, "/screenshot", None).await?;
        Ok(BASE64_STANDARD.decode(picture.as_str().context("no picture")?)?)
    }

    /// The handles of all windows and tabs.
    pub async fn windows(&self) -> anyhow::Result<Vec<String>> {
        let handles = self.call(Method::GET, "/window/handles", None).await?;
        let handles = handles.as_array().context("no window handles")?;
        Ok(handles.iter().filter_map(|h| h.as_str().map(str::to_owned)).collect())
    }

    /// Goes on in another window or tab.
    pub async fn switch_to(&self, handle: &str) -> anyhow::Result<()> {
        self.post("/window", json!({ "handle": handle })).await?;
        Ok(())
    }

    /// Closes the window, as a person would.
    pub async fn close_window(&self) -> anyhow::Result<()> {
        self.call(Method::DELETE, "/window", None).await?;
        Ok(())
    }

    /// Ends the session, and with it the program the driver started.
    pub async fn end(&self) -> anyhow::Result<()> {
        self.call(Method::DELETE, "", None).await?;
        Ok(())
    }
}
