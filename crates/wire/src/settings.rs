//! What a person chose about the window, and the first connection.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a person chose about the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The language of the words.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
}

/// The language of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// The system's, or English.
    #[default]
    System,
    /// English.
    En,
    /// German.
    De,
    /// Spanish.
    Es,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The first connection: one address; the server there says the rest (`/.well-known/luminous`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConnectRequest {
    /// The family server's address.
    pub address: String,
}
