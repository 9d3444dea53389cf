//! A naive model of a display: what its entities say by the rules alone, of what was last written of each status.

use std::collections::BTreeMap;

use super::super::context_id;
use super::client::{Held, Store};

/// What was last written of a status.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) value: Option<String>,
    pub(super) at: String,
    pub(super) revision: u64,
    pub(super) context: String,
    pub(super) user: Option<String>,
}

/// The module as it is, and what an entity says of it by the rules alone.
#[derive(Debug, Default)]
pub(super) struct Naive(pub(super) BTreeMap<&'static str, Written>);

impl Naive {
    fn value(&self, status: &str) -> Option<&str> {
        let value = self.0.get(status)?.value.as_deref()?;
        (value != "null").then_some(value)
    }

    fn text(&self, status: &str) -> String {
        let long = "é".repeat(300);
        match self.value(status) {
            None => "\"unknown\"".to_owned(),
            Some("[1,2]") => "\"2\"".to_owned(),
            Some(json) if json.starts_with('{') => "\"json\"".to_owned(),
            Some(json) if json.contains(&long) => format!("\"{}\"", "é".repeat(255)),
            Some(json) if json.starts_with('"') => json.to_owned(),
            Some(json) => format!("\"{json}\""),
        }
    }

    fn flag(&self, status: &str) -> String {
        match self.value(status) {
            Some("true") => "\"on\"".to_owned(),
            Some("false") => "\"off\"".to_owned(),
            _ => self.text(status),
        }
    }

    /// The store of a client that has been told everything.
    pub(super) fn store(&self) -> Store {
        let one = |domain: &str, suffix: &str, state: String, deciding: &[&str], more: &[&str]| {
            let id = format!("{domain}.r_display_1{suffix}");
            (id, self.held(domain, suffix, state, deciding, more))
        };
        let entities = [
            one(
                "binary_sensor",
                "_connected",
                self.flag("connected"),
                &[],
                &[],
            ),
            one("switch", "_power", self.flag("power"), &["power"], &[]),
            one("select", "_input", self.text("input"), &["input"], &[]),
            one("number", "_volume", self.text("volume"), &["volume"], &[]),
            one(
                "switch",
                "_audio_mute",
                self.flag("audio_mute"),
                &["audio_mute"],
                &[],
            ),
            one(
                "binary_sensor",
                "_warming",
                "\"unknown\"".to_owned(),
                &[],
                &[],
            ),
            one("sensor", "_log", self.text("log"), &["log"], &[]),
            one(
                "button",
                "_freeze_frame",
                "\"unknown\"".to_owned(),
                &[],
                &[],
            ),
            one(
                "media_player",
                "",
                self.flag("power"),
                &["power"],
                &["volume", "audio_mute", "input"],
            ),
        ];
        Store(entities.into_iter().collect())
    }

    fn held(
        &self,
        domain: &str,
        suffix: &str,
        state: String,
        deciding: &[&str],
        more: &[&str],
    ) -> Held {
        let is_away = suffix != "_connected" && self.value("connected") == Some("false");
        let of = |names: &[&str]| -> Vec<&Written> {
            let names = ["connected"].iter().chain(names);
            names.filter_map(|name| self.0.get(*name)).collect()
        };
        let all = [deciding, more].concat();
        let changed = of(deciding)
            .into_iter()
            .max_by_key(|written| written.revision);
        let updated = of(&all).into_iter().max_by_key(|written| written.revision);
        let mut attributes = BTreeMap::new();
        let mut attribute = |name: &str, json: Option<&str>| {
            attributes.extend(json.map(|json| (name.to_owned(), json.to_owned())));
        };
        if domain == "media_player" {
            attribute(
                "volume_level",
                match self.value("volume") {
                    Some("0") => Some("0"),
                    Some("20") => Some("0.2"),
                    Some("100" | "1e400") => Some("1"),
                    _ => None,
                },
            );
            let mute = self.value("audio_mute").filter(|mute| *mute != "7");
            attribute("is_volume_muted", mute);
            attribute("source", self.value("input"));
        }
        if domain == "sensor" {
            let is_cut = |json: &&str| json.starts_with(['[', '{', '"']);
            attribute("value", self.value("log").filter(is_cut));
        }
        let never = || "0.000000".to_owned();
        Held {
            state: if is_away {
                "\"unavailable\"".to_owned()
            } else {
                state
            },
            attributes,
            context: updated.map_or_else(|| context_id(0), |written| written.context.clone()),
            user: updated.and_then(|written| written.user.clone()),
            changed: changed.map_or_else(never, |written| written.at.clone()),
            updated: updated.map_or_else(never, |written| written.at.clone()),
        }
    }
}
