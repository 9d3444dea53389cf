//! To whom settings are shown: PlaceOS's encryption levels, by the names of settings.
//!
//! Separate from the settings themselves, which drivers get whole: whatever no level says is shown to nobody.

use std::collections::BTreeMap;

use driver_types::JsonText;
use indexmap::IndexMap;

use super::Flaw;
use crate::model::Secret;

/// One of PlaceOS's levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettingsLevel {
    /// To everybody who may see settings at all.
    Open,
    /// To support staff.
    Support,
    /// To administrators.
    Admin,
    /// To nobody.
    Never,
}

impl SettingsLevel {
    /// Each of them, the lowest first.
    pub const ALL: [Self; 4] = [Self::Open, Self::Support, Self::Admin, Self::Never];

    /// PlaceOS's number.
    pub fn number(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Support => 1,
            Self::Admin => 2,
            Self::Never => 3,
        }
    }

    /// The level of this number.
    pub fn of(number: u64) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|level| u64::from(level.number()) == number)
    }
}

/// Settings taken apart by their levels.
#[derive(Clone, Default, PartialEq)]
pub struct LeveledSettings(IndexMap<String, (SettingsLevel, JsonText)>);

/// Which settings there are, and nothing of what they say.
impl std::fmt::Debug for LeveledSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl LeveledSettings {
    /// Takes settings apart; `None` where a name is no text, so that nothing is lost when they are joined again.
    pub fn of(settings: &Secret, levels: &JsonText) -> Option<Self> {
        let settings = JsonText::parse(settings.expose()).ok()?;
        let settings: Option<IndexMap<String, JsonText>> = settings.to().ok()?;
        let settings = settings.unwrap_or_default();
        let levels: BTreeMap<String, u64> = levels.to().unwrap_or_default();
        let settings = settings.into_iter().map(|(name, value)| {
            let level = levels
                .get(&name)
                .and_then(|number| SettingsLevel::of(*number));
            (name, (level.unwrap_or(SettingsLevel::Never), value))
        });
        Some(Self(settings.collect()))
    }

    /// The settings of a level, in their order.
    pub fn at(&self, level: SettingsLevel) -> impl Iterator<Item = (&str, &JsonText)> {
        let all = self.0.iter();
        let at_it = all.filter(move |(_, (of, _))| *of == level);
        at_it.map(|(name, (_, value))| (name.as_str(), value))
    }

    /// Puts all settings of a level at another, where they stand.
    pub fn move_to(&mut self, from: SettingsLevel, to: SettingsLevel) {
        for (level, _) in self.0.values_mut() {
            if *level == from {
                *level = to;
            }
        }
    }

    /// Puts these in the place of all settings of a level.
    ///
    /// # Errors
    ///
    /// The name of one that stands at another level.
    pub fn replace(&mut self, level: SettingsLevel, settings: &JsonText) -> Result<(), String> {
        let settings: IndexMap<String, JsonText> = settings.to().unwrap_or_default();
        for name in settings.keys() {
            if self.0.get(name).is_some_and(|(of, _)| *of != level) {
                return Err(name.clone());
            }
        }
        self.0.retain(|_, (of, _)| *of != level);
        let settings = settings.into_iter();
        self.0
            .extend(settings.map(|(name, value)| (name, (level, value))));
        Ok(())
    }

    /// The settings as they are kept, and the levels.
    pub fn joined(&self) -> (Secret, JsonText) {
        let settings = self.0.iter();
        let settings: Vec<String> = settings
            .map(|(key, (_, value))| member((key, value)))
            .collect();
        let levels = self.0.iter();
        let levels: Vec<String> = levels
            .filter(|(_, (level, _))| *level != SettingsLevel::Never)
            .map(|(key, (level, _))| {
                let key = serde_json::Value::from(key.as_str());
                format!("{key}:{}", level.number())
            })
            .collect();
        let levels = JsonText::parse(&format!("{{{}}}", levels.join(",")));
        let settings = Secret::new(format!("{{{}}}", settings.join(",")));
        (
            settings,
            levels.unwrap_or_else(|_| JsonText::empty_object()),
        )
    }
}

/// A member of an object, as JSON.
fn member((name, value): (&str, &JsonText)) -> String {
    format!("{}:{}", serde_json::Value::from(name), value.as_str())
}

/// What is no level.
pub(super) fn flaws(levels: &JsonText) -> Vec<Flaw> {
    let levels: IndexMap<String, JsonText> = levels.to().unwrap_or_default();
    let wrong = levels.iter().filter(|(_, level)| {
        let number = level.to::<u64>().ok();
        number.and_then(SettingsLevel::of).is_none()
    });
    wrong
        .map(|(name, _)| Flaw::expected(&[name], "a whole number from 0 to 3"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_taken_apart_and_joined_again() {
        let settings = Secret::new(r#"{"a":1.50,"pin":"x"}"#);
        let levels = JsonText::parse(r#"{"a":0}"#).unwrap();
        let mut parts = LeveledSettings::of(&settings, &levels).unwrap();
        assert_eq!(parts.joined(), (settings, levels));
        let names = |parts: &LeveledSettings, level| -> Vec<String> {
            parts.at(level).map(|(name, _)| name.to_owned()).collect()
        };
        assert_eq!(names(&parts, SettingsLevel::Never), ["pin"]);

        let other = JsonText::parse(r#"{"b":2,"pin":3}"#).unwrap();
        assert_eq!(
            parts.replace(SettingsLevel::Open, &other),
            Err("pin".to_owned())
        );
        let other = JsonText::parse(r#"{"b":2}"#).unwrap();
        parts.replace(SettingsLevel::Open, &other).unwrap();
        let (settings, levels) = parts.joined();
        assert_eq!(settings.expose(), r#"{"pin":"x","b":2}"#);
        assert_eq!(levels.as_str(), r#"{"b":0}"#);
    }

    #[test]
    fn a_name_that_is_no_text_is_not_taken_apart() {
        let settings = Secret::new(r#"{"half\ud801":1}"#);
        assert_eq!(
            LeveledSettings::of(&settings, &JsonText::empty_object()),
            None
        );
    }

    #[test]
    fn a_level_is_one_of_four() {
        let flaws = |json| flaws(&JsonText::parse(json).unwrap()).len();
        assert_eq!(flaws(r#"{"a":0,"b":3}"#), 0);
        assert_eq!(flaws(r#"{"a":4,"b":"0","c":1}"#), 2);
    }
}
