//! The applications that are registered.

use super::{
    DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_DAEMON_CLIENT_ID, DEMO_DAEMON_CLIENT_SECRET,
    DEMO_LOOPBACK_PORTS, DEMO_REDIRECT_URI, DEMO_SCOPE, DEMO_TENANT, DEMO_WEB_CLIENT_ID,
    DEMO_WEB_CLIENT_SECRET,
};

/// A registered application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its client id, a GUID.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub kind: ClientKind,
    /// Redirect URIs, compared character by character.
    pub redirect_uris: Vec<String>,
    /// The API scopes it may ask for, in full.
    pub granted_scopes: Vec<String>,
    /// The app roles it holds at the first API, for the client credentials grant.
    pub app_roles: Vec<String>,
}

impl Client {
    /// The desktop app of the demonstration tenant.
    #[must_use]
    pub fn demo_app() -> Self {
        let loopback =
            DEMO_LOOPBACK_PORTS.iter().map(|port| format!("http://localhost:{port}/auth/callback"));
        Self {
            id: DEMO_APP_CLIENT_ID.into(),
            name: "Luminous".into(),
            kind: ClientKind::Native,
            redirect_uris: std::iter::once(DEMO_REDIRECT_URI.to_owned()).chain(loopback).collect(),
            granted_scopes: vec![DEMO_SCOPE.into()],
            app_roles: Vec::new(),
        }
    }

    /// The family API of the demonstration tenant.
    #[must_use]
    pub fn demo_api() -> Self {
        Self {
            id: DEMO_API_CLIENT_ID.into(),
            name: "Luminous family API".into(),
            kind: ClientKind::Api {
                app_id_uri: format!("https://{DEMO_TENANT}/api"),
                scopes: vec!["user_impersonation".into()],
            },
            redirect_uris: Vec::new(),
            granted_scopes: Vec::new(),
            app_roles: Vec::new(),
        }
    }

    /// The web client of the demonstration tenant, redirected to `http://localhost:{port}/callback`.
    #[must_use]
    pub fn demo_web(port: u16) -> Self {
        let redirect_uri = format!("http://localhost:{port}/callback");
        Self::confidential(DEMO_WEB_CLIENT_ID, DEMO_WEB_CLIENT_SECRET, &[&redirect_uri])
    }

    /// A service of the demonstration tenant that acts for nobody.
    #[must_use]
    pub fn demo_daemon() -> Self {
        Self {
            name: "Luminous night watch".into(),
            granted_scopes: Vec::new(),
            app_roles: vec!["app.read".into(), "app.write".into()],
            ..Self::confidential(DEMO_DAEMON_CLIENT_ID, DEMO_DAEMON_CLIENT_SECRET, &[])
        }
    }

    /// A native client that is granted the family API's scope.
    #[must_use]
    pub fn native(id: &str, redirect_uris: &[&str]) -> Self {
        Self {
            id: id.into(),
            name: "Luminous".into(),
            kind: ClientKind::Native,
            redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
            granted_scopes: vec![DEMO_SCOPE.into()],
            app_roles: Vec::new(),
        }
    }

    /// A web application with a secret that is granted the family API's scope.
    #[must_use]
    pub fn confidential(id: &str, secret: &str, redirect_uris: &[&str]) -> Self {
        Self {
            kind: ClientKind::Confidential { secret: secret.into() },
            ..Self::native(id, redirect_uris)
        }
    }
}

/// What an application may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientKind {
    /// A public client on a person's device: PKCE required, a secret refused.
    Native,
    /// A public client in a browser: PKCE required (AADB2C99059), a secret refused.
    SinglePage,
    /// A client on a server: its secret is required.
    Confidential {
        /// The secret, compared in constant time.
        secret: String,
    },
    /// A resource that access tokens are for.
    Api {
        /// Its application id URI, without a trailing slash.
        app_id_uri: String,
        /// Its scopes, without the URI.
        scopes: Vec<String>,
    },
    /// Registered for another kind of directory (AADB2C90068).
    NotForB2c,
}
