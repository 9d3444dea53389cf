//! Conditions: what has to be so, or has to happen, for a trigger to fire.
//!
//! Separate from the triggers for the form of their own.
//! A condition either *lasts*, as what a status is, or *happens* at one moment; of the latter a trigger has at most one.
//! Whether one holds is found where values and events arrive.

mod read;
mod write;

use std::sync::Arc;

use driver_types::JsonText;

use super::super::fields::{contents, misfit};
use super::super::flaws::{self, Flaw};
use super::super::{Content, JsonKind, Kind, Value};
use super::{Cron, LocalPath, RequiredHeaders, TimeSpan};
use crate::model::{Secret, StatusPath, Timestamp};

/// The conditions of a trigger, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions(Arc<[Condition]>);

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// A status compares so with a value. It lasts.
    Status {
        /// Which status.
        path: LocalPath<StatusPath>,
        /// How it compares.
        is: Operator,
        /// With what.
        than: JsonText,
        /// How long it has to have been so.
        lasts: TimeSpan,
    },
    /// An event is announced.
    Event {
        /// Its name.
        name: String,
        /// What it has to say at least: an object.
        data: JsonText,
        /// Who has to have announced it.
        from: EventSource,
    },
    /// It is time, again and again.
    Cron {
        /// When.
        cron: Cron,
        /// Where; that of the trigger's system when absent.
        timezone: Option<String>,
    },
    /// It is time, once.
    At(Timestamp),
    /// A webhook is called.
    Webhook(WebhookKey),
}

/// How a status can compare with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// It is the same.
    Equal,
    /// It is another.
    NotEqual,
    /// It is a larger number.
    Greater,
    /// It is a larger number, or the same.
    GreaterOrEqual,
    /// It is a smaller number.
    Less,
    /// It is a smaller number, or the same.
    LessOrEqual,
}

/// Whose events a trigger hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSource {
    /// Those of the building itself and of callers with support or above.
    Trusted,
    /// All.
    Anyone,
}

/// What a request shows to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookKey {
    /// A secret, in the query or in a header.
    Secret(Secret),
    /// Headers with certain values.
    Headers(RequiredHeaders),
}

impl Operator {
    const ALL: [Self; 6] = [
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    /// The operator that is written so.
    pub fn of(sign: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operator| operator.as_str() == sign)
    }
}

impl Condition {
    /// Whether it happens at one moment, and does not last.
    pub fn happens(&self) -> bool {
        match self {
            Self::Status { .. } => false,
            Self::Event { .. } | Self::Cron { .. } | Self::At(_) | Self::Webhook(_) => true,
        }
    }
}

impl Conditions {
    pub(super) fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn of(conditions: Vec<Condition>) -> Self {
        Self(conditions.into())
    }

    /// All of them.
    pub fn list(&self) -> &[Condition] {
        &self.0
    }

    /// The one that happens, and its place; `None` where all last.
    pub fn happening(&self) -> Option<(usize, &Condition)> {
        let mut conditions = self.0.iter().enumerate();
        conditions.find(|(_, condition)| condition.happens())
    }
}

contents! {
    Conditions: Kind::Json(JsonKind::List), Json, Value::Nothing, |it| it.json().as_str().to_owned().into(), |json| flaws::read(&json, Self::read);
}
