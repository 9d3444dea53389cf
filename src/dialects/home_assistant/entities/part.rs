//! What an entity is made of: statuses, how each is read and how it is set.

use crate::model::{Decimal, EntityOverride, JsonText, StatusName, is_json_number};

use super::schema::{Bounds, Kind};
use super::setter::{Order, Settable, Setter};

/// A status of a module with all that is known of it but its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Property {
    /// Its name.
    pub(super) status: StatusName,
    /// What its values are; `None` while that is not known.
    pub(super) kind: Option<Kind>,
    /// How it is set.
    pub(super) settable: Option<Settable>,
}

/// A status as a part of an entity.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Its name.
    pub(super) status: StatusName,
    /// How it is set.
    pub(super) setter: Option<Setter>,
    /// Which numbers it may be.
    pub(super) range: Range,
    /// Which texts it may be; any when there are none.
    pub(super) options: Vec<Choice>,
}

/// Numbers that a status may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    /// The smallest.
    pub(super) min: f64,
    /// The largest.
    pub(super) max: f64,
    /// How far apart those are that screens offer.
    pub(super) step: f64,
}

/// A text that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// The text.
    pub(super) text: String,
    /// The value that it stands for, as JSON.
    pub(super) json: String,
}

/// What Home Assistant takes for the bounds of a number that says none.
const USUAL: Range = Range {
    min: 0.0,
    max: 100.0,
    step: 1.0,
};

/// How far apart the numbers are that screens offer of what is not whole.
const FINE_STEP: f64 = 0.1;

impl Property {
    /// Whether values of this kind can be set.
    pub(super) fn is_settable(&self) -> bool {
        self.settable.is_some()
    }

    /// Whether it is true or false.
    pub(super) fn is_flag(&self) -> bool {
        self.kind == Some(Kind::Boolean)
    }

    /// Whether it is a number.
    pub(super) fn is_number(&self) -> bool {
        self.bounds().is_some()
    }

    /// Whether it is a text.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, Some(Kind::Text(_)))
    }

    fn bounds(&self) -> Option<Bounds> {
        self.kind.as_ref().and_then(Kind::bounds)
    }

    /// It as a part of an entity, as the building's file wants it.
    pub(super) fn part(&self, wanted: Option<&EntityOverride>) -> Part {
        Part {
            status: self.status.clone(),
            setter: self
                .settable
                .as_ref()
                .map(|settable| settable.setter.clone()),
            range: self.range(wanted),
            options: self.options(wanted),
        }
    }

    fn range(&self, wanted: Option<&EntityOverride>) -> Range {
        let asked = self
            .settable
            .as_ref()
            .and_then(|settable| settable.kind.as_ref());
        let asked = asked.and_then(Kind::bounds).unwrap_or_default();
        let told = self.bounds().unwrap_or_default();
        let min = wanted
            .and_then(|wanted| wanted.min.as_ref())
            .map(Decimal::get)
            .or(asked.min)
            .or(told.min);
        let max = wanted
            .and_then(|wanted| wanted.max.as_ref())
            .map(Decimal::get)
            .or(asked.max)
            .or(told.max);
        let step = wanted
            .and_then(|wanted| wanted.step.as_ref())
            .map(Decimal::get)
            .or(asked.step)
            .or(told.step);
        let usual_step = match told.is_whole || asked.is_whole {
            true => USUAL.step,
            false => FINE_STEP,
        };
        let min = min.unwrap_or(USUAL.min.min(max.unwrap_or(USUAL.min)));
        Range {
            min,
            max: max.unwrap_or(USUAL.max.max(min)),
            step: step.unwrap_or(usual_step),
        }
    }

    fn options(&self, wanted: Option<&EntityOverride>) -> Vec<Choice> {
        let wanted = wanted.map(|wanted| wanted.options.as_slice());
        let told = self.kind.as_ref().map(Kind::options);
        let asked = self
            .settable
            .as_ref()
            .and_then(|settable| settable.kind.as_ref());
        let asked = asked.map(Kind::options);
        let options = [wanted, asked, told].into_iter().flatten();
        let options = options.into_iter().find(|options| !options.is_empty());
        let choice = |text: &String| Choice {
            text: text.clone(),
            json: self.value_of(text),
        };
        options.unwrap_or_default().iter().map(choice).collect()
    }

    /// The value that a text stands for among values of its kind.
    fn value_of(&self, text: &str) -> String {
        let is_plain = match &self.kind {
            Some(Kind::Number(_)) => is_json_number(text),
            Some(Kind::Boolean) => text == "true" || text == "false",
            Some(Kind::Text(_) | Kind::List | Kind::Object) | None => false,
        };
        match is_plain {
            true => text.to_owned(),
            false => JsonText::of(text).expect("a text is JSON").to_string(),
        }
    }
}

impl Part {
    /// The call that sets it to this JSON value, if it can be set.
    pub(super) fn order(&self, value: &str) -> Option<Order> {
        Some(self.setter.as_ref()?.order(value))
    }
}

impl Range {
    /// A number of it as a share, from 0 to 1.
    pub(super) fn share(self, number: f64) -> f64 {
        let width = self.max - self.min;
        if width <= 0.0 {
            return 0.0;
        }
        ((number - self.min) / width).clamp(0.0, 1.0)
    }

    /// Whether it is what is assumed of a number whose bounds are not known.
    pub(super) fn is_usual(self) -> bool {
        self.min == USUAL.min && self.max == USUAL.max
    }

    /// The number of it that is this share, as JSON, whole where its numbers are.
    pub(super) fn value(self, share: f64) -> String {
        match self.step.fract() == 0.0 && self.min.fract() == 0.0 {
            true => self.at_whole(share),
            false => self.at(share),
        }
    }

    /// The whole number of it that is this share, as JSON.
    pub(super) fn at_whole(self, share: f64) -> String {
        let number = self.min + share.clamp(0.0, 1.0) * (self.max - self.min);
        json_number(number.round())
    }

    /// The number of it that is this share, as JSON with at most two decimals.
    pub(super) fn at(self, share: f64) -> String {
        let number = self.min + share.clamp(0.0, 1.0) * (self.max - self.min);
        json_number((number * 100.0).round() / 100.0)
    }
}

/// A number as JSON; what is no number at all counts as 0.
pub(super) fn json_number(number: f64) -> String {
    match number.is_finite() {
        // Without the sign of a zero.
        true => (number + 0.0).to_string(),
        false => "0".to_owned(),
    }
}
