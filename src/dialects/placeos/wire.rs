//! Reading a request frame: text in, a request of the model or a refusal out.
//!
//! Lenient where PlaceOS's server drops frames without a word, because a client that is never answered waits for ever:
//!
//! - an id is any JSON number or string and is kept as the token that came;
//! - fields that are not known are passed over, of a repeated field the last one counts;
//! - what cannot be a request is refused with the id, as far as one could be read.
//!
//! A frame is read in one pass that only delimits its fields, so neither deep nesting nor a huge argument costs more than its length.
//! Whether what it names exists, and who may use it, is the core's to say.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::dialects::placeos::errors::ErrorCode;
use crate::dialects::placeos::{frames, limits};
use crate::model::{
    BindingPath, ExecRequest, First, FollowId, FunctionName, InvalidId, JsonText, ModuleAddress,
    ModuleId, ModuleIndex, ModuleName, ModulePath, Request, StatusName, Subject, SystemId,
    whole_number,
};

/// What stands in a refusal when no id could be read.
const NO_ID: &str = "0";

/// The `name` in the meta of a debug whose client sent none.
const DEBUG_NAME: &str = "debug";

/// How a module id begins; the name of a module in a debug or ignore does not.
const MODULE_ID_PREFIX: &str = "mod-";

/// The one id of all bindings: a second bind of a status is the first one again.
const BINDING: FollowId = FollowId(0);

/// A text frame that can be acted on.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    /// The application's own keep-alive.
    Ping,
    /// A request for the core.
    Request(ClientRequest<'a>),
}

/// A request and what its answers have to repeat.
#[derive(Debug)]
pub(super) struct ClientRequest<'a> {
    /// The token to answer with.
    pub(super) id: &'a str,
    /// What is asked.
    pub(super) request: Request,
    /// The `meta` of the answer, as JSON; empty for an ignore, whose answer has none.
    pub(super) meta: Vec<u8>,
}

/// A text frame that is answered without asking the core.
#[derive(Debug)]
pub(super) struct Refused<'a> {
    /// The token to answer with.
    pub(super) id: &'a str,
    /// What is wrong.
    pub(super) code: ErrorCode,
    /// The same for people.
    pub(super) message: String,
    /// The start of a command that is not known, for the audit log.
    pub(super) command: Option<String>,
}

/// Reads one text frame.
pub(super) fn read(text: &str) -> Result<Frame<'_>, Refused<'_>> {
    if text.trim_ascii() == "ping" {
        return Ok(Frame::Ping);
    }
    let fields = Fields::read(text).map_err(|wrong| wrong.refuse(NO_ID))?;
    let id = fields.id().map_err(|wrong| wrong.refuse(NO_ID))?;
    fields
        .request()
        .map(|(request, meta)| Frame::Request(ClientRequest { id, request, meta }))
        .map_err(|wrong| wrong.refuse(id))
}

/// The known fields of a frame, each as the JSON text that came.
#[derive(Debug, Default)]
struct Fields<'a> {
    id: Option<&'a str>,
    cmd: Option<&'a str>,
    sys: Option<&'a str>,
    module: Option<&'a str>,
    index: Option<&'a str>,
    name: Option<&'a str>,
    args: Option<&'a RawValue>,
}

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Self, Wrong> {
        let wrong = match text.trim_ascii_start().as_bytes().first() {
            Some(b'{') => match serde_json::from_str(text) {
                Ok(fields) => return Ok(fields),
                Err(_) => None,
            },
            _ => serde_json::from_str::<IgnoredAny>(text).ok(),
        };
        Err(match wrong {
            Some(IgnoredAny) => Wrong::bad_request("a request is a JSON object"),
            None => Wrong::new(ErrorCode::ParseError, "not valid JSON"),
        })
    }

    fn id(&self) -> Result<&'a str, Wrong> {
        match self.id {
            Some(id) if id.starts_with(|first| matches!(first, '"' | '-' | '0'..='9')) => Ok(id),
            Some(_) => Err(Wrong::bad_request("id is neither a number nor a string")),
            None => Err(Wrong::bad_request("id is missing")),
        }
    }

    fn request(&self) -> Result<(Request, Vec<u8>), Wrong> {
        if self
            .id
            .is_some_and(|id| id.len() > limits::ID_TOKEN_MAX_BYTES)
        {
            return Err(Wrong::bad_request("id is too long"));
        }
        let command = required("cmd", self.cmd)?;
        let is = |known: &str| command.eq_ignore_ascii_case(known);
        if is("bind") {
            let (path, meta) = self.binding()?;
            let subject = Subject::Status(Arc::new(path));
            let first = First::Events;
            let id = BINDING;
            Ok((Request::Follow { id, subject, first }, meta))
        } else if is("unbind") {
            let (path, meta) = self.binding()?;
            let subject = Subject::Status(Arc::new(path));
            let id = BINDING;
            Ok((Request::Unfollow { id, subject }, meta))
        } else if is("exec") {
            let (call, meta) = self.call()?;
            Ok((Request::Call(call), meta))
        } else if is("debug") {
            let (target, meta) = self.target()?;
            Ok((Request::Debug(target), meta))
        } else if is("ignore") {
            let (target, _) = self.target()?;
            Ok((Request::Ignore(target), Vec::new()))
        } else {
            Err(Wrong::unknown_command(&command))
        }
    }

    fn binding(&self) -> Result<(BindingPath, Vec<u8>), Wrong> {
        let system = SystemId::new(&required("sys", self.sys)?)?;
        let module = ModuleName::new(&required("mod", self.module)?)?;
        let status = StatusName::new(&required("name", self.name)?)?;
        let index = self.index()?;
        let meta = frames::meta(system.as_str(), module.as_str(), index, status.as_str());
        let module = place(system, module, index)?;
        Ok((BindingPath { module, status }, meta))
    }

    fn call(&self) -> Result<(ExecRequest, Vec<u8>), Wrong> {
        let system = SystemId::new(&required("sys", self.sys)?)?;
        let module = ModuleName::new(&required("mod", self.module)?)?;
        let function = FunctionName::new(&required("name", self.name)?)?;
        let arguments = self.arguments()?;
        let index = self.index()?;
        let meta = frames::meta(system.as_str(), module.as_str(), index, function.as_str());
        let call = ExecRequest {
            module: place(system, module, index)?.into(),
            function,
            arguments,
            act: None,
        };
        Ok((call, meta))
    }

    /// Consoles name a module by its id, with an empty `sys` or none and an `index` of null;
    /// the documentation names it by its place.
    fn target(&self) -> Result<(ModuleAddress, Vec<u8>), Wrong> {
        let said_system = optional("sys", self.sys)?.unwrap_or_default();
        let said_module = required("mod", self.module)?;
        let said_name = optional("name", self.name)?.unwrap_or(Cow::Borrowed(DEBUG_NAME));
        let index = self.index()?;
        if !said_name.is_empty() {
            FunctionName::new(&said_name)?;
        }
        let meta = frames::meta(&said_system, &said_module, index, &said_name);
        let system = if said_system.is_empty() {
            None
        } else {
            Some(SystemId::new(&said_system)?)
        };
        let target = match system {
            Some(system) if !said_module.starts_with(MODULE_ID_PREFIX) => {
                ModuleAddress::Place(place(system, ModuleName::new(&said_module)?, index)?)
            }
            system => ModuleAddress::Id {
                id: ModuleId::new(&said_module)?,
                system,
            },
        };
        Ok((target, meta))
    }

    /// A whole number of 32 bits, 1 when absent or null. Whether a module can stand there is for [`place`] to say.
    fn index(&self) -> Result<i32, Wrong> {
        match self.index {
            None | Some("null") => Ok(1),
            Some(token) => {
                let number = whole_number(token).ok();
                let number = number.and_then(|number| i32::try_from(number).ok());
                number.ok_or_else(|| Wrong::bad_request("index is not a whole number"))
            }
        }
    }

    fn arguments(&self) -> Result<JsonText, Wrong> {
        match self.args {
            Some(args) if args.get().starts_with(['[', '{']) => Ok(JsonText::from_raw(args)),
            Some(args) if args.get() != "null" => {
                Err(Wrong::bad_request("args is neither an array nor an object"))
            }
            Some(_) | None => Ok(JsonText::parse("[]").expect("an empty array is JSON")),
        }
    }
}

/// A module's place in a system; an index below 1 is none.
fn place(system: SystemId, module: ModuleName, index: i32) -> Result<ModulePath, Wrong> {
    let index = u32::try_from(index)
        .ok()
        .and_then(|index| ModuleIndex::new(index).ok());
    match index {
        Some(index) => Ok(ModulePath {
            system,
            module,
            index,
        }),
        None => Err(Wrong::new(
            ErrorCode::ModuleNotFound,
            "could not find module, indexes count from 1",
        )),
    }
}

fn required<'a>(name: &str, token: Option<&'a str>) -> Result<Cow<'a, str>, Wrong> {
    match token {
        Some(token) => {
            text(token).ok_or_else(|| Wrong::bad_request(format!("{name} is not a string")))
        }
        None => Err(Wrong::bad_request(format!("{name} is missing"))),
    }
}

fn optional<'a>(name: &str, token: Option<&'a str>) -> Result<Option<Cow<'a, str>>, Wrong> {
    match token {
        None | Some("null") => Ok(None),
        Some(_) => required(name, token).map(Some),
    }
}

/// The text of a JSON string. `None` for any other value and for halves of surrogate pairs, which are no text.
fn text(token: &str) -> Option<Cow<'_, str>> {
    let inside = token.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') {
        serde_json::from_str(token).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inside))
    }
}

/// What is wrong with a frame.
#[derive(Debug)]
struct Wrong {
    code: ErrorCode,
    message: String,
    command: Option<String>,
}

impl Wrong {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            command: None,
        }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    fn unknown_command(command: &str) -> Self {
        let shown = &command[..command.floor_char_boundary(limits::COMMAND_SHOWN_BYTES)];
        Self {
            command: Some(shown.to_owned()),
            ..Self::new(
                ErrorCode::UnknownCommand,
                format!("unknown command {shown}"),
            )
        }
    }

    fn refuse(self, id: &str) -> Refused<'_> {
        Refused {
            id,
            code: self.code,
            message: self.message,
            command: self.command,
        }
    }
}

impl From<InvalidId> for Wrong {
    fn from(invalid: InvalidId) -> Self {
        Self::bad_request(invalid.to_string())
    }
}

/// By hand, because a derived reader refuses a field that comes twice.
impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Fields::default();
                // The key is taken raw, since one that is no text is a field like any other that is not known.
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    let token = Some(value.get());
                    match text(key.get()).as_deref() {
                        Some("id") => fields.id = token,
                        Some("cmd") => fields.cmd = token,
                        Some("sys") => fields.sys = token,
                        Some("mod") => fields.module = token,
                        Some("index") => fields.index = token,
                        Some("name") => fields.name = token,
                        Some("args") => fields.args = Some(value),
                        Some(_) | None => {}
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}
