//! Apps: programs with channels of their own, as clients and servers of Pusher know them.
//!
//! Separate from the other collections for the forms of its own: keys, webhooks and limits.

use std::fmt;

use driver_types::JsonText;
use serde_json::{Map, Value as Json, json};

use super::fields::{checked, collection, misfit};
use super::flaws::{self, Flaw};
use super::{Content, JsonKind, Kind, Value, Wrong, one_of};
use crate::model::rules::Thing;
use crate::model::{AppId, Secret, UserId};

collection! {
    /// An app with channels of its own.
    ChannelApp, "apps", "an app" {
        /// Digits, as the libraries of Pusher want them.
        id: AppId => must("digits in quotes, such as `id: \"4201\"`"),
        /// The name for people.
        name: String,
        /// Its keys, each with a secret. The first signs webhooks; two are good while one is replaced.
        keys: AppKeys => filled_in().shaped(AppKeys::flaws),
        /// The user whose rights its clients have in rooms. Without one they reach no room.
        user: Option<UserId>,
        /// Whether clients may publish to channels that they are in.
        client_events: bool,
        /// Whether clients are told how many are in a channel.
        subscription_counts: bool,
        /// Whether a status comes as its bare value.
        raw: bool,
        /// Which channels the sign-in endpoints sign: those of rooms, or all.
        sign: AppSigning,
        /// Where is told what happens in its channels.
        webhooks: AppWebhooks => filled_in().shaped(AppWebhooks::flaws),
        /// How much its channels take.
        limits: AppLimits => shaped(AppLimits::flaws),
    }
}

impl ChannelApp {
    /// What its fields do not say together, each as a field and what goes on behind its name.
    pub fn mistakes(&self) -> Vec<Wrong> {
        let mut mistakes = Vec::new();
        let mut wrong = |field, reason: &str| {
            let reason = reason.to_owned();
            mistakes.push(Wrong { field, reason });
        };
        let id = self.id.as_str();
        if !id.bytes().all(|byte| byte.is_ascii_digit()) {
            wrong("id", "must be digits alone, such as \"4201\"");
        }
        if !self.webhooks.list().is_empty() && self.keys.list().is_empty() {
            wrong(
                "webhooks",
                "are signed with the app's first key, and it has none; add one to `keys`",
            );
        }
        mistakes
    }

    /// Its key of this name.
    pub fn key(&self, key: &str) -> Option<&AppKey> {
        self.keys.list().iter().find(|own| own.key == key)
    }
}

/// Which channels the sign-in endpoints sign for an app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AppSigning {
    /// Those of rooms, with the rights of who asks.
    #[default]
    Rooms,
    /// All, for whoever has signed in.
    All,
}

/// Their words.
const SIGNINGS: &[&str] = &["rooms", "all"];

impl Content for AppSigning {
    const KIND: Kind = Kind::Word(SIGNINGS);

    fn default_value() -> Value<'static> {
        Value::Text("rooms".into())
    }

    fn value(&self) -> Value<'_> {
        Value::Text(match self {
            Self::Rooms => "rooms".into(),
            Self::All => "all".into(),
        })
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        match value.text() {
            Some("rooms") => Ok(Self::Rooms),
            Some("all") => Ok(Self::All),
            Some(_) | None => Err(format!("must be {}", one_of(SIGNINGS))),
        }
    }
}

/// A key of an app, and the secret that signs with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppKey {
    /// What clients show. No secret.
    pub key: String,
    /// What servers sign with.
    pub secret: Secret,
}

/// The keys of an app. A key is unique among all apps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppKeys(Vec<AppKey>);

/// What a key has.
const KEY_KEYS: &[&str] = &["key", "secret"];

impl AppKeys {
    /// Reads `[{"key": "a1b2", "secret": "…"}]`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it. No flaw holds a secret.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut keys: Vec<AppKey> = Vec::new();
        for (at, item) in items(json, &mut flaws).iter().enumerate() {
            let at = at.to_string();
            let (mut key, mut secret) = (None, None);
            for (name, value) in flaws::members(item, &[&at], &mut flaws) {
                let steps = [at.as_str(), name.as_str()];
                match name.as_str() {
                    "key" => key = flaws::text(&value, &steps, &mut flaws),
                    "secret" => secret = flaws::text(&value, &steps, &mut flaws),
                    _ => flaws.push(Flaw::unknown(&steps, KEY_KEYS)),
                }
            }
            match (key, secret) {
                (Some(key), _) if !is_key(&key) => {
                    let expected = "letters, digits, `-` and `_`";
                    flaws.push(Flaw::expected(&[&at, "key"], expected));
                }
                (Some(_), Some(secret)) if secret.is_empty() => {
                    let expected = "text that is not empty";
                    flaws.push(Flaw::expected(&[&at, "secret"], expected));
                }
                (Some(key), Some(_)) if keys.iter().any(|other| other.key == key) => {
                    let reason = "is there twice; remove one of them";
                    flaws.push(Flaw::other(&[&at, "key"], reason));
                }
                (Some(key), Some(secret)) => {
                    let secret = Secret::new(secret);
                    keys.push(AppKey { key, secret });
                }
                (None, _) => {
                    let expected = "what clients show, such as `key: a1b2c3`";
                    flaws.push(Flaw::missing(&[&at], "key", expected));
                }
                (Some(_), None) => {
                    let expected = "what servers sign with, such as `secret: \"${ENV:SECRET}\"`";
                    flaws.push(Flaw::missing(&[&at], "secret", expected));
                }
            }
        }
        whole(Self(keys), flaws)
    }

    fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// All of them, in their order.
    pub fn list(&self) -> &[AppKey] {
        &self.0
    }

    /// The same as JSON, with the secrets.
    pub fn json(&self) -> String {
        let keys = self.0.iter();
        let keys =
            keys.map(|AppKey { key, secret }| json!({"key": key, "secret": secret.expose()}));
        Json::Array(keys.collect()).to_string()
    }
}

fn is_key(key: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !key.is_empty() && key.bytes().all(is_sign)
}

/// What can be told to a webhook, by Pusher's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebhookEvent {
    /// A channel has its first subscriber.
    ChannelOccupied,
    /// A channel has no subscriber any more.
    ChannelVacated,
    /// A user's first connection has come into a presence channel.
    MemberAdded,
    /// A user's last connection has left a presence channel.
    MemberRemoved,
    /// A client has published.
    ClientEvent,
    /// A cache channel had nothing for a new subscriber.
    CacheMiss,
    /// The number of subscribers has changed.
    SubscriptionCount,
}

/// Their words, in the order of the variants.
const WEBHOOK_EVENTS: &[&str] = &[
    "channel_occupied",
    "channel_vacated",
    "member_added",
    "member_removed",
    "client_event",
    "cache_miss",
    "subscription_count",
];

impl WebhookEvent {
    const ALL: [Self; 7] = [
        Self::ChannelOccupied,
        Self::ChannelVacated,
        Self::MemberAdded,
        Self::MemberRemoved,
        Self::ClientEvent,
        Self::CacheMiss,
        Self::SubscriptionCount,
    ];

    /// Pusher's name of it.
    pub fn as_str(self) -> &'static str {
        WEBHOOK_EVENTS[self as usize]
    }

    /// The event of this name.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == word)
    }
}

/// A receiver of what happens in an app's channels.
#[derive(Clone, PartialEq, Eq)]
pub struct AppWebhook {
    /// Where it is posted to.
    pub url: Secret,
    /// What is told; never empty.
    pub events: Vec<WebhookEvent>,
    /// How the names of channels begin of which it is told.
    pub prefix: String,
    /// How they end.
    pub suffix: String,
}

/// The address may hold a credential.
impl fmt::Debug for AppWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppWebhook")
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// The webhooks of an app, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppWebhooks(Vec<AppWebhook>);

/// What a webhook has.
const WEBHOOK_KEYS: &[&str] = &["url", "events", "prefix", "suffix"];

impl AppWebhooks {
    /// Reads `[{"url": "http://host/hooks", "events": ["channel_occupied"]}]`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it. No flaw holds an address.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut webhooks = Vec::new();
        for (at, item) in items(json, &mut flaws).iter().enumerate() {
            let at = at.to_string();
            let mut url = None;
            let mut events = WebhookEvent::ALL.to_vec();
            let (mut prefix, mut suffix) = (String::new(), String::new());
            for (name, value) in flaws::members(item, &[&at], &mut flaws) {
                let steps = [at.as_str(), name.as_str()];
                let mut text = || flaws::text(&value, &steps, &mut flaws);
                match name.as_str() {
                    "url" => url = text(),
                    "prefix" => prefix = text().unwrap_or_default(),
                    "suffix" => suffix = text().unwrap_or_default(),
                    "events" => events = told(&value, &steps, &mut flaws),
                    _ => flaws.push(Flaw::unknown(&steps, WEBHOOK_KEYS)),
                }
            }
            match url {
                Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                    webhooks.push(AppWebhook {
                        url: Secret::new(url),
                        events,
                        prefix,
                        suffix,
                    });
                }
                Some(_) => {
                    let expected = "an address that begins with http:// or https://";
                    flaws.push(Flaw::expected(&[&at, "url"], expected));
                }
                None => {
                    let expected = "where to post, such as `url: \"http://127.0.0.1:9000/hooks\"`";
                    flaws.push(Flaw::missing(&[&at], "url", expected));
                }
            }
        }
        whole(Self(webhooks), flaws)
    }

    fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// All of them.
    pub fn list(&self) -> &[AppWebhook] {
        &self.0
    }

    /// The same as JSON, with the whole addresses.
    pub fn json(&self) -> String {
        let webhooks = self.0.iter().map(|webhook| {
            let mut said = Map::new();
            said.insert("url".to_owned(), webhook.url.expose().into());
            if webhook.events != WebhookEvent::ALL {
                let events = webhook.events.iter().map(|event| event.as_str().into());
                said.insert("events".to_owned(), Json::Array(events.collect()));
            }
            for (name, text) in [("prefix", &webhook.prefix), ("suffix", &webhook.suffix)] {
                if !text.is_empty() {
                    said.insert(name.to_owned(), text.as_str().into());
                }
            }
            Json::Object(said)
        });
        Json::Array(webhooks.collect()).to_string()
    }
}

/// The events that a webhook is told.
fn told(json: &JsonText, steps: &[&str], flaws: &mut Vec<Flaw>) -> Vec<WebhookEvent> {
    let words: Option<Vec<String>> = json.to().ok();
    let Some(words) = words.filter(|words| !words.is_empty()) else {
        flaws.push(Flaw::expected(steps, "a list of events that is not empty"));
        return Vec::new();
    };
    let mut events = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match WebhookEvent::of(word) {
            Some(event) if events.contains(&event) => {}
            Some(event) => events.push(event),
            None => {
                let at = at.to_string();
                let steps = [steps, &[at.as_str()]].concat();
                flaws.push(Flaw::expected(&steps, &one_of(WEBHOOK_EVENTS)));
            }
        }
    }
    events
}

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

    fn flaws(json: &JsonText) -> Vec<Flaw> {
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

/// The items of a list; notes a flaw where it is none.
fn items(json: &JsonText, flaws: &mut Vec<Flaw>) -> Vec<JsonText> {
    let read = json.as_str().starts_with('[').then(|| json.to().ok());
    read.flatten().unwrap_or_else(|| {
        flaws.push(Flaw::expected(&[], "a list"));
        Vec::new()
    })
}

fn whole<T>(read: T, flaws: Vec<Flaw>) -> Result<T, Vec<Flaw>> {
    match flaws.is_empty() {
        true => Ok(read),
        false => Err(flaws),
    }
}

/// Types that are kept as JSON with a form of their own: the kind of JSON, and what holds where a field is left out.
macro_rules! in_json {
    ($($type:ty: $kind:expr, $default:literal;)+) => {
        $(impl Content for $type {
            const KIND: Kind = Kind::Json($kind);

            fn default_value() -> Value<'static> {
                Value::Json($default.into())
            }

            fn value(&self) -> Value<'_> {
                Value::Json(self.json().into())
            }

            fn make(value: Value<'_>) -> Result<Self, String> {
                let Value::Json(json) = value else {
                    return misfit();
                };
                let json = checked(JsonText::parse(&json))?;
                Self::read(&json).map_err(|flaws| flaws::first(&flaws))
            }
        })+
    };
}

in_json! {
    AppKeys: JsonKind::List, "[]";
    AppWebhooks: JsonKind::List, "[]";
    AppLimits: JsonKind::Object, "{}";
}

impl Content for AppId {
    const KIND: Kind = Kind::Id(Thing::App);

    fn value(&self) -> Value<'_> {
        Value::Text(self.as_str().into())
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        let Value::Text(text) = value else {
            return misfit();
        };
        checked(Self::new(&text))
    }
}
