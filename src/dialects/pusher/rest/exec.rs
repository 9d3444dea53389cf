//! A call that a server makes by an event in the control channel of a system, and what its outcome is called there.

use serde::{Deserialize, Serialize};

use crate::dialects::pusher::errors::exec_code;
use crate::dialects::pusher::frames::message;
use crate::dialects::pusher::rest::ApiRefusal;
use crate::model::{
    CallKey, ExecRequest, Failure, FailureKind, FunctionName, JsonText, ModuleAddress, ModuleIndex,
    ModuleName, ModulePath, Publication, Reply, SystemId, TopicId,
};

/// The name of the event that calls.
const EXEC: &str = "exec";

/// A call, and where its outcome is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerExec {
    /// What is called.
    pub call: ExecRequest,
    topic: TopicId,
    /// A string or a number, as the server sent it.
    id: JsonText,
}

#[derive(Deserialize)]
struct Fields {
    id: JsonText,
    r#mod: String,
    #[serde(default = "first")]
    index: u32,
    name: String,
    args: Option<JsonText>,
}

fn first() -> u32 {
    1
}

#[derive(Serialize)]
struct Returned<'a> {
    id: &'a JsonText,
    value: &'a JsonText,
}

#[derive(Serialize)]
struct Failed<'a> {
    id: &'a JsonText,
    code: u8,
    message: &'a str,
}

impl ServerExec {
    /// Reads the data of an event in the control channel of a system.
    pub(super) fn read(
        topic: TopicId,
        system: SystemId,
        event: &str,
        data: &str,
    ) -> Result<Self, ApiRefusal> {
        if event != EXEC {
            return Err(ApiRefusal::bad(
                "The only event that this channel takes is `exec`",
            ));
        }
        let fields: Fields = serde_json::from_str(data).map_err(|_| {
            ApiRefusal::bad(
                "The data of `exec` must be an object with `id`, `mod`, `index`, `name` and `args`",
            )
        })?;
        let is_id = matches!(
            fields.id.as_str().as_bytes(),
            [b'"' | b'-' | b'0'..=b'9', ..]
        );
        if !is_id {
            return Err(ApiRefusal::bad("`id` must be text or a number"));
        }
        let module = ModuleName::new(&fields.r#mod)
            .map_err(|error| ApiRefusal::bad(format!("`mod`: {error}")))?;
        let index =
            ModuleIndex::new(fields.index).map_err(|_| ApiRefusal::bad("`index` counts from 1"))?;
        let function = FunctionName::new(&fields.name)
            .map_err(|error| ApiRefusal::bad(format!("`name`: {error}")))?;
        let arguments = fields.args.unwrap_or_else(no_arguments);
        if !arguments.as_str().starts_with(['[', '{']) {
            return Err(ApiRefusal::bad("`args` must be a list or an object"));
        }
        let module = ModulePath {
            system,
            module,
            index,
        };
        Ok(Self {
            call: ExecRequest {
                module: ModuleAddress::Place(module),
                function,
                arguments,
                act: None,
            },
            topic,
            id: fields.id,
        })
    }

    /// What it is known by: two calls of an app's server in one channel with the same id are one.
    pub fn key(&self) -> CallKey {
        CallKey {
            caller: format!("server {}", self.topic.app()).into(),
            name: format!("{} {}", self.topic.channel(), self.id).into(),
        }
    }

    /// What came of the call, for those in the channel.
    pub fn outcome(&self, outcome: &Result<Reply, Failure>) -> Publication {
        let id = &self.id;
        let failed = |code, message| {
            let failed = Failed { id, code, message };
            (
                "exec.error",
                serde_json::to_string(&failed).expect("the shape has text keys"),
            )
        };
        let (event, data) = match outcome.as_ref().map(Reply::returned) {
            Ok(Some((value, _))) => {
                let returned = Returned { id, value };
                let json = serde_json::to_string(&returned).expect("the shape has text keys");
                ("exec.result", json)
            }
            Ok(None) => failed(
                exec_code(FailureKind::Internal),
                "the call was not answered",
            ),
            Err(failure) => failed(exec_code(failure.kind()), failure.message()),
        };
        Publication {
            topic: self.topic.clone(),
            message: message(event, &data, None),
            except: None,
            kept: false,
            by: None,
        }
    }
}

fn no_arguments() -> JsonText {
    JsonText::parse("[]").expect("an empty list is JSON")
}
