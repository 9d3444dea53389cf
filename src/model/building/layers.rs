//! The settings that a module runs with: those of the zones around it, of its system, and its own on top.
//!
//! Separate from the collections, since the building file and the core both lay them over each other, each with its own way to find the zones.
//! What stands around a module is for several drivers, so a key that its driver does not have is passed over there; among its own settings it stays, and is a mistake.

use driver_types::{Configuration, JsonText};
use indexmap::IndexMap;

use super::Module;
use crate::model::Secret;

/// What zones and systems set where they set nothing.
const NOTHING: &str = "{}";

/// The settings of one zone, system or module by their keys.
type Layer = IndexMap<String, JsonText>;

impl Module {
    /// The module with the settings that it runs with; `None` where that are its own alone.
    ///
    /// `around` are the settings of the zones of its system in their order, and of the system. A later one goes before an earlier one, key by key.
    pub fn configured<'a>(
        &self,
        around: impl IntoIterator<Item = &'a Secret>,
        configuration: &Configuration,
    ) -> Option<Self> {
        let mut around = around
            .into_iter()
            .filter(|settings| sets_anything(settings))
            .peekable();
        around.peek()?;
        let known = configuration.keys();
        let is_known = |key: &str| known.as_ref().is_none_or(|known| known.contains(key));
        let mut merged = Layer::new();
        for settings in around {
            let mut layer = layer(settings);
            layer.retain(|key, _| is_known(key));
            merged.extend(layer);
        }
        if merged.is_empty() {
            return None;
        }
        merged.extend(layer(&self.settings));
        let settings = JsonText::of(&merged).ok()?;
        Some(Self {
            settings: Secret::new(settings.as_str()),
            ..self.clone()
        })
    }
}

/// Whether these settings of a zone or system say anything.
pub fn sets_anything(settings: &Secret) -> bool {
    settings.expose() != NOTHING
}

fn layer(settings: &Secret) -> Layer {
    // They were parsed when they came in, so there is nothing else.
    let json = JsonText::parse(settings.expose()).ok();
    json.and_then(|json| json.to().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use driver_types::{ModuleId, OnChange, UriRule};

    use super::*;

    /// What a driver that knows two keys takes.
    const TWO_KEYS: Configuration = Configuration {
        uri: UriRule::NEVER,
        schema: || {
            let schema = r#"{"properties": {"a": {}, "b": {}}, "additionalProperties": false}"#;
            JsonText::parse(schema).expect("it is JSON")
        },
        check: |_| Vec::new(),
        on_change: OnChange::Restart,
    };

    #[track_caller]
    fn check(configuration: &Configuration, around: &[&str], own: &str, expected: Option<&str>) {
        let module = Module {
            settings: Secret::new(own),
            ..Module::new(&ModuleId::new("mod-1").unwrap())
        };
        let around: Vec<Secret> = around.iter().map(|text| Secret::new(*text)).collect();
        let configured = module.configured(&around, configuration);
        let settings = configured.map(|module| module.settings.expose().to_owned());
        assert_eq!(settings.as_deref(), expected, "{own}");
    }

    #[test]
    fn of_a_key_that_is_set_several_times_the_innermost_holds() {
        let layers = [r#"{"a":1,"b":1.50}"#, r#"{"a":2}"#];
        check(&TWO_KEYS, &layers, "{}", Some(r#"{"a":2,"b":1.50}"#));
        let own = r#"{"a":{"x":1}}"#;
        check(&TWO_KEYS, &layers, own, Some(r#"{"a":{"x":1},"b":1.50}"#));
    }

    #[test]
    fn a_key_that_the_driver_does_not_have_is_passed_over_around_the_module_alone() {
        let around = [r#"{"a":1,"c":1}"#];
        check(&TWO_KEYS, &around, r#"{"d":1}"#, Some(r#"{"a":1,"d":1}"#));
        check(&Configuration::ANY, &around, "{}", Some(r#"{"a":1,"c":1}"#));
    }

    #[test]
    fn without_settings_around_it_a_module_keeps_its_own_byte_for_byte() {
        for around in [&[][..], &["{}"], &[r#"{"c":1}"#]] {
            check(&TWO_KEYS, around, r#"{"b": 1.0,  "a":2}"#, None);
        }
    }
}
