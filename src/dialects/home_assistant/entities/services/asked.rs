//! What a standard service asks of each entity, read from its name and its fields.

use super::super::domain::Domain;
use super::data::{Data, Given, flag, number, text, within};
use super::error::ServiceError;

/// What is asked of an entity.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    /// On; with a brightness as a share of the brightest.
    On(Option<f64>),
    Off,
    Toggle,
    Press,
    Set(Given),
    Select(String),
    SelectFirst,
    SelectLast,
    /// A share of the loudest.
    Volume(f64),
    VolumeUp,
    VolumeDown,
    Mute(bool),
    Source(String),
    Open,
    Close,
    Stop,
    /// A share of fully open.
    Position(f64),
    Temperature {
        target: Option<Given>,
        mode: Option<String>,
    },
    Mode(String),
}

/// Fields of `light.turn_on` and `turn_off` that these lights take and have no use for.
const LIGHT_FIELDS: [&str; 16] = [
    "transition",
    "profile",
    "flash",
    "effect",
    "white",
    "color_name",
    "color_temp",
    "color_temp_kelvin",
    "kelvin",
    "hs_color",
    "rgb_color",
    "rgbw_color",
    "rgbww_color",
    "xy_color",
    "brightness_step",
    "brightness_step_pct",
];

impl Asked {
    /// Reads what a service of a domain asks, taking its fields; `None` when there is no such service.
    pub(super) fn read(
        domain: Domain,
        service: &str,
        data: &mut Data<'_>,
    ) -> Result<Option<Self>, ServiceError> {
        Ok(Some(match (domain, service) {
            (Domain::Light, "turn_on") => Self::On(brightness(data)?),
            (Domain::Light, "turn_off" | "toggle") => {
                brightness(data)?;
                match service {
                    "toggle" => Self::Toggle,
                    _ => Self::Off,
                }
            }
            (_, "turn_on") if is_switched(domain) => Self::On(None),
            (_, "turn_off") if is_switched(domain) => Self::Off,
            (_, "toggle") if is_switched(domain) || domain == Domain::Cover => Self::Toggle,
            (Domain::Button, "press") => Self::Press,
            (Domain::Number, "set_value") => Self::Set(number("value", data.need("value")?)?),
            (Domain::Select, "select_option") => {
                Self::Select(text("option", data.need("option")?)?)
            }
            (Domain::Select, "select_first") => Self::SelectFirst,
            (Domain::Select, "select_last") => Self::SelectLast,
            (Domain::MediaPlayer, "volume_set") => {
                let level = data.need("volume_level")?;
                Self::Volume(within("volume_level", level, 0.0, 1.0)?)
            }
            (Domain::MediaPlayer, "volume_up") => Self::VolumeUp,
            (Domain::MediaPlayer, "volume_down") => Self::VolumeDown,
            (Domain::MediaPlayer, "volume_mute") => {
                let name = "is_volume_muted";
                Self::Mute(flag(name, data.need(name)?)?)
            }
            (Domain::MediaPlayer, "select_source") => {
                Self::Source(text("source", data.need("source")?)?)
            }
            (Domain::Cover, "open_cover") => Self::Open,
            (Domain::Cover, "close_cover") => Self::Close,
            (Domain::Cover, "stop_cover") => Self::Stop,
            (Domain::Cover, "set_cover_position") => {
                let position = data.need("position")?;
                Self::Position(within("position", position, 0.0, 100.0)? / 100.0)
            }
            (Domain::Climate, "set_temperature") => temperature(data)?,
            (Domain::Climate, "set_hvac_mode") => {
                Self::Mode(text("hvac_mode", data.need("hvac_mode")?)?)
            }
            (
                Domain::BinarySensor
                | Domain::Button
                | Domain::Climate
                | Domain::Cover
                | Domain::Light
                | Domain::MediaPlayer
                | Domain::Number
                | Domain::Select
                | Domain::Sensor
                | Domain::Switch,
                _,
            ) => return Ok(None),
        }))
    }
}

/// Whether entities of a domain are switched on and off.
pub(super) fn is_switched(domain: Domain) -> bool {
    match domain {
        Domain::Climate | Domain::Light | Domain::MediaPlayer | Domain::Switch => true,
        Domain::BinarySensor
        | Domain::Button
        | Domain::Cover
        | Domain::Number
        | Domain::Select
        | Domain::Sensor => false,
    }
}

/// A brightness from 0 to 255, or in per cent, as a share.
fn brightness(data: &mut Data<'_>) -> Result<Option<f64>, ServiceError> {
    for field in LIGHT_FIELDS {
        data.take_any(field);
    }
    let percent = data.take("brightness_pct");
    let percent = percent.map(|json| within("brightness_pct", json, 0.0, 100.0));
    let percent = percent.transpose()?;
    let level = data
        .take("brightness")
        .map(|json| number("brightness", json));
    let level = level.transpose()?;
    let level = level.map(|given| (given.number / 255.0).clamp(0.0, 1.0));
    Ok(level.or(percent.map(|percent| percent / 100.0)))
}

fn temperature(data: &mut Data<'_>) -> Result<Asked, ServiceError> {
    let target = data.take("temperature");
    let target = target.map(|json| number("temperature", json)).transpose()?;
    let mode = data.take("hvac_mode");
    let mode = mode.map(|json| text("hvac_mode", json)).transpose()?;
    match (&target, &mode) {
        (None, None) => Err(ServiceError::invalid_format(
            "must contain at least one of temperature, target_temp_high, target_temp_low.",
        )),
        (_, _) => Ok(Asked::Temperature { target, mode }),
    }
}
