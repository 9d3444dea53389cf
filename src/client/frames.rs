//! The frames of PlaceOS's websocket as a client sees them: requests out, everything else in.
//!
//! Fields that are not known are passed over, and so are frames of an unknown type: a gateway may be newer than its client.

use serde::{Deserialize, Serialize};

use crate::client::exec::Call;
use crate::model::{BindingPath, JsonText, ModuleAddress, ModulePath};

/// The application's own keep-alive.
pub(super) const PING: &str = "ping";

/// How clients name what they debug; the gateway only repeats it.
const DEBUG_NAME: &str = "debug";

#[derive(Serialize)]
struct RequestShape<'a> {
    id: u64,
    cmd: &'static str,
    sys: &'a str,
    #[serde(rename = "mod")]
    module: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<&'a JsonText>,
}

/// Asks for a status and all its changes.
pub(super) fn bind(id: u64, path: &BindingPath) -> String {
    at(id, "bind", &path.module, path.status.as_str(), None)
}

/// Calls a function.
pub(super) fn exec(id: u64, call: &Call) -> String {
    let arguments = Some(&call.arguments);
    at(id, "exec", &call.module, call.function.as_str(), arguments)
}

/// Asks for a module's log.
pub(super) fn debug(id: u64, target: &ModuleAddress) -> String {
    match target {
        ModuleAddress::Place(module) => at(id, "debug", module, DEBUG_NAME, None),
        ModuleAddress::Id { id: module, .. } => text(&RequestShape {
            id,
            cmd: "debug",
            sys: "",
            module: module.as_str(),
            index: None,
            name: DEBUG_NAME,
            args: None,
        }),
    }
}

fn at(
    id: u64,
    cmd: &'static str,
    path: &ModulePath,
    name: &str,
    args: Option<&JsonText>,
) -> String {
    text(&RequestShape {
        id,
        cmd,
        sys: path.system.as_str(),
        module: path.module.as_str(),
        index: Some(path.index.get()),
        name,
        args,
    })
}

fn text(request: &RequestShape<'_>) -> String {
    serde_json::to_string(request).expect("texts and numbers always make JSON")
}

/// What the gateway sends.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A request succeeded; an exec has a value.
    Done {
        /// The request.
        id: u64,
        /// What the function returned.
        value: JsonText,
    },
    /// A request failed.
    Refused {
        /// The request.
        id: u64,
        /// Why.
        refusal: Refusal,
    },
    /// A status has this value.
    Value {
        /// The bind.
        id: u64,
        /// The value; null when there is none.
        value: JsonText,
    },
    /// A line of a log.
    Line(Line),
    /// Something that asks for nothing: a sign of life, or a frame of another kind.
    Other,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// For people.
    pub(super) message: String,
    /// From 0 to 7, in PlaceOS's table.
    pub(super) code: Option<u16>,
    /// HTTP-like; with code 7 it tells a call that certainly did not run from a call whose outcome is not known.
    pub(super) response_code: Option<u16>,
}

/// PlaceOS's code for an unexpected failure: what was asked for cannot be had at the moment, or a fault of the gateway's own.
const UNEXPECTED_FAILURE: u16 = 7;

impl Refusal {
    /// Whether the same request may succeed later.
    pub(super) fn may_pass(&self) -> bool {
        self.code == Some(UNEXPECTED_FAILURE)
    }
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The module's id.
    pub(super) module: String,
    /// What it runs, where the gateway says so.
    pub(super) driver: Option<String>,
    /// One of PlaceOS's levels, or another word.
    pub(super) level: String,
    /// The text.
    pub(super) message: String,
}

#[derive(Deserialize)]
struct FrameShape {
    id: Option<u64>,
    #[serde(rename = "type")]
    kind: Kind,
    value: Option<JsonText>,
    msg: Option<String>,
    code: Option<u16>,
    response_code: Option<u16>,
    #[serde(rename = "mod")]
    module: Option<String>,
    klass: Option<String>,
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Success,
    Error,
    Notify,
    Debug,
    #[serde(other)]
    Unknown,
}

impl Incoming {
    /// Reads a text frame.
    pub(super) fn read(text: &str) -> Self {
        let Ok(frame) = serde_json::from_str::<FrameShape>(text) else {
            return Self::Other;
        };
        // To the parser an explicit null is nothing.
        let value = frame.value.unwrap_or_else(JsonText::null);
        match (frame.kind, frame.id) {
            (Kind::Success, Some(id)) => Self::Done { id, value },
            (Kind::Error, Some(id)) => Self::Refused {
                id,
                refusal: Refusal {
                    message: frame.msg.unwrap_or_default(),
                    code: frame.code,
                    response_code: frame.response_code,
                },
            },
            (Kind::Notify, Some(id)) => Self::Value { id, value },
            (Kind::Debug, _) => Self::Line(Line {
                module: frame.module.unwrap_or_default(),
                driver: frame.klass,
                level: frame.level.unwrap_or_default(),
                message: frame.msg.unwrap_or_default(),
            }),
            (Kind::Success | Kind::Error | Kind::Notify, None) | (Kind::Unknown, _) => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::address;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn requests_are_those_of_the_dialect() {
        let paths = address::bindings(&words("sys-1 Display_2 power")).unwrap();
        assert_eq!(
            bind(1, &paths[0]),
            r#"{"id":1,"cmd":"bind","sys":"sys-1","mod":"Display","index":2,"name":"power"}"#
        );
        let call = address::call(&words("sys-1/Display/volume 40")).unwrap();
        assert_eq!(
            exec(2, &call),
            r#"{"id":2,"cmd":"exec","sys":"sys-1","mod":"Display","index":1,"name":"volume","args":[40]}"#
        );
        let target = address::target(&words("mod-d1")).unwrap();
        assert_eq!(
            debug(3, &target),
            r#"{"id":3,"cmd":"debug","sys":"","mod":"mod-d1","name":"debug"}"#
        );
    }

    #[test]
    fn frames_are_read_and_strange_ones_passed_over() {
        let notify = r#"{"id":1,"type":"notify","value":1.50,"meta":{"sys":"s"},"new":1}"#;
        assert!(
            matches!(Incoming::read(notify), Incoming::Value { id: 1, value } if value.as_str() == "1.50")
        );
        let gone = r#"{"id":1,"type":"notify","value":null}"#;
        assert!(
            matches!(Incoming::read(gone), Incoming::Value { id: 1, value } if value.is_null())
        );
        let error =
            r#"{"id":2,"type":"error","code":3,"error_code":3,"msg":"no","response_code":500}"#;
        let expect = Refusal {
            message: "no".to_owned(),
            code: Some(3),
            response_code: Some(500),
        };
        assert!(
            matches!(Incoming::read(error), Incoming::Refused { id: 2, refusal } if refusal == expect)
        );
        for other in [
            "pong",
            "",
            "[]",
            r#"{"type":"party"}"#,
            r#"{"type":"notify"}"#,
        ] {
            assert!(matches!(Incoming::read(other), Incoming::Other), "{other}");
        }
    }
}
