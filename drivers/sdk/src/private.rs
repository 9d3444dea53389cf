//! What the code that the `driver` attribute writes calls; not for authors, and free to change.

use std::sync::Arc;

use driver_types::{
    Clearance, Function, FunctionName, Interface, JsonText, Parameter, Published, UriRule,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::arguments::Arguments;
pub use crate::schedule::{Period, Schedule, Turn};
use crate::schema;
pub use crate::settings::{Field, NoSettings, configuration, read as settings};
use crate::{BoxFuture, Context, Error, Instance, Outcome, Settings, Starting, Status};

/// An interface without functions.
pub fn interface(implements: &[&str]) -> Interface {
    Interface {
        implements: implements.iter().map(|&name| name.to_owned()).collect(),
        ..Interface::default()
    }
}

/// Adds a function to an interface.
pub fn describe(
    interface: &mut Interface,
    name: &str,
    description: &str,
    clearance: Clearance,
    parameters: impl Into<Vec<Parameter>>,
) {
    let name = FunctionName::new(name).expect("the attribute has checked the name");
    let function = Function {
        description: description.to_owned(),
        clearance,
        parameters: parameters.into(),
    };
    // The driver's own word goes before that of an interface.
    interface.functions.entry(name).or_insert(function);
}

/// Adds a status to an interface.
pub fn describe_status<T: JsonSchema + ?Sized>(
    interface: &mut Interface,
    status: &Status<T>,
    description: &str,
) {
    let published = Published {
        description: description.to_owned(),
        schema: schema::of::<T>(),
    };
    let statuses = &mut interface.statuses;
    statuses.entry(status.status_name()).or_insert(published);
}

/// Describes a parameter that must be there.
pub fn required<T: JsonSchema>(name: &str) -> Parameter {
    parameter::<T>(name, None)
}

/// Describes a parameter that may be left out; clients send a `T` if they send anything.
pub fn optional<T: JsonSchema>(name: &str) -> Parameter {
    parameter::<T>(name, Some(JsonText::null()))
}

/// Describes a parameter with a default. One that cannot be written as JSON is shown as `null` and holds all the same.
pub fn defaulted<T: JsonSchema, D: Serialize>(name: &str, default: &D) -> Parameter {
    let default = JsonText::of(default).unwrap_or_else(|_| JsonText::null());
    parameter::<T>(name, Some(default))
}

/// The answer to a call of another module, as the method of an interface gives it.
pub fn answered<T: FromOutcome>(outcome: Result<Outcome, Error>) -> Result<T, Error> {
    outcome.and_then(T::from_outcome)
}

/// What a method of a callable interface may give: a value that is read, or all of the outcome.
#[diagnostic::on_unimplemented(
    message = "a method of a callable interface cannot give `{Self}`",
    note = "it gives a value that implements `Deserialize`, or an `Outcome`"
)]
pub trait FromOutcome: Sized {
    /// The result of a call.
    fn from_outcome(outcome: Outcome) -> Result<Self, Error>;
}

impl FromOutcome for Outcome {
    fn from_outcome(outcome: Outcome) -> Result<Self, Error> {
        Ok(outcome)
    }
}

impl<T: DeserializeOwned> FromOutcome for T {
    fn from_outcome(outcome: Outcome) -> Result<Self, Error> {
        outcome.to()
    }
}

fn parameter<T: JsonSchema>(name: &str, default: Option<JsonText>) -> Parameter {
    Parameter {
        name: name.to_owned(),
        schema: schema::of::<T>(),
        default,
    }
}

/// Settings that are about to be taken.
pub type Changing = BoxFuture<'static, Result<(), Error>>;

/// Starts an instance that takes no settings, as the seam wants it.
pub fn start<D, S>(
    context: Context,
    uri: UriRule,
    start: impl FnOnce(Context) -> S + Send + 'static,
    schedule: Scheduling<D>,
) -> Starting
where
    D: Instance,
    S: Future<Output = Result<D, Error>> + Send + 'static,
{
    start_with(
        context,
        uri,
        |context, NoSettings {}| start(context),
        schedule,
    )
}

/// Starts what an instance does by the clock.
pub type Scheduling<D> = fn(&D, &Schedule<D>) -> Result<(), Error>;

/// Starts an instance as the seam wants it.
pub fn start_with<T, D, S>(
    context: Context,
    uri: UriRule,
    start: impl FnOnce(Context, T) -> S + Send + 'static,
    schedule: Scheduling<D>,
) -> Starting
where
    T: Settings,
    D: Instance,
    S: Future<Output = Result<D, Error>> + Send + 'static,
{
    Box::pin(async move {
        let settings = settings(context.settings())?;
        let context = context.with_default_uri(uri);
        let instance = Arc::new(start(context.clone(), settings).await?);
        schedule(&instance, &Schedule::new(context, &instance))?;
        Ok(instance as Arc<dyn Instance>)
    })
}
