//! A browser that keeps cookies, follows redirects and fills forms, and nothing else: no scripts,
//! like a careful one. It says where a form comes from as browsers do.

use std::collections::BTreeMap;

use reqwest::header::{
    ACCEPT_LANGUAGE, COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE, USER_AGENT,
};
use reqwest::{Client, Method, StatusCode};
use url::{Url, form_urlencoded};

use crate::rig::Rig;

/// More pages than any journey has.
const MOST_PAGES: usize = 12;
/// Everybody's.
const PASSWORD: &str = "correct horse 7 battery";

/// A browser of one person.
pub struct Browser {
    http: Client,
    /// The address people know, and where it really is.
    public: (String, String),
    pub cookies: BTreeMap<String, String>,
    pub language: &'static str,
}

/// What the browser shows.
#[derive(Debug, Clone)]
pub struct Page {
    pub url: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Browser {
    /// One that was never anywhere.
    pub fn new(rig: &Rig) -> Self {
        Self::behind(rig, &rig.base)
    }

    /// The same for a server that people know by another address: what a proxy with TLS does is
    /// done here.
    pub fn behind(rig: &Rig, public: &str) -> Self {
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let public = (public.to_owned(), rig.base.clone());
        Self { http, public, cookies: BTreeMap::new(), language: "en" }
    }

    /// An address of the server under test.
    pub fn ours(&self, path: &str) -> Url {
        format!("{}{path}", self.public.0).parse().unwrap()
    }

    /// One request, no redirect followed.
    pub async fn send(
        &mut self,
        method: Method,
        url: &Url,
        form: Option<&[(String, String)]>,
        headers: HeaderMap,
    ) -> Page {
        let real = url.as_str().replacen(&self.public.0, &self.public.1, 1);
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self
            .http
            .request(method, real)
            .header(USER_AGENT, "A test's browser")
            .header(ACCEPT_LANGUAGE, self.language)
            .headers(headers);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(form) = form {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            request =
                request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        for line in headers.get_all(SET_COOKIE) {
            self.keep(line.to_str().unwrap());
        }
        Page { url: url.clone(), status, headers, text: answer.text().await.unwrap() }
    }

    fn keep(&mut self, line: &str) {
        let (pair, flags) = line.split_once(';').unwrap_or((line, ""));
        let (name, value) = pair.split_once('=').unwrap();
        if flags.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// One page of the server under test, as it answers.
    pub async fn peek(&mut self, path: &str) -> Page {
        let url = self.ours(path);
        self.send(Method::GET, &url, None, HeaderMap::new()).await
    }

    /// Goes there, wherever it leads.
    pub async fn go(&mut self, path: &str) -> Page {
        let page = self.peek(path).await;
        self.follow(page).await
    }

    /// Follows redirects.
    pub async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..MOST_PAGES {
            let Some(next) = page.leads_to() else { return page };
            page = self.send(Method::GET, &next, None, HeaderMap::new()).await;
        }
        panic!("the pages go round in a circle");
    }

    /// Presses a button, the fields of its form filled in, and goes where it leads.
    pub async fn press(&mut self, page: &Page, button: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.press_once(page, button, fields).await;
        self.follow(answer).await
    }

    /// The same without following a redirect.
    pub async fn press_once(&mut self, page: &Page, button: &str, fields: &[(&str, &str)]) -> Page {
        let (url, form) = page.form(button, fields);
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, page.url.origin().ascii_serialization().parse().unwrap());
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        self.send(Method::POST, &url, Some(&form), headers).await
    }

    /// Clicks a link.
    pub async fn click(&mut self, page: &Page, id: &str) -> Page {
        let href = attribute(tag(&page.text, id).unwrap(), "href").unwrap();
        let url = page.url.join(&href).unwrap();
        let page = self.send(Method::GET, &url, None, HeaderMap::new()).await;
        self.follow(page).await
    }

    /// Signs in where the provider asks, with an account that is there. Answers the page where the
    /// journey ends.
    pub async fn sign_in(&mut self, path: &str, email: &str) -> Page {
        let page = self.go(path).await;
        self.identify(&page, email).await
    }

    /// What [`Browser::sign_in`] does on the provider's page.
    pub async fn identify(&mut self, page: &Page, email: &str) -> Page {
        self.press(page, "next", &[("email", email), ("password", PASSWORD)]).await
    }

    /// The provider's answer to a sign-in: the address it sends the browser to, not gone to.
    pub async fn answer_for(&mut self, path: &str, email: &str) -> Url {
        let page = self.go(path).await;
        let fields = [("email", email), ("password", PASSWORD)];
        let answer = self.press_once(&page, "next", &fields).await;
        answer.leads_to().expect("a redirect")
    }

    /// Loads an address of ours that came from elsewhere.
    pub async fn open(&mut self, url: &Url) -> Page {
        self.send(Method::GET, url, None, HeaderMap::new()).await
    }

    /// The session's cookie.
    pub fn session(&self) -> Option<&str> {
        let cookie = self.cookies.iter().find(|(name, _)| name.ends_with("luminous-session"));
        cookie.map(|(_, value)| value.as_str())
    }
}

impl Page {
    /// Where it redirects to.
    pub fn leads_to(&self) -> Option<Url> {
        let location = self.headers.get(LOCATION)?.to_str().unwrap();
        self.status.is_redirection().then(|| self.url.join(location).unwrap())
    }

    /// The text of the element with that id.
    pub fn text_of(&self, id: &str) -> String {
        let tag = tag(&self.text, id).unwrap_or_else(|| panic!("no {id} in {}", self.text));
        let start = self.text.find(tag).unwrap() + tag.len() + 1;
        let end = self.text[start..].find('<').unwrap();
        self.text[start..start + end].to_owned()
    }

    /// The heading.
    pub fn heading(&self) -> String {
        let start = self.text.find("<h1").unwrap_or_else(|| panic!("no heading: {}", self.text));
        let start = start + self.text[start..].find('>').unwrap() + 1;
        let end = self.text[start..].find('<').unwrap();
        self.text[start..start + end].to_owned()
    }

    /// Status and heading, such as `404 This code is over`.
    pub fn outcome(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.heading())
    }

    /// What pressing `button` sends, and where.
    pub fn form(&self, button: &str, fields: &[(&str, &str)]) -> (Url, Vec<(String, String)>) {
        let pressed = tag(&self.text, button)
            .unwrap_or_else(|| panic!("no button {button} in {}", self.text));
        let at = self.text.find(pressed).unwrap();
        let start = self.text[..at].rfind("<form").expect("a form around it");
        let head = &self.text[start..start + self.text[start..].find('>').unwrap()];
        let body = &self.text[start..at];
        let mut form = hidden_fields(body);
        form.extend(fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        if let (Some(name), Some(value)) = (attribute(pressed, "name"), attribute(pressed, "value"))
        {
            form.push((name, value));
        }
        (self.url.join(&attribute(head, "action").unwrap()).unwrap(), form)
    }
}

/// A parameter of an address.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The tag with that id, without its angle brackets' last one.
fn tag<'a>(text: &'a str, id: &str) -> Option<&'a str> {
    let at = text.find(&format!(" id=\"{id}\""))?;
    let start = text[..at].rfind('<')?;
    Some(&text[start..start + text[start..].find('>')?])
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    let value = rest.split_once('"')?.0;
    Some(value.replace("&#38;", "&").replace("&amp;", "&").replace("&#34;", "\""))
}

fn hidden_fields(text: &str) -> Vec<(String, String)> {
    text.split("<input ")
        .skip(1)
        .filter(|input| input.contains("type=\"hidden\""))
        .filter_map(|input| {
            let tag = format!(" {}", &input[..input.find('>')?]);
            Some((attribute(&tag, "name")?, attribute(&tag, "value")?))
        })
        .collect()
}
