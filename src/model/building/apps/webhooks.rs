//! Who is told what happens in the channels of an app.

use std::fmt;

use driver_types::{JsonText, Step};
use serde_json::{Map, Value as Json};

use super::{maps, read_items};
use crate::model::building::flaws::{self, Flaw};
use crate::model::building::one_of;
use crate::model::{MASK, Secret, masked_address};

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
pub(super) const WEBHOOK_EVENTS: &[&str] = &[
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
const KEYS: &[&str] = &["url", "events", "prefix", "suffix"];

impl AppWebhooks {
    /// Reads `[{"url": "http://host/hooks", "events": ["channel_occupied"]}]`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it. No flaw holds an address.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        read_items(json, |item, _| read_webhook(item)).map(Self)
    }

    pub(super) fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// All of them.
    pub fn list(&self) -> &[AppWebhook] {
        &self.0
    }

    /// The same as JSON, with the whole addresses.
    pub fn json(&self) -> String {
        self.written(str::to_owned)
    }

    /// The same as JSON, with addresses in which no credential is.
    pub fn shown(&self) -> String {
        self.written(masked_address)
    }

    /// What is given in the place of these webhooks, where each with an address as it is shown keeps the whole one.
    pub fn completed(&self, given: &JsonText) -> Option<String> {
        let mut webhooks = maps(given)?;
        for (place, given) in webhooks.iter_mut().enumerate() {
            let shown = given.get("url").and_then(Json::as_str);
            let is_it = |own: &&AppWebhook| {
                let own = masked_address(own.url.expose());
                Some(own.as_str()) == shown
            };
            // Two may be shown alike.
            let own = self.0.get(place).filter(is_it);
            if let Some(own) = own.or_else(|| self.0.iter().find(is_it)) {
                given.insert("url".to_owned(), own.url.expose().into());
            }
        }
        Some(Json::from(webhooks).to_string())
    }

    fn written(&self, address: impl Fn(&str) -> String) -> String {
        let webhooks = self.0.iter().map(|webhook| {
            let mut said = Map::new();
            said.insert("url".to_owned(), address(webhook.url.expose()).into());
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

fn read_webhook(item: &JsonText) -> Result<AppWebhook, Vec<Flaw>> {
    let mut flaws = Vec::new();
    let mut url = None;
    let mut events = WebhookEvent::ALL.to_vec();
    let (mut prefix, mut suffix) = (String::new(), String::new());
    for (name, value) in flaws::members(item, &[], &mut flaws) {
        let steps = [name.as_str()];
        let mut text = || flaws::text(&value, &steps, &mut flaws);
        match name.as_str() {
            "url" => url = Some(text()),
            "prefix" => prefix = text().unwrap_or_default(),
            "suffix" => suffix = text().unwrap_or_default(),
            "events" => events = told(&value, &steps, &mut flaws),
            _ => flaws.push(Flaw::unknown(&steps, KEYS)),
        }
    }
    match &url {
        Some(Some(url)) if !is_address(url) => {
            let expected = "an address that begins with http:// or https://";
            flaws.push(Flaw::expected(&["url"], expected));
        }
        Some(Some(url)) if is_masked(url) => {
            let reason = "stands for an address that is not shown; write the whole address";
            flaws.push(Flaw::other(&["url"], reason));
        }
        Some(_) => {}
        None if flaws.is_empty() => {
            let expected = "where to post, such as `url: \"http://127.0.0.1:9000/hooks\"`";
            flaws.push(Flaw::missing(&[], "url", expected));
        }
        None => {}
    }
    match url.flatten() {
        Some(url) if flaws.is_empty() => Ok(AppWebhook {
            url: Secret::new(url),
            events,
            prefix,
            suffix,
        }),
        Some(_) | None => Err(flaws),
    }
}

/// Whether a webhook can be posted there, as far as the text says.
fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("http://");
    let rest = rest.or_else(|| url.strip_prefix("https://"));
    let is_sign = |c: char| !c.is_whitespace() && !c.is_control();
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_sign))
}

/// Whether an address is one as it is shown, with something left out.
fn is_masked(url: &str) -> bool {
    url.contains(&format!("://{MASK}@")) || url.ends_with(&format!("?{MASK}"))
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
                let mut flaw = Flaw::expected(steps, &one_of(WEBHOOK_EVENTS));
                flaw.steps.push(Step::Item(at));
                flaws.push(flaw);
            }
        }
    }
    events
}
