//! What a driver says of the settings that it takes, and how a module's settings are held to it.
//!
//! The `settings` attribute writes the list of fields; authors read about it in the crate's documentation.
//! Each field is read on its own, so that all mistakes are told at once, by the same code that reads them for the driver:
//! what passes the check is what the driver takes.

use std::collections::BTreeMap;
use std::fmt;

use driver_types::{Configuration, JsonText, Misfit, OnChange, Place, Step, Unfit, UriRule};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::reading::Misplaced;
use crate::{Error, reading, schema};

/// The settings of a driver, as its `start` takes them; the `settings` attribute implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no settings of a driver",
    note = "put `#[driver_sdk::settings]` on the struct"
)]
pub trait Settings: DeserializeOwned + JsonSchema {
    /// What may be set.
    #[doc(hidden)]
    const FIELDS: &'static [Field];
    /// Whether keys that no field has are left to others.
    #[doc(hidden)]
    const OPEN: bool;
}

/// One field of settings.
#[doc(hidden)]
pub struct Field {
    name: &'static str,
    needed: bool,
    read: fn(&str) -> Result<(), Misplaced>,
}

impl Field {
    /// A field that must be there.
    pub const fn needed<T: DeserializeOwned>(name: &'static str) -> Self {
        Self {
            name,
            needed: true,
            read: reads_as::<T>,
        }
    }

    /// A field that may be left out.
    pub const fn optional<T: DeserializeOwned>(name: &'static str) -> Self {
        Self {
            needed: false,
            ..Self::needed::<T>(name)
        }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The settings of a driver that takes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

impl Settings for NoSettings {
    const FIELDS: &'static [Field] = &[];
    const OPEN: bool = false;
}

/// What a driver with these settings and this URI takes.
pub const fn configuration<S: Settings>(uri: UriRule, on_change: OnChange) -> Configuration {
    Configuration {
        uri,
        schema: schema::of::<S>,
        check: check::<S>,
        on_change,
    }
}

/// Reads a module's settings. The error names every mistake.
pub fn read<S: Settings>(settings: &JsonText) -> Result<S, Error> {
    reading::try_read(settings.as_str()).map_err(|_| {
        let mistakes = check::<S>(settings);
        let mistakes: Vec<String> = mistakes.iter().map(in_words).collect();
        let mistakes = mistakes.join("; ");
        Error::new(format_args!("the module's settings do not fit: {mistakes}"))
    })
}

fn check<S: Settings>(settings: &JsonText) -> Vec<Unfit> {
    let whole = |(steps, misfit)| vec![unfit(steps, misfit)];
    let mut given = match serde_json::from_str::<BTreeMap<String, &RawValue>>(settings.as_str()) {
        Ok(given) => given,
        // What others keep there may have names that are no text, half of a surrogate pair in them.
        Err(_) if S::OPEN && settings.as_str().starts_with('{') => return Vec::new(),
        Err(_) => {
            return whole(reading::misfit::<BTreeMap<String, &RawValue>>(
                settings.as_str(),
            ));
        }
    };
    let mut mistakes = Vec::new();
    for field in S::FIELDS {
        let key = || Step::Key(field.name.to_owned());
        match given.remove(field.name) {
            Some(value) => {
                if let Err((mut steps, misfit)) = (field.read)(value.get()) {
                    steps.insert(0, key());
                    mistakes.push(unfit(steps, misfit));
                }
            }
            None if field.needed => mistakes.push(unfit(Vec::new(), missing(field))),
            None => {}
        }
    }
    if !S::OPEN {
        let known: Vec<String> = S::FIELDS.iter().map(|it| it.name.to_owned()).collect();
        let unknown = given.into_keys().map(|key| {
            let misfit = Misfit::Unknown(known.clone());
            unfit(vec![Step::Key(reading::short(&key))], misfit)
        });
        mistakes.extend(unknown);
    }
    if mistakes.is_empty() {
        // What no field says alone: a key that is there twice.
        let whole = reading::try_read::<S>(settings.as_str()).err();
        mistakes.extend(whole.map(|(steps, misfit)| unfit(steps, misfit)));
    }
    mistakes
}

/// What is said of a needed field that is not there: what its type would say of nothing.
fn missing(field: &Field) -> Misfit {
    let expected = match (field.read)("null") {
        Err((_, Misfit::Expected(expected))) => Some(expected),
        Ok(()) | Err((_, Misfit::Unknown(_) | Misfit::Missing { .. } | Misfit::Other(_))) => None,
    };
    Misfit::Missing {
        key: field.name.to_owned(),
        expected,
    }
}

fn reads_as<T: DeserializeOwned>(json: &str) -> Result<(), Misplaced> {
    reading::try_read::<T>(json).map(drop)
}

fn unfit(steps: Vec<Step>, misfit: Misfit) -> Unfit {
    Unfit {
        place: Place::Settings(steps),
        misfit,
    }
}

pub(crate) fn in_words(Unfit { place, misfit }: &Unfit) -> String {
    reading::in_words(place, misfit)
}
