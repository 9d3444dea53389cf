//! How much the channels of an app take.

use driver_types::JsonText;
use serde_json::{Map, Value as Json};

use super::whole;
use crate::model::building::flaws::{self, Flaw};

/// How much the channels of an app take. Each has the default of Pusher or of its libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppLimits {
    /// The most bytes of an event's data.
    pub event_bytes: u32,
    /// The channels that one event can go to.
    pub channels_per_event: u32,
    /// The events of one batch.
    pub batch_events: u32,
    /// How many events a client may publish in a second; twice as many in one go.
    pub client_events_per_second: u32,
    /// The members of a presence channel.
    pub presence_members: u32,
    /// The most bytes of what a member says of itself.
    pub member_bytes: u32,
}

impl Default for AppLimits {
    fn default() -> Self {
        Self {
            event_bytes: 10 * 1024,
            channels_per_event: 100,
            batch_events: 10,
            client_events_per_second: 10,
            presence_members: 1_000,
            member_bytes: 2 * 1024,
        }
    }
}

/// The names of the limits, and the most that each can be.
const LIMITS: [(&str, u32); 6] = [
    ("event_bytes", 1024 * 1024),
    ("channels_per_event", 1_000),
    ("batch_events", 1_000),
    ("client_events_per_second", 10_000),
    ("presence_members", 100_000),
    ("member_bytes", 64 * 1024),
];

impl AppLimits {
    /// Reads `{"event_bytes": "10KiB", "presence_members": 1000}`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut limits = Self::default();
        for (name, value) in flaws::members(json, &[], &mut flaws) {
            let Some((_, most)) = LIMITS.iter().find(|(known, _)| *known == name) else {
                let known: Vec<&str> = LIMITS.iter().map(|(known, _)| *known).collect();
                flaws.push(Flaw::unknown(&[&name], &known));
                continue;
            };
            let count = amount(&value, name.ends_with("_bytes"));
            match count.filter(|count| (1..=*most).contains(count)) {
                Some(count) => limits.set(&name, count),
                None => {
                    let expected = format!("a whole number from 1 to {most}");
                    flaws.push(Flaw::expected(&[&name], &expected));
                }
            }
        }
        whole(limits, flaws)
    }

    pub(super) fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    fn set(&mut self, name: &str, count: u32) {
        match name {
            "event_bytes" => self.event_bytes = count,
            "channels_per_event" => self.channels_per_event = count,
            "batch_events" => self.batch_events = count,
            "client_events_per_second" => self.client_events_per_second = count,
            "presence_members" => self.presence_members = count,
            "member_bytes" => self.member_bytes = count,
            _ => {}
        }
    }

    fn counts(self) -> [u32; LIMITS.len()] {
        [
            self.event_bytes,
            self.channels_per_event,
            self.batch_events,
            self.client_events_per_second,
            self.presence_members,
            self.member_bytes,
        ]
    }

    /// The same as JSON: what is not as by default.
    pub fn json(&self) -> String {
        let with_default = self.counts().into_iter().zip(Self::default().counts());
        let named = LIMITS.iter().zip(with_default);
        let others = named.filter(|(_, (count, default))| count != default);
        let said = others.map(|((name, _), (count, _))| ((*name).to_owned(), count.into()));
        Json::Object(said.collect::<Map<_, _>>()).to_string()
    }
}

/// A count, or an amount of bytes such as `10KiB`.
fn amount(json: &JsonText, is_bytes: bool) -> Option<u32> {
    if let Ok(count) = json.to::<u32>() {
        return Some(count);
    }
    let text: String = is_bytes.then(|| json.to().ok())??;
    let units = [("KiB", 1024), ("MiB", 1024 * 1024), ("B", 1)];
    let (count, unit) = units
        .iter()
        .find_map(|(word, unit)| Some((text.strip_suffix(word)?.trim(), *unit)))?;
    count.parse::<u32>().ok()?.checked_mul(unit)
}
