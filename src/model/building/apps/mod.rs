//! Apps: programs with channels of their own, as clients and servers of Pusher know them.
//!
//! Separate from the other collections for the forms of its own:
//!
//! - `keys` has the keys with their secrets;
//! - `webhooks` has who is told what happens;
//! - `limits` has how much the channels take.

mod keys;
mod limits;
mod webhooks;

use driver_types::{JsonText, Step};
use serde_json::{Map, Value as Json};

use super::fields::{collection, contents, misfit};
use super::flaws::{self, Flaw};
use super::{Content, JsonKind, Kind, Value, Wrong, one_of};
use crate::model::{AppId, UserId};

pub use keys::{AppKey, AppKeys};
pub use limits::AppLimits;
pub use webhooks::{AppWebhook, AppWebhooks, WebhookEvent};

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

/// Reads the items of a list one by one.
///
/// # Errors
///
/// All that is wrong with them, each with the place of its item.
fn read_items<T>(
    json: &JsonText,
    read: impl Fn(&JsonText, &[T]) -> Result<T, Vec<Flaw>>,
) -> Result<Vec<T>, Vec<Flaw>> {
    let items = json.as_str().starts_with('[').then(|| json.to().ok());
    let Some(items): Option<Vec<JsonText>> = items.flatten() else {
        return Err(vec![Flaw::expected(&[], "a list")]);
    };
    let (mut made, mut flaws) = (Vec::new(), Vec::new());
    for (place, item) in items.iter().enumerate() {
        match read(item, &made) {
            Ok(item) => made.push(item),
            Err(wrong) => {
                let within = |flaw: Flaw| flaw.within(Step::Item(place));
                flaws.extend(wrong.into_iter().map(within));
            }
        }
    }
    whole(made, flaws)
}

/// A list of maps, if it is one.
fn maps(json: &JsonText) -> Option<Vec<Map<String, Json>>> {
    json.to().ok()
}

fn whole<T>(read: T, flaws: Vec<Flaw>) -> Result<T, Vec<Flaw>> {
    match flaws.is_empty() {
        true => Ok(read),
        false => Err(flaws),
    }
}

contents! {
    AppKeys: Kind::Json(JsonKind::List), Json, Value::Json("[]".into()), |it| it.json().into(), |json| flaws::read(&json, Self::read);
    AppWebhooks: Kind::Json(JsonKind::List), Json, Value::Json("[]".into()), |it| it.json().into(), |json| flaws::read(&json, Self::read);
    AppLimits: Kind::Json(JsonKind::Object), Json, Value::Json("{}".into()), |it| it.json().into(), |json| flaws::read(&json, Self::read);
}

#[cfg(test)]
mod tests;
