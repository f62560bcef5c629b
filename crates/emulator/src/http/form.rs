//! The page with a form: its title, its fields, its buttons, and what stands above them.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::open::Open;
use super::page::{self, Line};
use crate::accounts::Fault;
use crate::second_factor::Enrolment;
use crate::store::User;
use crate::words::Words;

/// The id of the field for a code of six digits, mailed or from an authenticator app.
pub(super) const CODE: &str = "verificationCode";

/// A field of a form.
pub(super) struct Field<'a> {
    /// `id` and `name` of its input.
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: Option<&'static str>,
    pub(super) kind: &'static str,
    pub(super) autocomplete: &'static str,
    /// What was typed; a password is never sent back.
    pub(super) value: Option<&'a str>,
}

impl<'a> Field<'a> {
    pub(super) fn email(w: &Words, value: &'a str) -> Self {
        Self { value: Some(value), ..Self::new("email", w.email, "email", "username") }
    }

    pub(super) fn name(w: &Words, value: &'a str) -> Self {
        Self {
            value: Some(value),
            hint: Some(w.name_hint),
            ..Self::new("displayName", w.name, "text", "name")
        }
    }

    /// A new password and its repetition.
    pub(super) fn new_password(w: &Words, label: &'static str) -> [Self; 2] {
        [
            Self {
                hint: Some(w.password_hint),
                ..Self::new("password", label, "password", "new-password")
            },
            Self::new("confirmPassword", w.confirm, "password", "new-password"),
        ]
    }

    /// A code of six digits.
    pub(super) fn code(label: &'static str) -> Self {
        Self::new(CODE, label, "text", "one-time-code")
    }

    fn new(
        id: &'static str,
        label: &'static str,
        kind: &'static str,
        autocomplete: &'static str,
    ) -> Self {
        Self { id, label, hint: None, kind, autocomplete, value: None }
    }

    fn is_code(&self) -> bool {
        self.autocomplete == "one-time-code"
    }
}

/// A button: its id is the `action` that it sends.
pub(super) struct Button {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
}

/// Where else a person may want to go.
pub(super) struct Other {
    pub(super) text: &'static str,
    pub(super) id: &'static str,
    pub(super) path: &'static str,
    pub(super) label: &'static str,
}

/// The message in the demo mailbox.
pub(super) struct ShownMail {
    pub(super) text: String,
    pub(super) code: String,
}

/// The page.
#[derive(Template)]
#[template(path = "form.html")]
pub(super) struct Form<'a> {
    pub(super) w: &'static Words,
    pub(super) language: &'static str,
    pub(super) tx: &'a str,
    pub(super) csrf: &'a str,
    pub(super) action: &'static str,
    pub(super) title: String,
    pub(super) lead: String,
    pub(super) primary: Button,
    /// A badge that says what this page is not.
    pub(super) stand_in: Option<String>,
    pub(super) hidden: Vec<(&'static str, &'static str)>,
    pub(super) fields: Vec<Field<'a>>,
    pub(super) faults: Vec<Line>,
    pub(super) mail: Option<ShownMail>,
    pub(super) enrolment: Option<Enrolment>,
    /// People to choose from.
    pub(super) people: Vec<User>,
    pub(super) more: Option<Button>,
    pub(super) other: Option<Other>,
}

impl<'a> Form<'a> {
    pub(super) fn new(
        open: &'a Open,
        action: &'static str,
        (title, lead): (String, String),
        primary: Button,
    ) -> Self {
        let language = open.interaction.language;
        Self {
            w: language.words(),
            language: language.tag(),
            tx: &open.tx,
            csrf: &open.interaction.csrf,
            action,
            title,
            lead,
            primary,
            stand_in: None,
            hidden: Vec::new(),
            fields: Vec::new(),
            faults: Vec::new(),
            mail: None,
            enrolment: None,
            people: Vec::new(),
            more: None,
            other: None,
        }
    }

    /// Says what is wrong with what was typed.
    pub(super) fn with_faults(self, faults: &[Fault]) -> Self {
        let faults = page::lines(faults, self.w);
        Self { faults, ..self }
    }

    /// Answers the page. Its form may lead to the app in the end.
    pub(super) fn answer(&self, open: &Open) -> Response {
        page::render(self, StatusCode::OK, &open.interaction.asked.return_to.redirect_uri)
    }

    /// A line is about the first of its fields that this form has.
    fn fault(&self, id: &str) -> Option<&'static str> {
        self.faults.iter().find(|line| line.field == id).map(|line| line.text)
    }

    /// The ids of what explains a field.
    fn described_by(&self, field: &Field<'_>) -> Option<String> {
        let hint = field.hint.map(|_| format!("{}-hint", field.id));
        let fault = self.fault(field.id).map(|_| format!("{}-fault", field.id));
        let ids: Vec<String> = hint.into_iter().chain(fault).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// The first field that needs a hand: a faulty one, or the first empty one.
    fn has_focus(&self, id: &str) -> bool {
        let empty = || self.fields.iter().find(|field| field.value.is_none_or(str::is_empty));
        let first = self.faults.first().map(|line| line.field);
        first.or_else(|| empty().map(|field| field.id)) == Some(id)
    }
}
