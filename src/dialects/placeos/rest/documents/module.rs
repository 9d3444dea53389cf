//! Documents of modules.

use std::fmt;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::address::{Address, address, uri_for};
use crate::dialects::placeos::rest::documents::{Checks, Given, asked_id};
use crate::model::{DriverRef, JsonText, Module, ModuleId, ModuleName, Secret, Whole};

/// A module to be made or changed. What is left out stays as it is.
///
/// Its device is given by a URI, or by `ip`, `port`, `tls` and `udp`.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ModuleDocument {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    driver_id: Given<String>,
    /// The name that clients use.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    custom_name: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    uri: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    ip: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    port: Given<Whole<u16>>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    tls: Given<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    udp: Given<bool>,
    /// The whole of its settings, which no answer shows. A list is passed over: clients put one there of their own.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    settings: Given<Settings>,
}

/// What stands where settings belong. They may hold passwords, so they are not shown.
#[derive(Clone, PartialEq, Deserialize)]
struct Settings(JsonText);

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl ModuleDocument {
    /// The id that a new module is to have.
    pub fn id(&self) -> Result<Option<ModuleId>, Vec<InvalidField>> {
        asked_id(&self.id, ModuleId::new)
    }

    /// A module with nothing but its id, to be amended.
    pub fn blank(id: ModuleId) -> Module {
        Module {
            id,
            driver: DriverRef::LinkedIn(String::new()),
            name: None,
            uri: None,
            settings: Secret::new("{}"),
        }
    }

    /// Puts what the document says in place of what is there.
    pub fn amend(&self, module: &mut Module) -> Result<(), Vec<InvalidField>> {
        let mut checks = Checks::default();
        if let Some(driver) = self.driver_id.value()
            && driver != module.driver.as_str()
        {
            module.driver = DriverRef::LinkedIn(driver.clone());
        }
        checks.id(
            "custom_name",
            &self.custom_name,
            &mut module.name,
            ModuleName::new,
        );
        self.amend_address(module);
        match &self.settings {
            Given::Absent => {}
            Given::Null => module.settings = Secret::new("{}"),
            Given::Value(Settings(settings)) => match settings.as_str().as_bytes().first() {
                Some(b'{') => module.settings = Secret::new(settings.as_str()),
                Some(b'[') => {}
                _ => checks.wrong("settings", "must be an object"),
            },
        }
        checks.finish()
    }

    /// What an answer shows of an address may be less than there is, so one that is sent back unchanged changes nothing.
    fn amend_address(&self, module: &mut Module) {
        let shown = address(module.uri.as_deref());
        let mut given = shown.clone();
        self.uri.amend(&mut given.uri);
        self.ip.amend(&mut given.ip);
        self.port.amend_number(&mut given.port);
        self.tls.amend(&mut given.tls);
        self.udp.amend(&mut given.udp);
        // Clients fill a port in where there is none.
        let is_shown = given == shown
            || (shown.ip.is_empty()
                && Address {
                    port: shown.port,
                    ..given.clone()
                } == shown);
        if !is_shown {
            module.uri = uri_for(module.uri.as_deref(), &given);
        } else if self.uri == Given::Null {
            module.uri = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::placeos::rest::documents::read;

    fn module(uri: Option<&str>) -> Module {
        Module {
            driver: DriverRef::LinkedIn("pjlink".to_owned()),
            name: Some(ModuleName::new("Display").unwrap()),
            uri: uri.map(str::to_owned),
            settings: Secret::new(r#"{"password":"hunter2"}"#),
            ..ModuleDocument::blank(ModuleId::new("mod-1").unwrap())
        }
    }

    fn check_uri(before: Option<&str>, body: &str, expect: Option<&str>) {
        let mut amended = module(before);
        let document: ModuleDocument = read(body.as_bytes()).unwrap();
        document.amend(&mut amended).unwrap();
        assert_eq!(amended.uri.as_deref(), expect, "{before:?} {body}");
    }

    #[test]
    fn an_address_is_given_by_a_uri_or_by_its_parts() {
        check_uri(None, r#"{"uri": "https://h/x"}"#, Some("https://h/x"));
        check_uri(
            None,
            r#"{"ip": "10.0.0.7", "port": 4352}"#,
            Some("tcp://10.0.0.7:4352"),
        );
        check_uri(
            None,
            r#"{"ip": "h", "port": 9, "udp": true}"#,
            Some("udp://h:9"),
        );
        check_uri(
            None,
            r#"{"ip": "h", "port": 9, "tls": true}"#,
            Some("tls://h:9"),
        );
        check_uri(Some("tcp://h:9"), r#"{"ip": "i"}"#, Some("tcp://i:9"));
        check_uri(
            Some("ssh://ann:b@h:22"),
            r#"{"port": 23}"#,
            Some("ssh://ann:b@h:23"),
        );
        check_uri(Some("tcp://h:9"), r#"{"ip": ""}"#, None);
        for uri in ["https://h/x", "https://ann:b@h/x"] {
            check_uri(Some(uri), r#"{"uri": null}"#, None);
        }
        check_uri(
            Some("ssh://ann:b@h:22"),
            r#"{"ip": "i"}"#,
            Some("ssh://i:22"),
        );
    }

    #[test]
    fn what_an_answer_shows_of_an_address_changes_nothing_when_it_is_sent_back() {
        for uri in [
            "https://ann:hunter2@h/x?token=t",
            "https://h/x?token=t",
            "ssh://ann:hunter2@h:22",
            "tcp://h:9",
        ] {
            let shown = address(Some(uri));
            let body = serde_json::json!({
                "uri": shown.uri, "ip": shown.ip, "port": shown.port, "tls": shown.tls, "udp": shown.udp,
            });
            check_uri(Some(uri), &body.to_string(), Some(uri));
            check_uri(Some(uri), "{}", Some(uri));
        }
        // As PlaceOS's client library sends a module without a device.
        check_uri(None, r#"{"tls": false, "udp": false, "port": 1}"#, None);
    }

    #[test]
    fn settings_are_replaced_whole_and_never_shown() {
        let mut amended = module(None);
        let body = br#"{"settings": {"password": "new"}, "custom_name": "Projector"}"#;
        let document: ModuleDocument = read(body).unwrap();
        assert!(!format!("{document:?}").contains("new"));
        document.amend(&mut amended).unwrap();
        assert_eq!(amended.settings, Secret::new(r#"{"password": "new"}"#));
        assert_eq!(amended.name, ModuleName::new("Projector").ok());

        let mut kept = module(None);
        let lists: ModuleDocument =
            read(br#"{"settings": [{"keys": []}], "driver_id": "pjlink"}"#).unwrap();
        lists.amend(&mut kept).unwrap();
        assert_eq!(kept, module(None));
    }
}
