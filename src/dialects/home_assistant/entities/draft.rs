//! Entities as they are designed, before they have ids: those of a single status, and the buttons.

use std::sync::Arc;

use crate::model::{Clearance, EntityOverride, Function, FunctionName, JsonText};

use super::domain::Domain;
use super::entity::{Attribute, Category, Key};
use super::face::{Cover, Face, Light, Shows};
use super::part::{Choice, Part, Property, Range, json_number};
use super::pressed::{Button, Pressed};
use super::schema::Kind;

/// An entity without its id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) key: Key,
    /// What its id ends with, before it is made a slug; `None` for the face of the whole module.
    pub(super) suffix: Option<String>,
    /// What people call it, where they say so themselves.
    pub(super) name: Option<String>,
    pub(super) device_class: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) category: Option<Category>,
    pub(super) face: Face,
    pub(super) attributes: Vec<Attribute>,
    /// Attributes that do not change, each with its JSON.
    pub(super) fixed: Vec<(&'static str, String)>,
}

impl Draft {
    pub(super) fn new(domain: Domain, of: &str, suffix: Option<&str>, face: Face) -> Self {
        Self {
            key: Key {
                domain,
                of: Arc::from(of),
            },
            suffix: suffix.map(str::to_owned),
            name: None,
            device_class: None,
            unit: None,
            category: None,
            face,
            attributes: Vec::new(),
            fixed: Vec::new(),
        }
    }

    pub(super) fn attribute(&mut self, name: &'static str, part: Option<&Part>, shows: Shows) {
        self.attributes.extend(part.map(|part| Attribute {
            name,
            status: part.status.clone(),
            shows,
        }));
    }

    pub(super) fn fixed(&mut self, name: &'static str, json: impl Into<String>) {
        self.fixed.push((name, json.into()));
    }

    /// Says which of a domain's features it has: each is a bit.
    pub(super) fn features(&mut self, features: &[(bool, u32)]) {
        let has = features.iter().filter(|(has, _)| *has);
        let sum: u32 = has.map(|(_, bit)| bit).sum();
        self.fixed("supported_features", sum.to_string());
    }
}

/// The face of one status alone; `None` while it is not known what its values are.
pub(super) fn single(property: &Property, wanted: Option<&EntityOverride>) -> Option<Draft> {
    let domain = domain(property, wanted)?;
    let part = property.part(wanted);
    let status = property.status.as_str();
    let draft = |face| Draft::new(domain, status, Some(status), face);
    let mut draft = match domain {
        Domain::BinarySensor if property.status.is_connected() => {
            let mut draft = draft(Face::Connectivity(property.status.clone()));
            draft.category = Some(Category::Diagnostic);
            draft
        }
        Domain::BinarySensor | Domain::Switch => draft(Face::Flag(part)),
        Domain::Number => number(draft, part),
        Domain::Select => {
            let options = options_json(&part.options);
            let mut draft = draft(Face::Choice(part));
            draft.fixed("options", options);
            draft
        }
        Domain::Light => light(draft, property, part),
        Domain::Cover => cover(draft, property, part),
        Domain::Sensor | Domain::Button | Domain::Climate | Domain::MediaPlayer => {
            sensor(draft, property, part)
        }
    };
    let (device_class, unit) = usual_class(domain, property);
    draft.name = wanted.and_then(|wanted| wanted.name.clone());
    let wanted_class = wanted.and_then(|wanted| wanted.device_class.clone());
    let wanted_unit = wanted.and_then(|wanted| wanted.unit.clone());
    let usual_unit = match wanted_class {
        // Another class has other units.
        Some(_) => None,
        None => unit.map(str::to_owned),
    };
    draft.unit = wanted_unit.or(usual_unit);
    let own_class = draft.device_class.take();
    draft.device_class = wanted_class
        .or(own_class)
        .or_else(|| device_class.map(str::to_owned));
    Some(draft)
}

/// What kind of entity a status is.
fn domain(property: &Property, wanted: Option<&EntityOverride>) -> Option<Domain> {
    if property.status.is_connected() {
        return Some(Domain::BinarySensor);
    }
    if let Some(domain) = wanted.and_then(|wanted| wanted.domain) {
        return Some(Domain::of_status(domain));
    }
    let has_options = wanted.is_some_and(|wanted| !wanted.options.is_empty());
    if has_options && property.is_settable() {
        return Some(Domain::Select);
    }
    Some(match (property.kind.as_ref()?, property.is_settable()) {
        (Kind::Boolean, true) => Domain::Switch,
        (Kind::Boolean, false) => Domain::BinarySensor,
        (Kind::Number(_), true) => Domain::Number,
        (Kind::Text(_), true) if !property.part(wanted).options.is_empty() => Domain::Select,
        (Kind::Number(_) | Kind::Text(_) | Kind::List | Kind::Object, _) => Domain::Sensor,
    })
}

fn number(draft: impl FnOnce(Face) -> Draft, part: Part) -> Draft {
    let Range { min, max, step } = part.range;
    let mut draft = draft(Face::Number(part));
    draft.fixed("min", json_number(min));
    draft.fixed("max", json_number(max));
    draft.fixed("step", json_number(step));
    draft.fixed("mode", "\"auto\"");
    draft
}

fn sensor(draft: impl FnOnce(Face) -> Draft, property: &Property, part: Part) -> Draft {
    let mut draft = draft(Face::Plain(property.status.clone()));
    draft.attribute("value", Some(&part), Shows::WhatIsCut);
    if property.is_number() {
        draft.fixed("state_class", "\"measurement\"");
    }
    if !part.options.is_empty() {
        draft.device_class = Some("enum".to_owned());
        draft.fixed("options", options_json(&part.options));
    }
    draft
}

fn light(draft: impl FnOnce(Face) -> Draft, property: &Property, part: Part) -> Draft {
    let (power, level) = match property.is_number() {
        true => (None, Some(part)),
        false => (Some(part), None),
    };
    let mut draft = draft(Face::Light(Box::new(Light {
        power: power.clone(),
        level: level.clone(),
    })));
    show_light(&mut draft, power.as_ref(), level.as_ref());
    draft
}

/// The attributes of lights.
pub(super) fn show_light(draft: &mut Draft, power: Option<&Part>, level: Option<&Part>) {
    let (mode, quoted) = match level {
        Some(_) => ("\"brightness\"", "[\"brightness\"]"),
        None => ("\"onoff\"", "[\"onoff\"]"),
    };
    if let Some(level) = level {
        draft.attribute("brightness", Some(level), Shows::Brightness(level.range));
    }
    if let Some(part) = power.or(level) {
        draft.attribute("color_mode", Some(part), Shows::ColorMode(mode, part.range));
    }
    draft.fixed("supported_color_modes", quoted);
    draft.features(&[]);
}

fn cover(draft: impl FnOnce(Face) -> Draft, property: &Property, part: Part) -> Draft {
    let (position, is_open) = match property.is_number() {
        true => (Some(part), None),
        false => (None, Some(part)),
    };
    let cover = Cover {
        position,
        is_open,
        open: None,
        close: None,
        stop: None,
    };
    let mut draft = draft(Face::Cover(Box::new(cover.clone())));
    show_cover(&mut draft, &cover);
    draft
}

/// The attributes of something that opens and closes.
pub(super) fn show_cover(draft: &mut Draft, cover: &Cover) {
    let is_settable = |part: &Option<Part>| {
        let setter = part.as_ref().and_then(|part| part.setter.as_ref());
        setter.is_some()
    };
    if let Some(position) = &cover.position {
        let shows = Shows::Percent(position.range);
        draft.attribute("current_position", Some(position), shows);
    }
    let is_set = is_settable(&cover.position) || is_settable(&cover.is_open);
    draft.features(&[
        (is_set || cover.open.is_some(), 1),
        (is_set || cover.close.is_some(), 2),
        (is_settable(&cover.position), 4),
        (cover.stop.is_some(), 8),
    ]);
}

/// The options as a JSON array of texts.
pub(super) fn options_json(options: &[Choice]) -> String {
    let texts: Vec<&str> = options.iter().map(|choice| choice.text.as_str()).collect();
    JsonText::of(&texts).expect("texts are JSON").to_string()
}

/// The button of a function; `None` for one that needs arguments or only tells something.
pub(super) fn button(name: &FunctionName, function: &Function) -> Option<Draft> {
    let text = name.as_str();
    if !function.parameters.is_empty() || text.ends_with('?') {
        return None;
    }
    let face = Face::Button(Button {
        function: name.clone(),
        pressed: Pressed::default(),
    });
    let mut draft = Draft::new(Domain::Button, text, Some(text), face);
    draft.category = match function.clearance {
        Clearance::User => None,
        Clearance::Support | Clearance::Admin => Some(Category::Config),
    };
    Some(draft)
}

/// The device class and the unit that statuses of a common name have, where PlaceOS's drivers agree on them.
fn usual_class(
    domain: Domain,
    property: &Property,
) -> (Option<&'static str>, Option<&'static str>) {
    let name = property.status.as_str();
    match (domain, name) {
        (Domain::BinarySensor, "connected") => (Some("connectivity"), None),
        (Domain::BinarySensor, "presence" | "occupied" | "in_use") => (Some("occupancy"), None),
        (Domain::BinarySensor, "motion") => (Some("motion"), None),
        (Domain::Sensor | Domain::Number, _) if property.is_number() => match name {
            "temperature" | "room_temperature" => (Some("temperature"), Some("°C")),
            "humidity" => (Some("humidity"), Some("%")),
            "co2" => (Some("carbon_dioxide"), Some("ppm")),
            "pm2_5" | "pm25" => (Some("pm25"), Some("µg/m³")),
            "pm10" => (Some("pm10"), Some("µg/m³")),
            "voc" => (Some("volatile_organic_compounds_parts"), Some("ppb")),
            "illuminance" | "lux" => (Some("illuminance"), Some("lx")),
            _ => (None, None),
        },
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
        ) => (None, None),
    }
}
