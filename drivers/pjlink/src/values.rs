//! What projectors report, as types: power, inputs, mutes, lamps, errors.
//!
//! Facts are from the PJLink specifications 1.04 and 2.00, section 4. A value that these do not have is `None`.

use std::borrow::Cow;
use std::fmt;

use driver_sdk::interfaces::MuteLayer;
use driver_sdk::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use driver_sdk::serde::de::Error as _;
use driver_sdk::serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::INPUTS_MAX;

/// What a projector says of its power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    Off,
    On,
    Cooling,
    Warming,
}

impl Power {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        match value {
            "0" => Some(Self::Off),
            "1" => Some(Self::On),
            "2" => Some(Self::Cooling),
            "3" => Some(Self::Warming),
            _ => None,
        }
    }

    /// Whether somebody has switched it on and not off again.
    pub(crate) fn is_on(self) -> bool {
        match self {
            Self::On | Self::Warming => true,
            Self::Off | Self::Cooling => false,
        }
    }
}

/// An input: its kind and which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    kind: Kind,
    /// `1` to `9`, and with class 2 `A` to `Z`.
    which: char,
}

/// What kind of input it is. What is connected to it need not be of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Rgb,
    Video,
    Digital,
    Storage,
    Network,
    /// With class 2.
    Internal,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Rgb,
        Self::Video,
        Self::Digital,
        Self::Storage,
        Self::Network,
        Self::Internal,
    ];

    fn digit(self) -> char {
        match self {
            Self::Rgb => '1',
            Self::Video => '2',
            Self::Digital => '3',
            Self::Storage => '4',
            Self::Network => '5',
            Self::Internal => '6',
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rgb => "rgb",
            Self::Video => "video",
            Self::Digital => "digital",
            Self::Storage => "storage",
            Self::Network => "network",
            Self::Internal => "internal",
        }
    }
}

impl Input {
    /// Reads two characters of a projector, such as `31`.
    pub(crate) fn parse(code: &str) -> Option<Self> {
        let mut characters = code.chars();
        let (digit, which) = (characters.next()?, characters.next()?);
        let kind = Kind::ALL.into_iter().find(|kind| kind.digit() == digit)?;
        let is_whole = characters.next().is_none();
        Self::new(kind, which).filter(|_| is_whole)
    }

    /// Reads a list of inputs, such as `11 12 31`. What is no input in it is passed over.
    pub(crate) fn parse_list(list: &str) -> Vec<Self> {
        let inputs = list.split_ascii_whitespace().filter_map(Self::parse);
        inputs.take(INPUTS_MAX).collect()
    }

    /// The two characters that projectors take.
    pub(crate) fn code(self) -> String {
        format!("{}{}", self.kind.digit(), self.which)
    }

    /// Reads a name, such as `digital_1`.
    fn named(name: &str) -> Option<Self> {
        let (kind, which) = name.rsplit_once('_')?;
        let kind = Kind::ALL.into_iter().find(|it| it.name() == kind)?;
        let mut which = which.chars();
        match (which.next()?, which.next()) {
            (which, None) if !which.is_ascii_uppercase() => Self::new(kind, which),
            _ => None,
        }
    }

    fn new(kind: Kind, which: char) -> Option<Self> {
        let which = which.to_ascii_uppercase();
        matches!(which, '1'..='9' | 'A'..='Z').then_some(Self { kind, which })
    }
}

/// `digital_1`.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, which) = (self.kind.name(), self.which.to_ascii_lowercase());
        write!(f, "{kind}_{which}")
    }
}

impl Serialize for Input {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unfit = || D::Error::custom("expected an input such as `digital_1`");
        Self::named(&name).ok_or_else(unfit)
    }
}

impl JsonSchema for Input {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Input".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds = Kind::ALL.map(Kind::name).join("|");
        json_schema!({"type": "string", "pattern": format!("^({kinds})_[1-9a-z]$")})
    }
}

/// Whether sound and picture are muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mutes {
    pub(crate) audio: bool,
    pub(crate) video: bool,
}

impl Mutes {
    /// Reads the answer to `AVMT ?`: which layer, and whether it is muted.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (audio, video) = match value {
            "10" | "20" | "30" => (false, false),
            "11" => (false, true),
            "21" => (true, false),
            "31" => (true, true),
            _ => return None,
        };
        Some(Self { audio, video })
    }

    /// The parameter of `AVMT` that mutes a layer or brings it back.
    pub(crate) fn parameter(layer: MuteLayer, state: bool) -> String {
        let layer = match layer {
            MuteLayer::Video => 1,
            MuteLayer::Audio => 2,
            MuteLayer::AudioVideo => 3,
        };
        format!("{layer}{}", u8::from(state))
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
#[schemars(crate = "driver_sdk::schemars")]
pub enum Level {
    /// There is nothing, or the projector does not look.
    Ok,
    /// It will be bad.
    Warning,
    /// It is bad.
    Error,
}

/// What is wrong with a projector, by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
pub struct Errors {
    /// The fan.
    pub fan: Level,
    /// The lamp or other source of light.
    pub lamp: Level,
    /// The temperature.
    pub temperature: Level,
    /// An open cover.
    pub cover: Level,
    /// The filter.
    pub filter: Level,
    /// Anything else.
    pub other: Level,
}

impl Errors {
    /// Reads the answer to `ERST ?`: a digit for each part.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let levels = value.chars().map(|digit| match digit {
            '0' => Some(Level::Ok),
            '1' => Some(Level::Warning),
            '2' => Some(Level::Error),
            _ => None,
        });
        let levels: Vec<Level> = levels.collect::<Option<_>>()?;
        let [fan, lamp, temperature, cover, filter, other] = levels.try_into().ok()?;
        Some(Self {
            fan,
            lamp,
            temperature,
            cover,
            filter,
            other,
        })
    }
}

/// Reads the answer to `FREZ ?`.
pub(crate) fn parse_flag(value: &str) -> Option<bool> {
    match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// Reads the answer to `LAMP ?`: for each lamp its hours and whether it is lit.
pub(crate) fn parse_lamps(value: &str) -> Option<Vec<u32>> {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    let lamps = words.chunks(2).map(|lamp| match lamp {
        [hours, "0" | "1"] => hours.parse().ok(),
        _ => None,
    });
    lamps.collect()
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json;

    use super::*;

    #[test]
    fn an_input_has_one_name_and_one_code() {
        for (code, name) in [
            ("11", "rgb_1"),
            ("29", "video_9"),
            ("31", "digital_1"),
            ("42", "storage_2"),
            ("53", "network_3"),
            ("6A", "internal_a"),
            ("3Z", "digital_z"),
        ] {
            let input = Input::parse(code).unwrap();
            assert_eq!(input.to_string(), name);
            assert_eq!(Input::named(name).unwrap().code(), code);
        }
    }

    #[test]
    fn what_is_no_input_is_none() {
        for code in ["", "1", "10", "71", "111", "3é", "3 "] {
            assert_eq!(Input::parse(code), None, "{code}");
        }
        for name in [
            "digital",
            "digital_",
            "digital_0",
            "digital_10",
            "hdmi_1",
            "digital_A",
            "_1",
        ] {
            assert_eq!(Input::named(name), None, "{name}");
        }
        let listed: Vec<String> = Input::parse_list("11 xx 3a  99 51")
            .iter()
            .map(Input::to_string)
            .collect();
        assert_eq!(listed, ["rgb_1", "digital_a", "network_1"]);
        assert_eq!(Input::parse_list(&"11 ".repeat(1000)).len(), INPUTS_MAX);
    }

    #[test]
    fn a_mute_is_read_and_written_as_the_specification_has_it() {
        let check = |value, audio, video| {
            assert_eq!(Mutes::parse(value), Some(Mutes { audio, video }), "{value}");
        };
        check("11", false, true);
        check("21", true, false);
        check("31", true, true);
        check("30", false, false);
        assert_eq!(Mutes::parse("41"), None);
        assert_eq!(Mutes::parameter(MuteLayer::Video, true), "11");
        assert_eq!(Mutes::parameter(MuteLayer::Audio, false), "20");
        assert_eq!(Mutes::parameter(MuteLayer::AudioVideo, true), "31");
    }

    #[test]
    fn errors_have_a_level_for_each_part() {
        let errors = Errors::parse("012001").unwrap();
        assert_eq!(
            serde_json::to_value(errors).unwrap(),
            serde_json::json!({
                "fan": "ok", "lamp": "warning", "temperature": "error",
                "cover": "ok", "filter": "ok", "other": "warning",
            })
        );
        for value in ["", "00000", "0000000", "000003", "OK"] {
            assert_eq!(Errors::parse(value), None, "{value}");
        }
    }

    #[test]
    fn lamps_are_their_hours() {
        assert_eq!(parse_lamps("1234 1"), Some(vec![1234]));
        assert_eq!(parse_lamps("99999 0 5 1"), Some(vec![99999, 5]));
        assert_eq!(parse_lamps(""), Some(vec![]));
        for value in ["1234", "1234 1 5", "x 1", "1 2", "-1 0"] {
            assert_eq!(parse_lamps(value), None, "{value}");
        }
    }
}
