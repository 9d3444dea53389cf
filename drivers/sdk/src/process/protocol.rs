//! The messages between the gateway and a driver that is a process: JSON-RPC 2.0, one message a line.
//!
//! `api-spec/asyncapi/driver.yaml` says when each is sent. Both ends are made of these types, so that a Rust driver and the gateway cannot disagree about a name.
//! Pipes, deadlines and what a message leads to are the ends' own. [`system`] has the messages about other modules.

pub mod system;

use std::borrow::Cow;

use driver_types::{
    Clearance, Function, FunctionName, Interface, InvalidId, JsonText, LogLevel, OnChange,
    Parameter, Published, StatusName,
};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The version that `start` names.
pub const VERSION: u32 = 1;

/// The longest line of either side, its end included. A status or an argument of a megabyte fits; a line that never ends must not fill the memory.
pub const LINE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// The methods of requests to a driver.
pub mod request {
    /// Starts the module: [`Start`](super::Start), answered by [`Started`](super::Started).
    pub const START: &str = "start";
    /// Calls a function: [`Call`](super::Call), answered by [`Returned`](super::Returned).
    pub const CALL: &str = "call";
    /// Tells other settings: [`SettingsChanged`](super::SettingsChanged).
    pub const SETTINGS_CHANGED: &str = "settings_changed";
    /// Asks whether the driver lives.
    pub const PING: &str = "ping";
    /// Asks the driver to put its device in order.
    pub const STOP: &str = "stop";
}

/// The methods of a driver's notifications.
pub mod notification {
    /// Sets or removes a status: [`Status`](super::Status).
    pub const STATUS: &str = "status";
    /// Publishes a status again: [`Signal`](super::Signal).
    pub const SIGNAL: &str = "signal";
    /// Writes a log line: [`Line`](super::Line).
    pub const LOG: &str = "log";
    /// Says what the module offers from here on: [`Offer`](super::Offer).
    pub const INTERFACE: &str = "interface";
}

/// The error codes of JSON-RPC that have a meaning of their own here.
pub mod code {
    /// There is no such method, or no such function.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The arguments do not fit.
    pub const INVALID_PARAMS: i64 = -32602;
}

/// A message as it came. Which of its members are there says what it is.
#[derive(Debug, Deserialize)]
pub struct Message<'a> {
    /// Always `2.0`.
    #[serde(borrow, default)]
    pub jsonrpc: Cow<'a, str>,
    /// By which an answer finds its request; absent in a notification.
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    /// Absent in an answer.
    #[serde(borrow)]
    pub method: Option<Cow<'a, str>>,
    /// What the method takes.
    #[serde(borrow)]
    pub params: Option<&'a RawValue>,
    /// The result of a request; also `None` for `null`.
    #[serde(borrow)]
    pub result: Option<&'a RawValue>,
    /// Why a request failed.
    pub error: Option<Failure>,
}

impl<'a> Message<'a> {
    /// Reads a line. `None` for what is no message.
    pub fn read(line: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        let message: Self = serde_json::from_str(text).ok()?;
        let is_one = message.jsonrpc == "2.0" && (message.method.is_some() || message.id.is_some());
        is_one.then_some(message)
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One of [`code`], or an HTTP-like code from 400 to 599.
    #[serde(default)]
    pub code: i64,
    /// For people.
    #[serde(default)]
    pub message: String,
}

#[derive(Serialize)]
struct Request<'a, P> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: P,
}

#[derive(Serialize)]
struct Notification<'a, P> {
    jsonrpc: &'static str,
    method: &'a str,
    params: P,
}

#[derive(Serialize)]
struct Answer<'a, R> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    #[serde(flatten)]
    outcome: Outcome<R>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome<R> {
    Result(R),
    Error(Failure),
}

const JSONRPC: &str = "2.0";

/// A request as a line, its end included.
pub fn request(id: u64, method: &str, params: impl Serialize) -> String {
    line(&Request {
        jsonrpc: JSONRPC,
        id,
        method,
        params,
    })
}

/// A notification as a line.
pub fn notification(method: &str, params: impl Serialize) -> String {
    line(&Notification {
        jsonrpc: JSONRPC,
        method,
        params,
    })
}

/// The answer to a request as a line.
pub fn answer(id: &RawValue, result: impl Serialize) -> String {
    line(&Answer {
        jsonrpc: JSONRPC,
        id,
        outcome: Outcome::Result(result),
    })
}

/// The failure of a request as a line.
pub fn failure(id: &RawValue, code: i64, message: impl Into<String>) -> String {
    let message = message.into();
    line(&Answer::<()> {
        jsonrpc: JSONRPC,
        id,
        outcome: Outcome::Error(Failure { code, message }),
    })
}

fn line(message: &impl Serialize) -> String {
    let line = serde_json::to_string(message);
    let mut line = line.expect("messages have text keys and no failing part");
    // JSON that was taken over as it stood may have line ends between its parts; inside its texts they are escaped.
    if line.contains(['\n', '\r']) {
        line.retain(|c| c != '\n' && c != '\r');
    }
    line.push('\n');
    line
}

/// Nothing: the parameters of [`request::PING`] and [`request::STOP`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

/// The parameters of [`request::START`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Start<'a> {
    /// [`VERSION`].
    pub protocol: u32,
    /// The id of the module.
    #[serde(borrow)]
    pub module: Cow<'a, str>,
    /// Where the device is.
    #[serde(borrow)]
    pub uri: Option<Cow<'a, str>>,
    /// The settings, a JSON object.
    pub settings: JsonText,
}

/// The answer to [`request::START`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Started {
    /// What the driver is, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What the module offers.
    pub interface: Offer,
    /// What becomes of a module whose settings change.
    #[serde(default)]
    pub on_settings_change: OnSettingsChange,
}

/// What becomes of a module whose settings change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnSettingsChange {
    /// It is started again.
    #[default]
    Restart,
    /// It is told.
    Tell,
}

impl From<OnSettingsChange> for OnChange {
    fn from(change: OnSettingsChange) -> Self {
        match change {
            OnSettingsChange::Restart => Self::Restart,
            OnSettingsChange::Tell => Self::Tell,
        }
    }
}

impl From<OnChange> for OnSettingsChange {
    fn from(change: OnChange) -> Self {
        match change {
            OnChange::Restart => Self::Restart,
            OnChange::Tell => Self::Tell,
        }
    }
}

/// The parameters of [`request::CALL`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Call<'a> {
    /// The function.
    #[serde(borrow)]
    pub function: Cow<'a, str>,
    /// An array or an object.
    pub arguments: JsonText,
}

/// The answer to [`request::CALL`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Returned {
    /// What the function returned.
    pub value: JsonText,
    /// An HTTP-like response code.
    #[serde(default = "ok", skip_serializing_if = "is_ok")]
    pub code: u16,
}

const OK: u16 = 200;

fn ok() -> u16 {
    OK
}

fn is_ok(code: &u16) -> bool {
    *code == OK
}

/// The parameters of [`request::SETTINGS_CHANGED`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SettingsChanged {
    /// All settings, a JSON object.
    pub settings: JsonText,
}

/// The parameters of [`notification::STATUS`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Status<'a> {
    /// Which status.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its value; `null` removes it.
    pub value: JsonText,
}

/// The parameters of [`notification::SIGNAL`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Signal<'a> {
    /// Which status.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// The parameters of [`notification::LOG`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Line<'a> {
    /// How much it matters.
    pub level: LogLevel,
    /// The text.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

/// An [`Interface`] as it is written; the parameters of [`notification::INTERFACE`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The functions by their names.
    #[serde(default)]
    pub functions: IndexMap<String, OfferedFunction>,
    /// Names of interfaces.
    #[serde(default)]
    pub implements: Vec<String>,
    /// The statuses by their names.
    #[serde(default)]
    pub statuses: IndexMap<String, OfferedStatus>,
}

/// One function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfferedFunction {
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What a caller needs.
    #[serde(default)]
    pub clearance: OfferedClearance,
    /// In the order of positional arguments.
    #[serde(default)]
    pub parameters: Vec<OfferedParameter>,
}

/// One parameter of a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfferedParameter {
    /// The name.
    pub name: String,
    /// The JSON Schema of the value.
    pub schema: JsonText,
    /// What stands in, `null` too; without it the argument must be there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    pub default: Option<JsonText>,
}

/// A member that is there, be it `null`.
fn there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<JsonText>, D::Error> {
    JsonText::deserialize(deserializer).map(Some)
}

/// One status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfferedStatus {
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The JSON Schema of its values.
    pub schema: JsonText,
}

/// [`Clearance`] as it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OfferedClearance {
    /// Everyone who may use the system.
    #[default]
    User,
    /// Support staff.
    Support,
    /// Administrators.
    Admin,
}

impl From<Clearance> for OfferedClearance {
    fn from(clearance: Clearance) -> Self {
        match clearance {
            Clearance::User => Self::User,
            Clearance::Support => Self::Support,
            Clearance::Admin => Self::Admin,
        }
    }
}

impl From<OfferedClearance> for Clearance {
    fn from(clearance: OfferedClearance) -> Self {
        match clearance {
            OfferedClearance::User => Self::User,
            OfferedClearance::Support => Self::Support,
            OfferedClearance::Admin => Self::Admin,
        }
    }
}

impl From<&Interface> for Offer {
    fn from(interface: &Interface) -> Self {
        let function = |(name, function): (&FunctionName, &Function)| {
            let parameter = |parameter: &Parameter| OfferedParameter {
                name: parameter.name.clone(),
                schema: parameter.schema.clone(),
                default: parameter.default.clone(),
            };
            let offered = OfferedFunction {
                description: function.description.clone(),
                clearance: function.clearance.into(),
                parameters: function.parameters.iter().map(parameter).collect(),
            };
            (name.to_string(), offered)
        };
        let status = |(name, status): (&StatusName, &Published)| {
            let offered = OfferedStatus {
                description: status.description.clone(),
                schema: status.schema.clone(),
            };
            (name.to_string(), offered)
        };
        Self {
            functions: interface.functions.iter().map(function).collect(),
            implements: interface.implements.clone(),
            statuses: interface.statuses.iter().map(status).collect(),
        }
    }
}

impl TryFrom<Offer> for Interface {
    type Error = InvalidId;

    /// Refuses names that no function or status can have.
    fn try_from(offer: Offer) -> Result<Self, InvalidId> {
        let parameter = |parameter: OfferedParameter| Parameter {
            name: parameter.name,
            schema: parameter.schema,
            default: parameter.default,
        };
        let function = |(name, offered): (String, OfferedFunction)| {
            let function = Function {
                description: offered.description,
                clearance: offered.clearance.into(),
                parameters: offered.parameters.into_iter().map(parameter).collect(),
            };
            Ok((FunctionName::new(&name)?, function))
        };
        let status = |(name, offered): (String, OfferedStatus)| {
            let published = Published {
                description: offered.description,
                schema: offered.schema,
            };
            Ok((StatusName::new(&name)?, published))
        };
        let functions = offer.functions.into_iter().map(function);
        let statuses = offer.statuses.into_iter().map(status);
        Ok(Self {
            functions: functions.collect::<Result<_, InvalidId>>()?,
            implements: offer.implements,
            statuses: statuses.collect::<Result<_, InvalidId>>()?,
        })
    }
}
