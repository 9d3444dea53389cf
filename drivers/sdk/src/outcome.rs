//! What a method may return.

use driver_types::JsonText;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Outcome, reading};

impl Outcome {
    /// The response code of a success that chose none.
    pub const DEFAULT_CODE: u16 = 200;

    /// A result with the default response code.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        Ok(Self {
            value: JsonText::of(value)?,
            code: Self::DEFAULT_CODE,
        })
    }

    /// The result as a type of the caller's.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, Error> {
        reading::read(self.value.as_str())
    }

    /// The same result with an HTTP-like response code of the driver's choice.
    #[must_use]
    pub fn with_code(self, code: u16) -> Self {
        Self { code, ..self }
    }
}

/// What a method that clients call may return: `()`, any `T: Serialize`, an [`Outcome`], or a `Result` of these with [`Error`].
///
/// `Kind` is always inferred. It keeps the implementations apart: to the compiler a `Result` might become `Serialize` one day.
#[diagnostic::on_unimplemented(
    message = "a method that clients call cannot return `{Self}`",
    note = "it returns nothing, a value that implements `Serialize`, an `Outcome`, or a `Result` of these with `driver_sdk::Error`"
)]
pub trait IntoOutcome<Kind> {
    /// What the caller gets.
    fn into_outcome(self) -> Result<Outcome, Error>;
}

/// The kind of a value that is written as JSON.
#[derive(Debug)]
pub enum Value {}

impl<T: Serialize> IntoOutcome<Value> for T {
    fn into_outcome(self) -> Result<Outcome, Error> {
        Outcome::of(&self)
    }
}

impl IntoOutcome<Outcome> for Outcome {
    fn into_outcome(self) -> Result<Outcome, Error> {
        Ok(self)
    }
}

impl<Kind, T: IntoOutcome<Kind>> IntoOutcome<Result<Kind, Error>> for Result<T, Error> {
    fn into_outcome(self) -> Result<Outcome, Error> {
        self.and_then(T::into_outcome)
    }
}
