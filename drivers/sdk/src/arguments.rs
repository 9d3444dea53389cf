//! The arguments of one call: which parameter gets which part of the client's JSON.
//!
//! The text is cut into one raw text per argument, and each is then read as its parameter's type: nothing is read into a tree of values first.
//! The rules are PlaceOS's: an array is positional, an object is by name, and `null` for an optional parameter means its default.

use std::collections::BTreeMap;

use driver_types::{FunctionName, JsonText};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{Calling, Error, reading};

/// The response code of a call whose arguments do not fit.
const BAD_ARGUMENTS: u16 = 400;

/// The response code of a call of a function that is not there.
const NO_FUNCTION: u16 = 404;

/// The arguments of one call, not read yet.
#[derive(Debug)]
pub struct Arguments {
    function: FunctionName,
    text: JsonText,
}

/// The arguments of one call, one by one in the order of the parameters.
#[derive(Debug)]
pub struct Given<'a> {
    function: &'a FunctionName,
    /// A parameter's name and its argument, if there is one.
    rest: std::vec::IntoIter<(&'static str, Option<&'a RawValue>)>,
}

impl Arguments {
    /// Keeps what a call needs to read its arguments later.
    pub fn new(function: &FunctionName, text: &JsonText) -> Self {
        Self {
            function: function.clone(),
            text: text.clone(),
        }
    }

    /// Reads the arguments of a function with parameters of these names.
    ///
    /// It uses itself up: the client's text may be large and a call may run for long.
    pub fn read<const N: usize, T>(
        self,
        names: [&'static str; N],
        take: impl FnOnce(&mut Given<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let slots = match self.text.as_str().as_bytes().first() {
            Some(b'[') => self.positional(names)?,
            Some(b'{') => self.named(names)?,
            _ if self.text.is_null() => names.map(|name| (name, None)).to_vec(),
            _ => {
                return Err(refused(format_args!(
                    "the arguments of '{}' must be an array or an object",
                    self.function
                )));
            }
        };
        take(&mut Given {
            function: &self.function,
            rest: slots.into_iter(),
        })
    }

    /// The answer to a call of a function that the driver does not have.
    pub fn refuse_function(self) -> Calling {
        let error = Error::new(format_args!("could not find function '{}'", self.function));
        Box::pin(std::future::ready(Err(error.with_code(NO_FUNCTION))))
    }

    fn positional<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> Result<Vec<(&'static str, Option<&RawValue>)>, Error> {
        let given: Vec<&RawValue> = reading::cut(self.text.as_str())?;
        if given.len() > N {
            return Err(refused(format_args!(
                "wrong number of arguments for '{}' (given {}, expected {N})",
                self.function,
                given.len(),
            )));
        }
        let mut given = given.into_iter();
        Ok(names.map(|name| (name, given.next())).to_vec())
    }

    fn named<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> Result<Vec<(&'static str, Option<&RawValue>)>, Error> {
        let mut given: BTreeMap<String, &RawValue> = reading::cut(self.text.as_str())?;
        let slots = names.map(|name| (name, given.remove(name))).to_vec();
        match given.first_key_value() {
            None => Ok(slots),
            Some((unknown, _)) => Err(refused(format_args!(
                "'{}' has no argument '{}'",
                self.function,
                reading::short(unknown),
            ))),
        }
    }
}

impl<'a> Given<'a> {
    /// The next argument, which must be there.
    pub fn required<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        let (name, argument) = self.next();
        match argument {
            Some(argument) => self.typed(name, argument),
            None => Err(refused(format_args!(
                "missing argument '{name}' of '{}'",
                self.function
            ))),
        }
    }

    /// The next argument; its default if it is absent or `null`.
    pub fn or<T: DeserializeOwned>(&mut self, default: impl FnOnce() -> T) -> Result<T, Error> {
        match self.next() {
            (name, Some(argument)) if argument.get() != "null" => self.typed(name, argument),
            _ => Ok(default()),
        }
    }

    fn next(&mut self) -> (&'static str, Option<&'a RawValue>) {
        self.rest
            .next()
            .expect("each parameter is named once and taken once")
    }

    fn typed<T: DeserializeOwned>(&self, name: &str, argument: &RawValue) -> Result<T, Error> {
        reading::read(argument.get()).map_err(|error| {
            error
                .prefixed(&format!("argument '{name}' of '{}'", self.function))
                .with_code(BAD_ARGUMENTS)
        })
    }
}

fn refused(message: std::fmt::Arguments<'_>) -> Error {
    Error::new(message).with_code(BAD_ARGUMENTS)
}
