//! A browser that walks the emulator's pages like a person: reads them, fills the form, goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use luminous_auth::{Browser, BrowserError};
use luminous_oidc::{HttpClient as _, Limits, ReqwestClient, Trust};
use tokio::sync::mpsc;
use url::Url;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), max_body: 1024 * 1024 };

/// More pages than any journey has.
const MOST_PAGES: usize = 12;

/// What the person does on the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// Signs in with what they have.
    SignIn,
    /// Makes an account.
    SignUp,
    /// Presses "Cancel".
    Cancel,
    /// Closes the tab.
    WalkAway,
}

/// Who sits at the browser.
#[derive(Debug, Clone)]
pub struct Person {
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
    /// Display name, for signing up.
    pub name: String,
}

struct Inner {
    http: ReqwestClient,
    cookies: Mutex<BTreeMap<String, String>>,
    person: Person,
    visit: Mutex<Visit>,
    opened: Mutex<Vec<Url>>,
    arrivals: mpsc::UnboundedSender<String>,
}

/// A browser with cookies, for one person. Clones are windows of the same browser.
#[derive(Clone)]
pub struct FollowingBrowser(Arc<Inner>);

impl FollowingBrowser {
    /// A browser with no cookies yet. Whatever it would hand to another program (an address with a
    /// scheme of its own) comes out of the receiver.
    #[must_use]
    pub fn new(person: Person, visit: Visit) -> (Self, mpsc::UnboundedReceiver<String>) {
        let (arrivals, arrived) = mpsc::unbounded_channel();
        let inner = Inner {
            http: ReqwestClient::new(Trust::system()).unwrap(),
            cookies: Mutex::default(),
            person,
            visit: Mutex::new(visit),
            opened: Mutex::default(),
            arrivals,
        };
        (Self(Arc::new(inner)), arrived)
    }

    /// What the person does from now on.
    pub fn set_visit(&self, visit: Visit) {
        *self.0.visit.lock().unwrap() = visit;
    }

    /// Every URL the app asked it to open, oldest first.
    #[must_use]
    pub fn opened(&self) -> Vec<Url> {
        self.0.opened.lock().unwrap().clone()
    }

    /// Walks from `url` to the address that leaves the browser, or to the last page. Answers the
    /// last page's text.
    pub async fn walk(&self, url: Url) -> String {
        let visit = self.0.visit.lock().unwrap().clone();
        let mut step = Step::Get(url);
        for _ in 0..MOST_PAGES {
            let (here, page) = match step {
                Step::Get(url) if !matches!(url.scheme(), "http" | "https") => {
                    let _ = self.0.arrivals.send(url.into());
                    return String::new();
                }
                Step::Get(url) => (url.clone(), self.fetch(http::Method::GET, &url, &[]).await),
                Step::Post(url, form) => {
                    (url.clone(), self.fetch(http::Method::POST, &url, &form).await)
                }
            };
            step = match page {
                Page::Redirect(location) => Step::Get(here.join(&location).unwrap()),
                Page::Text(text) => match self.act(&here, &text, &visit) {
                    Some(next) => next,
                    None => return text,
                },
            };
        }
        panic!("the pages go round in a circle");
    }

    /// What the person does on this page; `None` when there is nothing to do on it.
    fn act(&self, here: &Url, text: &str, visit: &Visit) -> Option<Step> {
        if let Some(link) = tag(text, "openApp") {
            return Some(Step::Get(Url::parse(&attribute(link, "href")?).unwrap()));
        }
        tag(text, "email")?;
        let signs_up = tag(text, "displayName").is_some();
        match visit {
            Visit::WalkAway => return None,
            Visit::SignUp if !signs_up => {
                let link = attribute(tag(text, "createAccount")?, "href")?;
                return Some(Step::Get(here.join(&link).unwrap()));
            }
            _ => {}
        }
        let person = &self.0.person;
        let mut form = hidden_fields(text);
        let ids = [
            ("email", &person.email),
            ("password", &person.password),
            ("displayName", &person.name),
            ("confirmPassword", &person.password),
        ];
        for (id, value) in ids {
            if let Some(name) = tag(text, id).and_then(|field| attribute(field, "name")) {
                form.push((name, value.clone()));
            }
        }
        let button = match (visit, signs_up) {
            (Visit::Cancel, _) => "cancel",
            (_, true) => "continue",
            (_, false) => "next",
        };
        let button = tag(text, button)?;
        form.push((attribute(button, "name")?, attribute(button, "value")?));
        let start = text.find("<form")?;
        let action = attribute(&text[start..start + text[start..].find('>')?], "action")?;
        Some(Step::Post(here.join(&action).unwrap(), form))
    }

    async fn fetch(&self, method: http::Method, url: &Url, form: &[(String, String)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish()
            .into_bytes();
        let cookies: Vec<String> =
            self.0.cookies.lock().unwrap().iter().map(|(k, v)| format!("{k}={v}")).collect();
        let request = http::Request::builder()
            .method(method)
            .uri(url.as_str())
            .header("cookie", cookies.join("; "))
            .header("origin", url.origin().ascii_serialization())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .unwrap();
        let response = self.0.http.send(request, LIMITS).await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.0.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        match response.headers().get("location") {
            Some(location) => Page::Redirect(location.to_str().unwrap().to_owned()),
            None => Page::Text(String::from_utf8_lossy(response.body()).into_owned()),
        }
    }
}

impl Browser for FollowingBrowser {
    /// Starts walking and returns, as starting a real browser does. Called on a thread of the
    /// runtime, which the session sees to.
    fn open(&self, url: &Url) -> Result<(), BrowserError> {
        self.0.opened.lock().unwrap().push(url.clone());
        let (browser, url) = (self.clone(), url.clone());
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| BrowserError(error.to_string()))?;
        runtime.spawn(async move { browser.walk(url).await });
        Ok(())
    }
}

enum Step {
    Get(Url),
    Post(Url, Vec<(String, String)>),
}

enum Page {
    Redirect(String),
    Text(String),
}

/// The tag with this id, from its `<` to its `>`.
fn tag<'t>(text: &'t str, id: &str) -> Option<&'t str> {
    let place = text.find(&format!("id=\"{id}\""))?;
    let start = text[..place].rfind('<')?;
    let end = place + text[place..].find('>')?;
    Some(&text[start..end])
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    let entities = [("&#38;", "&"), ("&amp;", "&"), ("&#34;", "\""), ("&quot;", "\"")];
    Some(entities.iter().fold(value.to_owned(), |value, (from, to)| value.replace(from, to)))
}

fn hidden_fields(text: &str) -> Vec<(String, String)> {
    let inputs = text.split("<input ").skip(1);
    let inputs = inputs.filter_map(|rest| rest.split_once('>').map(|(input, _)| input));
    let hidden = inputs.filter(|input| input.contains("type=\"hidden\""));
    hidden
        .filter_map(|input| {
            let input = format!(" {input}");
            Some((attribute(&input, "name")?, attribute(&input, "value")?))
        })
        .collect()
}
