//! Entities of several statuses: displays, lights, what opens and closes, heating and cooling.
//!
//! They stand beside the entities of the single statuses, and are recognised by what a module can do, not by its driver.

use crate::model::{FunctionName, Interface, JsonText};

use super::domain::Domain;
use super::draft::{Draft, options_json, show_cover, show_light};
use super::face::{Climate, Cover, Face, Light, Player, Shows, hvac_mode};
use super::part::{Choice, Part, Property, json_number};
use super::schema::Kind;
use super::setter::Order;

/// What is known of a module.
pub(super) struct Abilities<'a> {
    /// Its name.
    pub(super) module: &'a str,
    /// Its functions.
    pub(super) interface: &'a Interface,
    /// Its statuses.
    pub(super) properties: &'a [Property],
}

impl Abilities<'_> {
    /// All faces of several statuses that it has.
    pub(super) fn drafts(&self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        drafts.extend(self.player());
        drafts.extend(self.areas());
        drafts.extend(self.light());
        drafts.extend(self.cover());
        drafts.extend(self.climate());
        drafts
    }

    fn find(&self, names: &[&str], is: impl Fn(&Property) -> bool) -> Option<&Property> {
        let named = |name: &&str| {
            let mut properties = self.properties.iter();
            properties.find(|property| property.status.as_str() == *name && is(property))
        };
        names.iter().find_map(named)
    }

    fn settable(&self, names: &[&str], is: impl Fn(&Property) -> bool) -> Option<Part> {
        let found = self.find(names, |property| property.is_settable() && is(property));
        found.map(|property| property.part(None))
    }

    /// Whether the module's name has one of these words in it.
    fn is_called(&self, words: &[&str]) -> bool {
        let name = self.module.to_ascii_lowercase();
        words.iter().any(|word| name.contains(word))
    }

    fn player(&self) -> Option<Draft> {
        let power = self.settable(&["power"], Property::is_flag);
        let volume = self.settable(&["volume"], Property::is_number);
        let mute = self.settable(&["audio_mute", "mute", "muted"], Property::is_flag);
        let source = self.settable(&["input", "source"], Property::is_text);
        let is_player = match power {
            Some(_) => volume.is_some() || mute.is_some() || source.is_some(),
            None => volume.is_some() && mute.is_some(),
        };
        if !is_player {
            return None;
        }
        let is_list = |property: &Property| property.kind == Some(Kind::List);
        let sources = self.find(&["inputs", "sources"], is_list);
        let sources = sources.filter(|_| source.is_some());
        let player = Player {
            power,
            volume,
            mute,
            source,
            sources: sources.map(|property| property.status.clone()),
        };
        let mut draft = whole(Domain::MediaPlayer, Face::Player(Box::new(player.clone())));
        if let Some(volume) = &player.volume {
            draft.attribute("volume_level", Some(volume), Shows::Share(volume.range));
        }
        draft.attribute("is_volume_muted", player.mute.as_ref(), Shows::Flag);
        draft.attribute("source", player.source.as_ref(), Shows::Whole);
        let options = player
            .source
            .as_ref()
            .map(|source| source.options.as_slice());
        match (sources, options) {
            (Some(sources), _) => {
                draft.attribute("source_list", Some(&sources.part(None)), Shows::Whole);
            }
            (None, Some(options)) if !options.is_empty() => {
                draft.fixed("source_list", options_json(options));
            }
            (None, _) => {}
        }
        draft.device_class = Some(match player.source.is_some() || player.power.is_some() {
            true => "tv".to_owned(),
            false => "speaker".to_owned(),
        });
        draft.features(&[
            (player.volume.is_some(), 4),
            (player.mute.is_some(), 8),
            (player.power.is_some(), 128),
            (player.power.is_some(), 256),
            (player.volume.is_some(), 1024),
            (player.source.is_some(), 2048),
        ]);
        Some(draft)
    }

    /// The lights of each area that has a level.
    fn areas(&self) -> Vec<Draft> {
        let level = |property: &Property| {
            let area = property.status.as_str().strip_suffix("_level")?;
            let is_light = area.starts_with("area") && property.is_number();
            (is_light && property.is_settable()).then(|| (area.to_owned(), property.part(None)))
        };
        let lights = self.properties.iter().filter_map(level);
        lights
            .map(|(area, level)| {
                let of = level.status.as_str().to_owned();
                let light = Light {
                    power: None,
                    level: Some(level.clone()),
                };
                let face = Face::Light(Box::new(light));
                let mut draft = Draft::new(Domain::Light, &of, Some(&area), face);
                show_light(&mut draft, None, Some(&level));
                draft
            })
            .collect()
    }

    fn light(&self) -> Option<Draft> {
        let is_light = self.is_called(&["light", "lamp", "dimmer"]);
        let names: &[&str] = match is_light {
            true => &["brightness", "level", "dimmer"],
            false => &["brightness"],
        };
        let level = self.settable(names, Property::is_number)?;
        let power = self.settable(&["power", "on"], Property::is_flag);
        let face = Face::Light(Box::new(Light {
            power: power.clone(),
            level: Some(level.clone()),
        }));
        let mut draft = whole(Domain::Light, face);
        show_light(&mut draft, power.as_ref(), Some(&level));
        Some(draft)
    }

    fn cover(&self) -> Option<Draft> {
        let implements = |name: &str| {
            let mut interfaces = self.interface.implements.iter();
            interfaces.any(|interface| interface == name)
        };
        if implements("Camera") || implements("Zoomable") {
            return None;
        }
        let is_cover = self.is_called(&["blind", "shade", "curtain", "shutter", "cover", "screen"]);
        let position = self.settable(&["position"], Property::is_number);
        let is_open = self.find(&["open", "is_open"], Property::is_flag);
        let cover = Cover {
            position: position.filter(|_| is_cover),
            is_open: is_open.map(|property| property.part(None)),
            open: self.movement("open", "Open"),
            close: self.movement("close", "Close"),
            stop: self.order("stop", "[]"),
        };
        let moves = cover.open.is_some() && cover.close.is_some();
        let is_cover = moves || cover.position.is_some();
        is_cover.then(|| {
            let mut draft = whole(Domain::Cover, Face::Cover(Box::new(cover.clone())));
            show_cover(&mut draft, &cover);
            draft
        })
    }

    /// A function of its own for a movement, or `move` with it.
    fn movement(&self, function: &str, movement: &str) -> Option<Order> {
        self.order(function, "[]").or_else(|| {
            let (_, r#move) = self.interface.functions.get_key_value("move")?;
            let kind = Kind::of_schema(&r#move.parameters.first()?.schema)?;
            let is_known = kind.options().iter().any(|option| option == movement);
            let arguments = JsonText::of(&[movement]).expect("a text is JSON");
            is_known.then(|| self.order("move", arguments.as_str()))?
        })
    }

    /// A function that takes these arguments, as far as their number shows.
    fn order(&self, name: &str, arguments: &str) -> Option<Order> {
        let (name, function): (&FunctionName, _) = self.interface.functions.get_key_value(name)?;
        let needed = function.parameters.iter();
        let needed = needed
            .filter(|parameter| parameter.default.is_none())
            .count();
        let given = usize::from(arguments != "[]");
        let arguments = JsonText::parse(arguments).expect("arguments are JSON");
        (needed <= given).then(|| Order {
            function: name.clone(),
            arguments,
        })
    }

    fn climate(&self) -> Option<Draft> {
        let targets = [
            "setpoint",
            "temperature_setpoint",
            "target_temperature",
            "temperature_target",
        ];
        let target = self.settable(&targets, Property::is_number)?;
        let current = ["temperature", "current_temperature", "room_temperature"];
        let current = self.find(&current, Property::is_number);
        let mode = self.settable(&["hvac_mode", "mode"], Property::is_text);
        let mode = mode.filter(|mode| !mode.options.is_empty()).filter(|mode| {
            let mut options = mode.options.iter();
            options.all(|choice| hvac_mode(&choice.text).is_some())
        });
        let power = self.settable(&["power"], Property::is_flag);
        let climate = Climate {
            current: current.map(|property| property.status.clone()),
            target,
            mode,
            power,
        };
        let mut draft = whole(Domain::Climate, Face::Climate(Box::new(climate.clone())));
        let current = current.map(|property| property.part(None));
        draft.attribute("current_temperature", current.as_ref(), Shows::Number);
        draft.attribute("temperature", Some(&climate.target), Shows::Number);
        let modes = JsonText::of(&climate.modes()).expect("texts are JSON");
        draft.fixed("hvac_modes", modes.as_str());
        let (min, max) = climate.degrees();
        draft.fixed("min_temp", json_number(min));
        draft.fixed("max_temp", json_number(max));
        draft.fixed("target_temp_step", json_number(climate.target.range.step));
        let is_switched = climate.power.is_some() || climate.off().is_some();
        draft.features(&[(true, 1), (is_switched, 128), (is_switched, 256)]);
        Some(draft)
    }
}

/// The face of a whole module.
fn whole(domain: Domain, face: Face) -> Draft {
    Draft::new(domain, "", None, face)
}

impl Climate {
    /// The choice that switches it off, if its modes have one.
    pub(super) fn off(&self) -> Option<&Choice> {
        self.choice("off")
    }

    /// The choice that is a mode of Home Assistant's.
    pub(super) fn choice(&self, mode: &str) -> Option<&Choice> {
        let mut options = self.mode.as_ref()?.options.iter();
        options.find(|choice| hvac_mode(&choice.text) == Some(mode))
    }

    /// The choice that switches it on: the one that decides most by itself.
    pub(super) fn on(&self) -> Option<&Choice> {
        let usual = ["auto", "heat_cool", "heat", "cool", "fan_only", "dry"];
        usual.iter().find_map(|mode| self.choice(mode))
    }

    /// The modes of Home Assistant's that it has.
    pub(super) fn modes(&self) -> Vec<&'static str> {
        let options = self.mode.as_ref().map(|mode| mode.options.as_slice());
        let options = options.unwrap_or_default().iter();
        let mut modes: Vec<&str> = options
            .filter_map(|choice| hvac_mode(&choice.text))
            .collect();
        if self.mode.is_none() {
            modes.push("auto");
        }
        if self.power.is_some() && !modes.contains(&"off") {
            modes.insert(0, "off");
        }
        modes
    }

    /// The temperatures that can be wanted: Home Assistant's own bounds where the device has none.
    pub(super) fn degrees(&self) -> (f64, f64) {
        let range = self.target.range;
        match range.is_usual() {
            true => (7.0, 35.0),
            false => (range.min, range.max),
        }
    }
}
