//! A browser that walks the emulator's pages like a person: reads them, fills the form, goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use luminous_auth::{Browser, BrowserError};
use luminous_domain::{Clock, SystemClock};
use luminous_oidc::{HttpClient as _, Limits, ReqwestClient, Trust};
use tokio::sync::mpsc;
use url::Url;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), max_body: 1024 * 1024 };

/// More pages than any journey has.
const MOST_PAGES: usize = 12;

/// How long an authenticator app shows a code (RFC 6238 section 5.2).
const STEP: i64 = 30;

/// What the person does on the pages. Whatever else a page asks for, they give: a code from their
/// mail or their authenticator app, a new password, a display name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// Signs in with what they have.
    SignIn,
    /// Makes an account.
    SignUp,
    /// Presses the sign-in page's button of this id, such as `GoogleExchange`.
    Through(&'static str),
    /// Presses "Forgot your password?" on the sign-in page, until a new one is chosen.
    Forget,
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
    person: Mutex<Person>,
    authenticator: Mutex<Authenticator>,
    clock: Mutex<Arc<dyn Clock>>,
    visit: Mutex<Visit>,
    opened: Mutex<Vec<Url>>,
    arrivals: mpsc::UnboundedSender<String>,
}

/// The person's authenticator app.
#[derive(Default)]
struct Authenticator {
    /// In base32, as the page of the enrolment shows it.
    secret: String,
    /// The last time step whose code was typed.
    last: i64,
}

impl Authenticator {
    /// The code of now or, where that was typed already, the next one: the provider lets clocks
    /// differ by a step, so the person need not wait.
    fn code(&mut self, now: i64) -> String {
        self.last = (now / STEP).max(self.last + 1);
        let secret = totp_rs::Secret::try_from_base32(&self.secret).unwrap();
        let app = totp_rs::Builder::new().with_secret(secret).with_account_name("person");
        app.build().unwrap().generate((self.last * STEP).cast_unsigned()).to_string()
    }
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
            person: Mutex::new(person),
            authenticator: Mutex::default(),
            clock: Mutex::new(Arc::new(SystemClock)),
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

    /// The clock of the person's authenticator app; without one, the operating system's.
    pub fn set_clock(&self, clock: Arc<dyn Clock>) {
        *self.0.clock.lock().unwrap() = clock;
    }

    /// The display name that the person gives from now on.
    pub fn set_name(&self, name: &str) {
        name.clone_into(&mut self.0.person.lock().unwrap().name);
    }

    /// The password that the person has. It changes when they choose a new one on a page.
    #[must_use]
    pub fn password(&self) -> String {
        self.0.person.lock().unwrap().password.clone()
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
        if *visit == Visit::WalkAway {
            return None;
        }
        let link = match visit {
            Visit::SignUp if tag(text, "displayName").is_none() => tag(text, "createAccount"),
            Visit::Through(button) => tag(text, button),
            Visit::Forget => tag(text, "forgotPassword"),
            _ => None,
        };
        if let Some(link) = link {
            return Some(Step::Get(here.join(&attribute(link, "href")?).unwrap()));
        }
        let mut form = hidden_fields(text);
        let button = if *visit == Visit::Cancel {
            tag(text, "cancel")?
        } else {
            form.extend(self.typed(text));
            let primary = ["next", "continue", "sendCode", "verifyCode"];
            primary.into_iter().find_map(|id| tag(text, id))?
        };
        form.push((attribute(button, "name")?, attribute(button, "value")?));
        let start = text.find("<form")?;
        let action = attribute(&text[start..start + text[start..].find('>')?], "action")?;
        Some(Step::Post(here.join(&action).unwrap(), form))
    }

    /// What the person types into the fields of this page.
    fn typed(&self, text: &str) -> Vec<(String, String)> {
        let mut person = self.0.person.lock().unwrap();
        let chooses_anew = tag(text, "confirmPassword").is_some() && tag(text, "email").is_none();
        if chooses_anew {
            person.password.push_str(" anew");
            let mut visit = self.0.visit.lock().unwrap();
            // Nobody forgets a password they have just chosen.
            if *visit == Visit::Forget {
                *visit = Visit::SignIn;
            }
        }
        let mut fields = vec![
            ("email", person.email.clone()),
            ("password", person.password.clone()),
            ("displayName", person.name.clone()),
            ("confirmPassword", person.password.clone()),
        ];
        if tag(text, "verificationCode").is_some() {
            fields.push(("verificationCode", self.code(text)));
        }
        let named = |(id, value)| Some((attribute(tag(text, id)?, "name")?, value));
        fields.into_iter().filter_map(named).collect()
    }

    /// The code in the mail that the page shows, or the one of the authenticator app, which first
    /// scans what there is to scan.
    fn code(&self, text: &str) -> String {
        if let Some(mailed) = content(text, "mailedCode") {
            return mailed.to_owned();
        }
        let mut authenticator = self.0.authenticator.lock().unwrap();
        if let Some(secret) = content(text, "otpSecret") {
            *authenticator = Authenticator { secret: secret.replace(' ', ""), last: 0 };
        }
        authenticator.code(self.0.clock.lock().unwrap().now().as_second())
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

/// The text of the element with this id.
fn content<'t>(text: &'t str, id: &str) -> Option<&'t str> {
    let place = text.find(&format!("id=\"{id}\""))?;
    let (_, rest) = text[place..].split_once('>')?;
    rest.split_once('<').map(|(content, _)| content)
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

#[cfg(test)]
mod tests {
    use luminous_emulator::{
        Config, DEMO_APP_CLIENT_ID, DEMO_EDIT_POLICY, DEMO_MFA_POLICY, DEMO_POLICY,
        DEMO_REDIRECT_URI, DEMO_RESET_POLICY, DEMO_TENANT, Emulator, Event,
    };

    use super::*;

    const EMAIL: &str = "ana@example.test";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    struct World {
        emulator: Emulator,
        browser: FollowingBrowser,
        arrived: mpsc::UnboundedReceiver<String>,
    }

    impl World {
        async fn start() -> Self {
            let emulator = Emulator::start(Config::demo()).await.unwrap();
            let ana = Person {
                email: EMAIL.to_owned(),
                password: "correct horse 7 battery".to_owned(),
                name: "Ana".to_owned(),
            };
            let (browser, arrived) = FollowingBrowser::new(ana, Visit::SignUp);
            Self { emulator, browser, arrived }
        }

        /// Walks through a policy; answers the redirect that left the browser.
        async fn visit(&mut self, policy: &str, visit: Visit) -> String {
            self.browser.set_visit(visit);
            let base = self.emulator.base_url();
            let address = format!("{base}{DEMO_TENANT}/{policy}/oauth2/v2.0/authorize");
            let parameters = [
                ("client_id", DEMO_APP_CLIENT_ID),
                ("response_type", "code"),
                ("redirect_uri", DEMO_REDIRECT_URI),
                ("scope", "openid"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ];
            let url = Url::parse_with_params(&address, parameters).unwrap();
            let last = self.browser.walk(url).await;
            self.arrived.try_recv().unwrap_or_else(|_| panic!("it stays on {last}"))
        }
    }

    #[tokio::test]
    async fn a_person_finds_their_way_through_every_policy() {
        let mut world = World::start().await;
        assert!(world.visit(DEMO_POLICY, Visit::SignUp).await.contains("code="));
        for _ in 0..2 {
            assert!(world.visit(DEMO_MFA_POLICY, Visit::SignIn).await.contains("code="));
        }
        world.browser.set_name("Anna");
        assert!(world.visit(DEMO_EDIT_POLICY, Visit::SignIn).await.contains("code="));
        let before = world.browser.password();
        let back = world.visit(DEMO_RESET_POLICY, Visit::Cancel).await;
        assert!(back.contains("AADB2C90091") && world.browser.password() == before);
        assert!(world.visit(DEMO_RESET_POLICY, Visit::SignIn).await.contains("code="));
        assert_ne!(world.browser.password(), before);

        let control = world.emulator.control();
        assert_eq!(control.user(EMAIL).unwrap().unwrap().name, "Anna");
        assert_eq!(control.count(Event::SecondFactorShown), 2);
        control.clear_sessions().unwrap();
        assert!(world.visit(DEMO_POLICY, Visit::Forget).await.contains("AADB2C90118"));
        assert!(world.visit(DEMO_POLICY, Visit::SignIn).await.contains("code="), "the new one");
        world.emulator.control().clear_sessions().unwrap();
        assert!(world.visit(DEMO_POLICY, Visit::Through("GoogleExchange")).await.contains("code="));
        assert_eq!(world.emulator.control().count(Event::SignedUp), 2, "another account");
    }
}
