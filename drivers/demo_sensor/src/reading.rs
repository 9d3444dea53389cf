//! What a sensor can show, and under which name.

use std::fmt;

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::{Serialize, Serializer};
use driver_sdk::settings;

/// Something that a sensor measures. Its name is also that of its status.
#[settings]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// In degrees Celsius.
    Temperature,
    /// Relative, in per cent.
    Humidity,
    /// In parts per million.
    Co2,
    /// Volatile organic compounds, in parts per billion.
    Voc,
    /// Fine dust, in micrograms per cubic metre.
    Pm2_5,
    /// How many people are in the room.
    PeopleCount,
    /// Whether anybody is.
    Presence,
}

/// A measured value as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", untagged)]
#[schemars(crate = "driver_sdk::schemars")]
pub(crate) enum Reading {
    Whole(i32),
    Fraction(f64),
    Flag(bool),
}

/// Several readings of one moment; a JSON object by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Readings(pub(crate) Vec<(Quantity, Reading)>);

impl Quantity {
    /// Everything that there is, in the order in which it is told.
    pub(crate) const ALL: [Self; 7] = [
        Self::Temperature,
        Self::Humidity,
        Self::Co2,
        Self::Voc,
        Self::Pm2_5,
        Self::PeopleCount,
        Self::Presence,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::Humidity => "humidity",
            Self::Co2 => "co2",
            Self::Voc => "voc",
            Self::Pm2_5 => "pm2_5",
            Self::PeopleCount => "people_count",
            Self::Presence => "presence",
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Fraction(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

/// `temperature 21.6, co2 640`.
impl fmt::Display for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (quantity, reading)) in self.0.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            write!(f, "{separator}{} {reading}", quantity.name())?;
        }
        Ok(())
    }
}

impl Serialize for Readings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.0.iter();
        serializer.collect_map(named.map(|(quantity, reading)| (quantity.name(), reading)))
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::JsonText;

    use super::*;

    #[test]
    fn settings_name_what_statuses_are_called() {
        for quantity in Quantity::ALL {
            let name = JsonText::of(quantity.name()).unwrap();
            assert_eq!(name.to::<Quantity>().unwrap(), quantity);
        }
    }
}
