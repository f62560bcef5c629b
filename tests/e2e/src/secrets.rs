//! What a desk's keyring holds, read by way of the Secret Service, as any other program of the person
//! could.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use crate::desk::Desk;

const BUS_NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";

/// Session, parameters, value, content type.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// Everything that the unlocked keyring holds under `service`, by its name.
pub fn of(desk: &Desk, service: &str) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let bus = desk.get("DBUS_SESSION_BUS_ADDRESS").context("no session bus")?;
    let keyring = Keyring(Builder::address(bus.to_str().context("no address")?)?.build()?);
    let (_, session): (OwnedValue, OwnedObjectPath) =
        keyring.ask("OpenSession", &("plain", Value::from("")))?;
    let (items, _locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
        keyring.ask("SearchItems", &(HashMap::from([("service", service)]),))?;
    let secrets: HashMap<OwnedObjectPath, Secret> =
        keyring.ask("GetSecrets", &(&items, &session))?;
    let mut named = BTreeMap::new();
    for (item, (_, _, value, _)) in secrets {
        named.insert(keyring.name(&item)?, value);
    }
    Ok(named)
}

/// The bytes of a stored value, which is base64url text; nothing for a record's head.
pub fn decoded(value: &[u8]) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(value).ok()
}

struct Keyring(Connection);

impl Keyring {
    fn ask<T>(
        &self,
        method: &str,
        arguments: &(impl serde::Serialize + zbus::zvariant::DynamicType),
    ) -> anyhow::Result<T>
    where
        T: for<'de> serde::Deserialize<'de> + zbus::zvariant::Type,
    {
        let path = "/org/freedesktop/secrets";
        let answer = self.0.call_method(Some(BUS_NAME), path, Some(SERVICE), method, arguments)?;
        Ok(answer.body().deserialize()?)
    }

    fn name(&self, item: &OwnedObjectPath) -> anyhow::Result<String> {
        let interface = Some("org.freedesktop.DBus.Properties");
        let wanted = ("org.freedesktop.Secret.Item", "Attributes");
        let answer = self.0.call_method(Some(BUS_NAME), item, interface, "Get", &wanted)?;
        let attributes: OwnedValue = answer.body().deserialize()?;
        let mut attributes = HashMap::<String, String>::try_from(attributes)?;
        attributes.remove("username").context("an item without a name")
    }
}
