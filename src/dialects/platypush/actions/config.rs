//! What clients ask of the configuration. Nothing of it is secret, and nothing of it is a file: the building is described, as far as the client sees it.

use indexmap::IndexMap;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::dialects::platypush::ORIGIN;
use crate::dialects::platypush::actions::Plan;
use crate::dialects::platypush::actions::built_in::{self, Given};
use crate::dialects::platypush::actions::reading::json;
use crate::dialects::platypush::actions::sight::Sight;
use crate::dialects::platypush::errors::ActionError;

/// The one backend, without which the pages of Platypush open no websocket.
pub(super) const HTTP: &str = "http";

#[derive(Serialize)]
struct Nothing {}

type Outcome = Result<Plan, ActionError>;

fn output(value: &(impl Serialize + ?Sized)) -> Outcome {
    json(value).map(Plan::Output)
}

/// What the gateway is.
pub(super) fn all(_: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    #[derive(Serialize)]
    struct All<'a> {
        device_id: &'a str,
        #[serde(rename = "backend.http")]
        http: Nothing,
        #[serde(flatten)]
        plugins: IndexMap<&'a str, Nothing>,
    }
    output(&All {
        device_id: ORIGIN,
        http: Nothing {},
        plugins: named(sight),
    })
}

fn named<'s>(sight: &Sight<'s>) -> IndexMap<&'s str, Nothing> {
    let modules = sight.plugins().map(|plugin| &*plugin.name);
    let names = built_in::plugins().chain(modules);
    names.map(|name| (name, Nothing {})).collect()
}

/// The plugins by name.
pub(super) fn plugins(_: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    output(&named(sight))
}

/// The backends by name.
pub(super) fn backends(_: &Given<'_>, _: &Sight<'_>) -> Outcome {
    output(&IndexMap::from([(HTTP, Nothing {})]))
}

/// Where files would be.
pub(super) fn folder(_: &Given<'_>, _: &Sight<'_>) -> Outcome {
    output("/riser")
}

/// Where the file would be.
pub(super) fn file(_: &Given<'_>, _: &Sight<'_>) -> Outcome {
    output("/riser/building.yaml")
}

/// The name of the gateway.
pub(super) fn device_id(_: &Given<'_>, _: &Sight<'_>) -> Outcome {
    output(ORIGIN)
}

#[derive(Serialize)]
struct UserShape<'u> {
    user_id: u32,
    username: &'u str,
    created_at: Option<&'u str>,
}

/// Who the client is.
pub(super) fn user(_: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    output(&shape(sight)?)
}

/// The client, as the one user whom it sees.
pub(super) fn users(_: &Given<'_>, sight: &Sight<'_>) -> Outcome {
    output(&[shape(sight)?])
}

fn shape<'s>(sight: &Sight<'s>) -> Result<UserShape<'s>, ActionError> {
    let username = sight.user.ok_or(ActionError::NotHere)?;
    Ok(UserShape {
        user_id: user_number(username),
        username,
        created_at: None,
    })
}

/// A number for a user, as Platypush has them: made of the id, so that it is the same everywhere.
pub(in crate::dialects::platypush) fn user_number(id: &str) -> u32 {
    let digest = Sha256::digest(id.as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    (number >> 1).max(1)
}

/// A text as HTML: escaped, in paragraphs.
pub(super) fn html(given: &Given<'_>, _: &Sight<'_>) -> Outcome {
    let text = given.needed("text")?;
    let paragraphs = text
        .split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty());
    let paragraphs = paragraphs.map(|paragraph| format!("<p>{}</p>", escaped(paragraph.trim())));
    output(&paragraphs.collect::<String>())
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
