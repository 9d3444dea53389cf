//! Calls of functions from a room: what the client asks, and the answer, which it alone gets.
//!
//! A client that lost an answer asks again by the same id. The core knows the calls of the last minute: it gives the answer that there was, and nothing is called twice.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::dialects::pusher::errors::exec_code;
use crate::dialects::pusher::frames::{json, put_event};
use crate::dialects::pusher::session::{Client, Turn, Waiting};
use crate::dialects::pusher::wire::{self, Exec};
use crate::dialects::pusher::{Form, limits};
use crate::model::{
    CallKey, ExecRequest, Failure, FailureKind, FunctionName, JsonText, ModuleIndex, ModuleName,
    ModulePath, Reply, Request, SystemId,
};

/// The event of what a function returned.
const RESULT: &str = "exec.result";

/// The event of a call that failed.
const ERROR: &str = "exec.error";

/// The id that a client gave a call, as it stood in the frame: a text or a number.
pub(super) type CallId = Box<RawValue>;

/// An answer as the client gets it.
#[derive(Debug)]
struct Answer {
    event: &'static str,
    data: String,
}

impl Client {
    /// `client-exec`: calls a function of a module in this system.
    pub(super) fn exec(
        &mut self,
        channel: &Arc<str>,
        system: SystemId,
        data: Option<&RawValue>,
        turn: &mut Turn<'_, '_>,
    ) {
        let asked: Option<Exec> = wire::data(data);
        let id = asked.as_ref().and_then(|asked| asked.id.as_deref());
        let id = id.filter(|id| is_call_id(id)).map(ToOwned::to_owned);
        let (Some(asked), Some(id)) = (asked, id) else {
            let message = "a call needs data with an `id`, a text or a number of up to 200 bytes";
            let failure = Failure::new(FailureKind::BadRequest, message);
            return put(channel, &failed(None, &failure), turn);
        };
        // Where it runs, the one answer comes when it ends.
        if self.requests.is_called(channel, &id) {
            return;
        }
        match read_call(system, &asked, (turn.ambient.draw)()) {
            Ok(call) => {
                let key = self.call_key(channel, &id, turn);
                let waiting = Waiting::Call(Arc::clone(channel), id);
                let request = Request::CallOnce { key, call };
                self.requests.ask(request, Form::Session, waiting, turn.out);
            }
            Err(failure) => put(channel, &failed(Some(&id), &failure), turn),
        }
    }

    /// What a call is known by. Those of a user are known by whatever connection they come.
    fn call_key(&self, channel: &str, id: &RawValue, turn: &Turn<'_, '_>) -> CallKey {
        let caller = match self.user.as_deref() {
            Some(user) => format!("user {}/{}", turn.app.id, user.id()),
            None => format!("connection {}", turn.ambient.cluster_connection()),
        };
        CallKey {
            caller: caller.into(),
            name: format!("{channel} {}", id.get()).into(),
        }
    }

    /// A call was answered.
    pub(super) fn called(
        &mut self,
        channel: &Arc<str>,
        id: &CallId,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_, '_>,
    ) {
        let answer = match reply {
            Ok(Reply::Result { value, .. }) => returned(id, &value),
            // A call has no other answer.
            Ok(_) => returned(id, &JsonText::null()),
            Err(failure) => failed(Some(id), &failure),
        };
        if self.channels.is_in(channel) {
            put(channel, &answer, turn);
        }
    }
}

fn put(channel: &str, answer: &Answer, turn: &mut Turn<'_, '_>) {
    turn.text(|out| put_event(answer.event, Some(channel), &answer.data, out));
}

fn returned(id: &RawValue, value: &JsonText) -> Answer {
    #[derive(Serialize)]
    struct Data<'a> {
        id: &'a RawValue,
        value: &'a JsonText,
    }
    let data = json(&Data { id, value });
    Answer {
        event: RESULT,
        data,
    }
}

fn failed(id: Option<&RawValue>, failure: &Failure) -> Answer {
    #[derive(Serialize)]
    struct Data<'a> {
        id: Option<&'a RawValue>,
        code: u8,
        message: &'a str,
    }
    let data = json(&Data {
        id,
        code: exec_code(failure.kind()),
        message: failure.message(),
    });
    Answer { event: ERROR, data }
}

fn is_call_id(id: &RawValue) -> bool {
    id.get().len() <= limits::CALL_ID_MAX_BYTES && wire::id_text(id).is_some()
}

/// The call that a client asks for.
fn read_call(system: SystemId, asked: &Exec, act: u128) -> Result<ExecRequest, Failure> {
    let bad = |message: &str| Failure::new(FailureKind::BadRequest, message);
    let text = |value: &Option<CallId>| value.as_deref().and_then(wire::text);
    let module = text(&asked.module).and_then(|name| ModuleName::new(&name).ok());
    let module = module.ok_or_else(|| bad("`mod` is the name of a module"))?;
    let function = text(&asked.name).and_then(|name| FunctionName::new(&name).ok());
    let function = function.ok_or_else(|| bad("`name` is the name of a function"))?;
    let index = match asked.index.as_deref().map(RawValue::get) {
        None => 1,
        Some(token) => token
            .parse::<i32>()
            .map_err(|_| bad("`index` is a whole number"))?,
    };
    let index = u32::try_from(index).ok();
    let index = index.and_then(|index| ModuleIndex::new(index).ok());
    let index = index.ok_or_else(|| {
        let message = "modules are counted from 1";
        Failure::new(FailureKind::ModuleNotFound, message)
    })?;
    let arguments = match asked.args.as_deref() {
        None => JsonText::of(&[(); 0]).expect("a list is JSON"),
        Some(given) if given.get().starts_with(['[', '{']) => JsonText::from_raw(given),
        Some(_) => return Err(bad("`args` is a list or an object")),
    };
    let place = ModulePath {
        system,
        module,
        index,
    };
    Ok(ExecRequest {
        module: place.into(),
        function,
        arguments,
        act: Some(act),
    })
}
