//! What each face does when something is asked of it: which functions of its module are called.

use super::super::entity::Entity;
use super::super::face::{Climate, Cover, Face, Light, Player};
use super::super::part::{Part, json_number};
use super::super::setter::Order;
use super::asked::Asked;
use super::data::Given;
use super::error::{ServiceError, Translation};
use super::plan::Reaction;

/// What an entity does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Does {
    /// It calls these, in order.
    Orders(Vec<Order>),
    /// It depends on the state.
    Reacts(Reaction),
    /// It cannot do that.
    Nothing,
}

impl Does {
    fn one(order: Option<Order>) -> Self {
        match order {
            Some(order) => Self::Orders(vec![order]),
            None => Self::Nothing,
        }
    }

    /// What of these can be done, if anything can.
    fn all(orders: impl IntoIterator<Item = Option<Order>>) -> Self {
        let orders: Vec<Order> = orders.into_iter().flatten().collect();
        match orders.is_empty() {
            true => Self::Nothing,
            false => Self::Orders(orders),
        }
    }
}

/// What an entity does when it is asked.
pub(super) fn does(entity: &Entity, asked: &Asked) -> Result<Does, ServiceError> {
    Ok(match (&entity.face, asked) {
        (Face::Flag(part), Asked::On(_)) => Does::one(part.order("true")),
        (Face::Flag(part), Asked::Off) => Does::one(part.order("false")),
        (Face::Flag(part), Asked::Toggle) => reacts(Some(part), Reaction::Toggle),
        (Face::Number(part), Asked::Set(given)) => {
            in_range(entity, part, given)?;
            Does::one(part.order(&given.json))
        }
        (Face::Choice(part), Asked::Select(option)) => Does::one(select(entity, part, option)?),
        (Face::Choice(part), Asked::SelectFirst) => Does::one(choose(part, part.options.first())),
        (Face::Choice(part), Asked::SelectLast) => Does::one(choose(part, part.options.last())),
        (Face::Button(button), Asked::Press) => {
            Does::Orders(vec![Order::without_arguments(&button.function)])
        }
        (Face::Player(player), asked) => of_player(player, asked),
        (Face::Light(light), asked) => of_light(light, asked),
        (Face::Cover(cover), asked) => of_cover(cover, asked),
        (Face::Climate(climate), asked) => of_climate(entity, climate, asked)?,
        (
            Face::Connectivity(_)
            | Face::Flag(_)
            | Face::Number(_)
            | Face::Choice(_)
            | Face::Plain(_)
            | Face::Button(_),
            _,
        ) => Does::Nothing,
    })
}

fn reacts(part: Option<&Part>, reaction: Reaction) -> Does {
    match part.is_some_and(|part| part.setter.is_some()) {
        true => Does::Reacts(reaction),
        false => Does::Nothing,
    }
}

fn set(part: Option<&Part>, json: &str) -> Option<Order> {
    part.and_then(|part| part.order(json))
}

fn choose(part: &Part, choice: Option<&super::super::part::Choice>) -> Option<Order> {
    part.order(&choice?.json)
}

fn in_range(entity: &Entity, part: &Part, given: &Given) -> Result<(), ServiceError> {
    let range = part.range;
    if (range.min..=range.max).contains(&given.number) {
        return Ok(());
    }
    let [value, min, max] = [given.number, range.min, range.max].map(python_float);
    Err(ServiceError::validation(
        format!(
            "Value {value} for {} is outside valid range {min} - {max}",
            entity.id
        ),
        Translation {
            key: "out_of_range",
            domain: "number",
            placeholders: vec![
                ("value", value),
                ("entity_id", entity.id.to_string()),
                ("min_value", min),
                ("max_value", max),
            ],
        },
    ))
}

fn select(entity: &Entity, part: &Part, option: &str) -> Result<Option<Order>, ServiceError> {
    let mut options = part.options.iter();
    if let Some(choice) = options.find(|choice| choice.text == option) {
        return Ok(part.order(&choice.json));
    }
    let options = part.options.iter().map(|choice| choice.text.as_str());
    let options = options.collect::<Vec<_>>().join(", ");
    Err(ServiceError::validation(
        format!(
            "Option {option} is not valid for entity {}, valid options are: {options}",
            entity.id
        ),
        Translation {
            key: "not_valid_option",
            domain: "select",
            placeholders: vec![
                ("entity_id", entity.id.to_string()),
                ("option", option.to_owned()),
                ("options", options),
            ],
        },
    ))
}

fn of_player(player: &Player, asked: &Asked) -> Does {
    let volume = player.volume.as_ref();
    match asked {
        Asked::On(_) => Does::one(set(player.power.as_ref(), "true")),
        Asked::Off => Does::one(set(player.power.as_ref(), "false")),
        Asked::Toggle => reacts(player.power.as_ref(), Reaction::Toggle),
        Asked::Volume(share) => {
            let order = |part: &Part| part.order(&part.range.value(*share));
            Does::one(volume.and_then(order))
        }
        Asked::VolumeUp => reacts(volume, Reaction::VolumeUp),
        Asked::VolumeDown => reacts(volume, Reaction::VolumeDown),
        Asked::Mute(is_muted) => {
            let json = if *is_muted { "true" } else { "false" };
            Does::one(set(player.mute.as_ref(), json))
        }
        Asked::Source(source) => Does::one(player.source.as_ref().and_then(|part| {
            let mut options = part.options.iter();
            let known = options.find(|choice| choice.text == *source);
            let json = known.map_or_else(|| quoted(source), |choice| choice.json.clone());
            part.order(&json)
        })),
        Asked::Press
        | Asked::Set(_)
        | Asked::Select(_)
        | Asked::SelectFirst
        | Asked::SelectLast
        | Asked::Open
        | Asked::Close
        | Asked::Stop
        | Asked::Position(_)
        | Asked::Temperature { .. }
        | Asked::Mode(_) => Does::Nothing,
    }
}

fn of_light(light: &Light, asked: &Asked) -> Does {
    let (power, level) = (light.power.as_ref(), light.level.as_ref());
    let at = |share: f64| level.and_then(|part| part.order(&part.range.value(share)));
    match asked {
        Asked::Off => Does::one(set(power, "false").or_else(|| at(0.0))),
        Asked::On(Some(share)) if *share <= 0.0 => of_light(light, &Asked::Off),
        Asked::On(None) => Does::one(set(power, "true").or_else(|| at(1.0))),
        Asked::On(Some(share)) => Does::all([set(power, "true"), at(*share)]),
        Asked::Toggle => reacts(power.or(level), Reaction::Toggle),
        Asked::Press
        | Asked::Set(_)
        | Asked::Select(_)
        | Asked::SelectFirst
        | Asked::SelectLast
        | Asked::Volume(_)
        | Asked::VolumeUp
        | Asked::VolumeDown
        | Asked::Mute(_)
        | Asked::Source(_)
        | Asked::Open
        | Asked::Close
        | Asked::Stop
        | Asked::Position(_)
        | Asked::Temperature { .. }
        | Asked::Mode(_) => Does::Nothing,
    }
}

fn of_cover(cover: &Cover, asked: &Asked) -> Does {
    let position = cover.position.as_ref();
    let at = |share: f64| position.and_then(|part| part.order(&part.range.value(share)));
    let is_open = cover.is_open.as_ref();
    match asked {
        Asked::Open => {
            let own = cover.open.clone().or_else(|| at(1.0));
            Does::one(own.or_else(|| set(is_open, "true")))
        }
        Asked::Close => {
            let own = cover.close.clone().or_else(|| at(0.0));
            Does::one(own.or_else(|| set(is_open, "false")))
        }
        Asked::Stop => Does::one(cover.stop.clone()),
        Asked::Position(share) => Does::one(at(*share)),
        Asked::Toggle => Does::Reacts(Reaction::Toggle),
        Asked::On(_)
        | Asked::Off
        | Asked::Press
        | Asked::Set(_)
        | Asked::Select(_)
        | Asked::SelectFirst
        | Asked::SelectLast
        | Asked::Volume(_)
        | Asked::VolumeUp
        | Asked::VolumeDown
        | Asked::Mute(_)
        | Asked::Source(_)
        | Asked::Temperature { .. }
        | Asked::Mode(_) => Does::Nothing,
    }
}

fn of_climate(entity: &Entity, climate: &Climate, asked: &Asked) -> Result<Does, ServiceError> {
    let power = climate.power.as_ref();
    let mode = |choice: Option<&super::super::part::Choice>| {
        climate.mode.as_ref().and_then(|part| choose(part, choice))
    };
    Ok(match asked {
        Asked::On(_) => Does::one(set(power, "true").or_else(|| mode(climate.on()))),
        Asked::Off => Does::one(set(power, "false").or_else(|| mode(climate.off()))),
        Asked::Toggle => Does::Reacts(Reaction::Toggle),
        Asked::Mode(wanted) => to_mode(entity, climate, wanted)?,
        Asked::Temperature {
            target,
            mode: wanted,
        } => {
            let mut orders = match wanted {
                Some(wanted) => match to_mode(entity, climate, wanted)? {
                    Does::Orders(orders) => orders,
                    Does::Reacts(_) | Does::Nothing => Vec::new(),
                },
                None => Vec::new(),
            };
            if let Some(given) = target {
                in_degrees(climate, given)?;
                orders.extend(climate.target.order(&given.json));
            }
            Does::all(orders.into_iter().map(Some))
        }
        Asked::Press
        | Asked::Set(_)
        | Asked::Select(_)
        | Asked::SelectFirst
        | Asked::SelectLast
        | Asked::Volume(_)
        | Asked::VolumeUp
        | Asked::VolumeDown
        | Asked::Mute(_)
        | Asked::Source(_)
        | Asked::Open
        | Asked::Close
        | Asked::Stop
        | Asked::Position(_) => Does::Nothing,
    })
}

fn to_mode(entity: &Entity, climate: &Climate, wanted: &str) -> Result<Does, ServiceError> {
    let power = climate.power.as_ref();
    let choice = climate.choice(wanted);
    if wanted == "off" && (power.is_some() || choice.is_some()) {
        return does(entity, &Asked::Off);
    }
    if climate.mode.is_none() && wanted == "auto" {
        return does(entity, &Asked::On(None));
    }
    let mode = climate.mode.as_ref();
    match mode.and_then(|part| choose(part, choice)) {
        Some(order) => Ok(Does::all([set(power, "true"), Some(order)])),
        None => Err(ServiceError::validation(
            format!(
                "HVAC mode {wanted} is not valid. Valid HVAC modes are: {}",
                climate.modes().join(", ")
            ),
            Translation {
                key: "not_valid_hvac_mode",
                domain: "climate",
                placeholders: vec![
                    ("mode", wanted.to_owned()),
                    ("modes", climate.modes().join(", ")),
                ],
            },
        )),
    }
}

fn in_degrees(climate: &Climate, given: &Given) -> Result<(), ServiceError> {
    let (min, max) = climate.degrees();
    if (min..=max).contains(&given.number) {
        return Ok(());
    }
    let [value, min, max] = [given.number, min, max].map(python_float);
    Err(ServiceError::validation(
        format!("Provided temperature {value} is not valid. Accepted range is {min} to {max}"),
        Translation {
            key: "temp_out_of_range",
            domain: "climate",
            placeholders: vec![("check_temp", value), ("min_temp", min), ("max_temp", max)],
        },
    ))
}

/// A number as Home Assistant's texts have it: with a point.
fn python_float(number: f64) -> String {
    let text = json_number(number);
    match text.contains('.') {
        true => text,
        false => format!("{text}.0"),
    }
}

fn quoted(text: &str) -> String {
    let json = crate::model::JsonText::of(text).expect("a text is JSON");
    json.to_string()
}
