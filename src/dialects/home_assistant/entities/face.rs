//! The faces that a module's statuses can have, and how each is read: its state, and which statuses decide it.

use crate::model::{JsonText, StatusName};

use super::known::{Known, connected};
use super::part::{Part, Range};
use super::pressed::Button;
use super::setter::Order;
use super::state_text::StateText;

/// What an entity shows and what can be done with it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Face {
    /// Whether the module can be reached.
    Connectivity(StatusName),
    /// True or false.
    Flag(Part),
    /// A number that can be set.
    Number(Part),
    /// A text that can be chosen.
    Choice(Part),
    /// Any value.
    Plain(StatusName),
    /// A function without arguments.
    Button(Button),
    /// A display or a player.
    Player(Box<Player>),
    /// Lights.
    Light(Box<Light>),
    /// Something that opens and closes.
    Cover(Box<Cover>),
    /// A temperature and the one that is wanted.
    Climate(Box<Climate>),
}

/// The parts of a display or a player.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Player {
    pub(super) power: Option<Part>,
    pub(super) volume: Option<Part>,
    pub(super) mute: Option<Part>,
    pub(super) source: Option<Part>,
    /// Which sources there are, where a status says so.
    pub(super) sources: Option<StatusName>,
}

/// The parts of lights: at least one of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Light {
    pub(super) power: Option<Part>,
    pub(super) level: Option<Part>,
}

/// The parts of something that opens and closes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cover {
    /// How far it is open.
    pub(super) position: Option<Part>,
    /// Whether it is open.
    pub(super) is_open: Option<Part>,
    pub(super) open: Option<Order>,
    pub(super) close: Option<Order>,
    pub(super) stop: Option<Order>,
}

/// The parts of heating and cooling.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Climate {
    pub(super) current: Option<StatusName>,
    pub(super) target: Part,
    pub(super) mode: Option<Part>,
    pub(super) power: Option<Part>,
}

impl Face {
    /// The statuses that decide the state, beside `connected`.
    pub(super) fn deciding(&self) -> Vec<StatusName> {
        let of = |parts: &[&Option<Part>]| {
            let parts = parts.iter().filter_map(|part| part.as_ref());
            parts.map(|part| part.status.clone()).collect()
        };
        match self {
            Self::Connectivity(status) | Self::Plain(status) => vec![status.clone()],
            Self::Flag(part) | Self::Number(part) | Self::Choice(part) => {
                vec![part.status.clone()]
            }
            Self::Button(_) => Vec::new(),
            Self::Player(player) => of(&[&player.power]),
            Self::Light(light) => match &light.power {
                Some(power) => vec![power.status.clone()],
                None => of(&[&light.level]),
            },
            Self::Cover(cover) => match &cover.is_open {
                Some(is_open) => vec![is_open.status.clone()],
                None => of(&[&cover.position]),
            },
            Self::Climate(climate) => of(&[&climate.mode, &climate.power]),
        }
    }

    /// The state of the entity.
    pub(super) fn state<'a>(&self, known: &Known<'a>) -> StateText<'a> {
        let is_away = || {
            let connected = known.value(connected());
            connected.is_some_and(|connected| connected.as_str() == "false")
        };
        match self {
            Self::Connectivity(status) => flag(known, status),
            _ if is_away() => StateText::UNAVAILABLE,
            Self::Flag(part) => flag(known, &part.status),
            Self::Number(part) | Self::Choice(part) => plain(known, &part.status),
            Self::Plain(status) => plain(known, status),
            Self::Button(button) => match button.pressed.at() {
                Some(at) => StateText::of_moment(at),
                None => StateText::UNKNOWN,
            },
            Self::Player(player) => match &player.power {
                Some(power) => flag(known, &power.status),
                None => StateText::ON,
            },
            Self::Light(light) => match (&light.power, &light.level) {
                (Some(power), _) => flag(known, &power.status),
                (None, Some(level)) => beyond(known, level, [&StateText::OFF, &StateText::ON]),
                (None, None) => StateText::UNKNOWN,
            },
            Self::Cover(cover) => cover.state(known),
            Self::Climate(climate) => climate.state(known),
        }
    }
}

/// The states of a cover.
const CLOSED_OR_OPEN: [&StateText<'static>; 2] = [
    &StateText::quoted("\"closed\""),
    &StateText::quoted("\"open\""),
];

impl Cover {
    fn state<'a>(&self, known: &Known<'a>) -> StateText<'a> {
        let [closed, open] = CLOSED_OR_OPEN;
        match (&self.is_open, &self.position) {
            (Some(is_open), _) => match known.value(&is_open.status).map(JsonText::as_str) {
                Some("true") => open.clone(),
                Some("false") => closed.clone(),
                Some(_) | None => StateText::UNKNOWN,
            },
            (None, Some(position)) => beyond(known, position, CLOSED_OR_OPEN),
            (None, None) => StateText::UNKNOWN,
        }
    }
}

/// What Home Assistant calls the ways of heating and cooling.
pub(super) const HVAC_MODES: [&str; 7] = [
    "off",
    "heat",
    "cool",
    "heat_cool",
    "auto",
    "dry",
    "fan_only",
];

/// The mode of that word, however it is spelled.
pub(super) fn hvac_mode(word: &str) -> Option<&'static str> {
    let is_it = |mode: &&str| mode.eq_ignore_ascii_case(word);
    HVAC_MODES.into_iter().find(is_it)
}

impl Climate {
    /// `off` while it is switched off, else its mode; without one it goes by itself.
    fn state<'a>(&self, known: &Known<'a>) -> StateText<'a> {
        let power = self.power.as_ref();
        let power = power.and_then(|power| known.value(&power.status));
        if power.is_some_and(|power| power.as_str() == "false") {
            return StateText::OFF;
        }
        match &self.mode {
            Some(mode) => match known.value(&mode.status) {
                Some(value) => StateText::of_value(value).in_lower_case(),
                None => StateText::UNKNOWN,
            },
            None if self.power.is_some() && power.is_none() => StateText::UNKNOWN,
            None => StateText::quoted("\"auto\""),
        }
    }
}

fn flag<'a>(known: &Known<'a>, status: &StatusName) -> StateText<'a> {
    match known.value(status).map(JsonText::as_str) {
        Some("true") => StateText::ON,
        Some("false") => StateText::OFF,
        Some(_) | None => plain(known, status),
    }
}

fn plain<'a>(known: &Known<'a>, status: &StatusName) -> StateText<'a> {
    match known.value(status) {
        Some(value) => StateText::of_value(value),
        None => StateText::UNKNOWN,
    }
}

/// The first state while a number is its smallest, the second beyond.
fn beyond<'a>(known: &Known<'a>, part: &Part, states: [&StateText<'static>; 2]) -> StateText<'a> {
    match known.value(&part.status).and_then(number) {
        Some(number) if number > part.range.min => states[1].clone(),
        Some(_) => states[0].clone(),
        None => StateText::UNKNOWN,
    }
}

/// The number that a value is, as near as a float comes to it.
pub(super) fn number(value: &JsonText) -> Option<f64> {
    let is_number = matches!(value.as_str().as_bytes().first(), Some(b'-' | b'0'..=b'9'));
    is_number.then(|| value.as_str().parse().ok()).flatten()
}

/// What an attribute shows of a status's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shows {
    /// All of it.
    Whole,
    /// All of it where the state says less.
    WhatIsCut,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// A number as a share from 0 to 1.
    Share(Range),
    /// A number as a share from 0 to 100.
    Percent(Range),
    /// A number as a brightness from 1 to 255; nothing where it is dark.
    Brightness(Range),
    /// How the lights are coloured while they are on, by their level or by whether they are on.
    ColorMode(&'static str, Range),
}

impl Shows {
    /// The attribute as JSON; `None` where there is none.
    pub(super) fn of(self, value: &JsonText) -> Option<std::borrow::Cow<'_, str>> {
        use std::borrow::Cow::{Borrowed, Owned};
        match self {
            Self::Whole => Some(Borrowed(value.as_str())),
            Self::WhatIsCut => StateText::is_less_than(value).then(|| Borrowed(value.as_str())),
            Self::Number => number(value).map(|_| Borrowed(value.as_str())),
            Self::Flag => {
                let is_flag = matches!(value.as_str(), "true" | "false");
                is_flag.then(|| Borrowed(value.as_str()))
            }
            Self::Share(range) => Some(Owned(UNIT.at(range.share(number(value)?)))),
            Self::Percent(range) => Some(Owned(WHOLE.at_whole(range.share(number(value)?)))),
            Self::Brightness(range) => {
                let number = number(value).filter(|number| *number > range.min)?;
                Some(Owned(BRIGHTNESS.at_whole(range.share(number))))
            }
            Self::ColorMode(mode, range) => {
                let is_on = match number(value) {
                    Some(number) => number > range.min,
                    None => value.as_str() == "true",
                };
                is_on.then_some(Borrowed(mode))
            }
        }
    }
}

const UNIT: Range = Range {
    min: 0.0,
    max: 1.0,
    step: 0.01,
};

/// As Home Assistant counts positions.
pub(super) const WHOLE: Range = Range {
    min: 0.0,
    max: 100.0,
    step: 1.0,
};

/// As Home Assistant counts brightness.
pub(super) const BRIGHTNESS: Range = Range {
    min: 0.0,
    max: 255.0,
    step: 1.0,
};
