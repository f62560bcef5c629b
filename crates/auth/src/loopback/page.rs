//! What the browser tab shows: a few words, no script, nothing of the request.

use luminous_wire::Language;

/// An answer of the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The sign-in goes on in the app.
    Done,
    /// The answer belongs to no sign-in that waits.
    Refused,
    /// Not the path.
    NotFound,
    /// Not GET.
    WrongMethod,
    /// Not a request for us.
    Bad,
    /// More than a browser sends.
    TooLarge,
}

impl Page {
    const fn status(self) -> &'static str {
        match self {
            Self::Done => "200 OK",
            Self::Refused | Self::Bad => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::WrongMethod => "405 Method Not Allowed\r\nAllow: GET",
            Self::TooLarge => "431 Request Header Fields Too Large",
        }
    }

    const fn words(self, language: Language) -> (&'static str, &'static str) {
        match (self, language) {
            (Self::Done, Language::De) => {
                ("Weiter geht es in Luminous", "Du kannst diesen Tab schließen.")
            }
            (Self::Done, Language::Es) => {
                ("Continúa en Luminous", "Ya puedes cerrar esta pestaña.")
            }
            (Self::Done, _) => ("Continue in Luminous", "You may close this tab."),
            (_, Language::De) => (
                "Diese Seite gehört zu keiner laufenden Anmeldung",
                "Starte die Anmeldung in Luminous noch einmal.",
            ),
            (_, Language::Es) => (
                "Esta página no pertenece a ningún inicio de sesión en curso",
                "Vuelve a iniciar sesión desde Luminous.",
            ),
            (..) => (
                "This page belongs to no sign-in that is going on",
                "Start signing in from Luminous again.",
            ),
        }
    }

    /// The whole HTTP response. `no-referrer` and `no-store`, because the tab's address holds the
    /// code.
    pub(super) fn response(self, language: Language) -> String {
        let (title, text) = self.words(language);
        let tag = match language {
            Language::De => "de",
            Language::Es => "es",
            Language::En | Language::System => "en",
        };
        let body = format!(
            "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
             <meta name=\"color-scheme\" content=\"light dark\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title></head><body><main><h1>{title}</h1><p>{text}</p></main></body>\
             </html>"
        );
        format!(
            "HTTP/1.1 {}\r\n\
             Content-Type: text/html; charset=utf-8\r\n\
             Content-Length: {}\r\n\
             Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'\r\n\
             Referrer-Policy: no-referrer\r\n\
             Cache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\n\
             Connection: close\r\n\r\n{body}",
            self.status(),
            body.len()
        )
    }
}

/// The first language of `Accept-Language` that we speak; its order is taken for its preference.
pub(super) fn language(accepted: Option<&str>) -> Language {
    let tags = accepted.unwrap_or_default().split(',');
    tags.filter_map(|tag| match tag.trim().get(..2)?.to_ascii_lowercase().as_str() {
        "en" => Some(Language::En),
        "de" => Some(Language::De),
        "es" => Some(Language::Es),
        _ => None,
    })
    .next()
    .unwrap_or(Language::En)
}
