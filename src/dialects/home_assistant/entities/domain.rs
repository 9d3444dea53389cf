//! What kinds of entities there are: Home Assistant's domains, as far as modules have faces of them.

use crate::model::EntityDomain;

/// The first part of an entity's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Domain {
    /// True or false, to be seen.
    BinarySensor,
    /// A function without arguments, to be called.
    Button,
    /// A temperature and the one that is wanted.
    Climate,
    /// Something that opens and closes.
    Cover,
    /// Lights with a level.
    Light,
    /// A display or a player: power, volume, mute, source.
    MediaPlayer,
    /// A number, to be set.
    Number,
    /// One of several texts, to be chosen.
    Select,
    /// Any value, to be seen.
    Sensor,
    /// True or false, to be switched.
    Switch,
}

impl Domain {
    /// Every domain, in the order of their words.
    pub const ALL: [Self; 10] = [
        Self::BinarySensor,
        Self::Button,
        Self::Climate,
        Self::Cover,
        Self::Light,
        Self::MediaPlayer,
        Self::Number,
        Self::Select,
        Self::Sensor,
        Self::Switch,
    ];

    /// The word in ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BinarySensor => "binary_sensor",
            Self::Button => "button",
            Self::Climate => "climate",
            Self::Cover => "cover",
            Self::Light => "light",
            Self::MediaPlayer => "media_player",
            Self::Number => "number",
            Self::Select => "select",
            Self::Sensor => "sensor",
            Self::Switch => "switch",
        }
    }

    /// The domain of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|domain| domain.as_str() == word)
    }

    /// The domain that the building's file wants for a status.
    pub(super) fn of_status(wanted: EntityDomain) -> Self {
        match wanted {
            EntityDomain::BinarySensor => Self::BinarySensor,
            EntityDomain::Cover => Self::Cover,
            EntityDomain::Light => Self::Light,
            EntityDomain::Number => Self::Number,
            EntityDomain::Select => Self::Select,
            EntityDomain::Sensor => Self::Sensor,
            EntityDomain::Switch => Self::Switch,
        }
    }
}
