//! What the building may say of a driver's modules: where the device is, and how to talk to it.
//!
//! It is separate from the SDK so that a building file and the gateway's REST interface check it without running a driver.
//! A check names every mistake at once, by its place, and repeats no value: a value may be a password.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{JsonText, Misfit};

/// What a driver takes of a module's `uri` and `settings`.
#[derive(Clone, Copy)]
pub struct Configuration {
    /// Whether there is a URI, and which.
    pub uri: UriRule,
    /// The JSON Schema of the settings, an object.
    pub schema: fn() -> JsonText,
    /// Finds what is wrong with the settings, a JSON object.
    pub check: fn(&JsonText) -> Vec<Unfit>,
    /// What becomes of a running module whose settings change.
    pub on_change: OnChange,
}

/// What becomes of a running module whose settings change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// It is started again.
    Restart,
    /// It is told the new ones and goes on.
    Tell,
}

/// What a driver takes as the address of its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UriRule {
    /// Whether a module has one.
    pub presence: UriPresence,
    /// The schemes that it may begin with, `tcp` for `tcp://…`; any when there are none.
    pub schemes: &'static [&'static str],
}

/// Whether a module has a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriPresence {
    /// The driver has no device that could be somewhere.
    Never,
    /// The module may have one.
    Optional,
    /// This one stands in where the building has none.
    Default(&'static str),
    /// The module must have one.
    Needed,
}

/// One thing that is wrong with a module's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Where it is.
    pub place: Place,
    /// What is wrong there.
    pub misfit: Misfit,
}

/// Where something stands in a module's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The address of the device.
    Uri,
    /// The settings, and the way down from them; no step for the settings themselves.
    Settings(Vec<Step>),
}

/// One step down into JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The value of this key.
    Key(String),
    /// The item at this place, counted from 0.
    Item(usize),
}

impl Configuration {
    /// Takes whatever the building says: for drivers that check it themselves after their start.
    pub const ANY: Self = Self {
        uri: UriRule {
            presence: UriPresence::Optional,
            schemes: &[],
        },
        schema: JsonText::empty_object,
        check: |_| Vec::new(),
        on_change: OnChange::Restart,
    };

    /// The keys that the settings can have; `None` where there can be any.
    pub fn keys(&self) -> Option<BTreeSet<String>> {
        let schema: SettingsSchema = (self.schema)().to().ok()?;
        let keys = schema.properties.into_keys().collect();
        (schema.additional_properties == Some(false)).then_some(keys)
    }

    /// Everything that is wrong with a module's URI and settings.
    pub fn check(&self, uri: Option<&str>, settings: &JsonText) -> Vec<Unfit> {
        let misfit = self.uri.check(uri);
        let uri = misfit.map(|misfit| Unfit {
            place: Place::Uri,
            misfit,
        });
        let settings = (self.check)(settings);
        uri.into_iter().chain(settings).collect()
    }
}

/// What the JSON Schema of an object says of its keys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettingsSchema {
    #[serde(default)]
    properties: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    additional_properties: Option<bool>,
}

impl UriRule {
    /// No URI.
    pub const NEVER: Self = Self {
        presence: UriPresence::Never,
        schemes: &[],
    };

    fn check(&self, uri: Option<&str>) -> Option<Misfit> {
        match (uri, self.presence) {
            (None, UriPresence::Never | UriPresence::Optional | UriPresence::Default(_)) => None,
            (None, UriPresence::Needed) => Some(Misfit::Missing {
                key: "uri".to_owned(),
                expected: Some(self.expected()),
            }),
            (Some(_), UriPresence::Never) => {
                let reason = "has no place here, since the driver talks to no device";
                Some(Misfit::Other(reason.to_owned()))
            }
            (Some(uri), UriPresence::Optional | UriPresence::Default(_) | UriPresence::Needed) => {
                (!self.takes(uri)).then(|| Misfit::Expected(self.expected()))
            }
        }
    }

    fn takes(&self, uri: &str) -> bool {
        if self.schemes.is_empty() {
            return true;
        }
        let parts = uri.split_once("://");
        parts.is_some_and(|(scheme, rest)| {
            let mut schemes = self.schemes.iter();
            schemes.any(|known| known.eq_ignore_ascii_case(scheme)) && is_address(rest)
        })
    }

    /// `an address that begins with tcp:// or tls://`.
    fn expected(&self) -> String {
        match self.schemes {
            [] => "an address".to_owned(),
            schemes => {
                let schemes: Vec<String> = schemes.iter().map(|it| format!("{it}://")).collect();
                format!("an address that begins with {}", schemes.join(" or "))
            }
        }
    }
}

/// Whether something stands behind the scheme, and nothing that no address has.
fn is_address(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

/// `ports[1]`, as people write it; nothing for the settings themselves.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Settings(steps) = self else {
            return f.write_str("uri");
        };
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Key(key) if index == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: UriRule, uri: Option<&str>, expect: Option<&str>) {
        let misfit = rule.check(uri).map(|misfit| misfit.to_string());
        assert_eq!(misfit.as_deref(), expect, "{uri:?}");
    }

    #[test]
    fn a_uri_is_held_to_its_rule() {
        let needed = UriRule {
            presence: UriPresence::Needed,
            schemes: &["tcp", "tls"],
        };
        let expected = Some("expected an address that begins with tcp:// or tls://");
        check(needed, Some("tcp://10.0.0.7"), None);
        check(needed, Some("TLS://10.0.0.7:4352"), None);
        for uri in [
            "10.0.0.7",
            "udp://10.0.0.7",
            "tcp://",
            "tcp://a b",
            "tcp:/a",
        ] {
            check(needed, Some(uri), expected);
        }
        let missing = "missing `uri`, an address that begins with tcp:// or tls://";
        check(needed, None, Some(missing));

        let presence = UriPresence::Default("udp://255.255.255.255:9");
        let defaulted = UriRule {
            presence,
            schemes: &["udp"],
        };
        check(defaulted, None, None);
        check(UriRule::NEVER, None, None);
        let never = "has no place here, since the driver talks to no device";
        check(UriRule::NEVER, Some("tcp://a"), Some(never));
        check(Configuration::ANY.uri, Some("whatever"), None);
    }
}
