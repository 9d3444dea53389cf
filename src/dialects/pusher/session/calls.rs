//! Calls of functions from a room: what the client asks, and the answer, which it alone gets.
//!
//! A client that lost an answer asks again by the same id; within a minute it gets the answer that there was, and nothing is called twice.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::dialects::pusher::errors::exec_code;
use crate::dialects::pusher::frames::{json, put_event};
use crate::dialects::pusher::session::{Client, Turn, Waiting};
use crate::dialects::pusher::wire::{self, Exec};
use crate::dialects::pusher::{Form, limits};
use crate::model::{
    ExecRequest, Failure, FailureKind, FunctionName, JsonText, ModuleIndex, ModuleName, ModulePath,
    Reply, Request, SystemId,
};

/// The event of what a function returned.
const RESULT: &str = "exec.result";

/// The event of a call that failed.
const ERROR: &str = "exec.error";

/// The id that a client gave a call, as it stood in the frame: a text or a number.
pub(super) type CallId = Box<RawValue>;

/// The calls of the last minute, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Calls(VecDeque<Kept>);

#[derive(Debug)]
struct Kept {
    channel: Arc<str>,
    id: CallId,
    /// When it was made, in Unix seconds.
    at: u64,
    /// What was answered; `None` while it runs.
    answer: Option<Answer>,
}

/// An answer as the client gets it.
#[derive(Debug, Clone)]
struct Answer {
    event: &'static str,
    data: Arc<str>,
}

impl Calls {
    /// A call that was made by this id.
    fn find(&self, channel: &str, id: &RawValue) -> Option<&Kept> {
        let mut calls = self.0.iter();
        calls.find(|kept| kept.is(channel, id))
    }

    /// Keeps a call that begins. `false` when too many run.
    fn begin(&mut self, channel: &Arc<str>, id: &CallId, now: u64) -> bool {
        if self.0.len() >= limits::CALLS_KEPT_MAX {
            self.drop_oldest();
        }
        let has_room = self.0.len() < limits::CALLS_KEPT_MAX;
        if has_room {
            self.0.push_back(Kept {
                channel: Arc::clone(channel),
                id: id.clone(),
                at: now,
                answer: None,
            });
        }
        has_room
    }

    fn answer(&mut self, channel: &str, id: &RawValue, answer: &Answer) {
        let mut calls = self.0.iter_mut();
        if let Some(kept) = calls.find(|kept| kept.is(channel, id)) {
            kept.answer = Some(answer.clone());
        }
        while self.bytes() > limits::ANSWERS_KEPT_MAX_BYTES {
            self.drop_oldest();
        }
    }

    fn bytes(&self) -> usize {
        let answers = self.0.iter().filter_map(|kept| kept.answer.as_ref());
        answers.map(|answer| answer.data.len()).sum()
    }

    /// Forgets the oldest call that was answered, if there is one.
    fn drop_oldest(&mut self) {
        let oldest = self.0.iter().position(|kept| kept.answer.is_some());
        if let Some(oldest) = oldest {
            self.0.remove(oldest);
        }
    }

    /// Forgets what was answered and is older than a minute.
    fn forget_old(&mut self, now: u64) {
        let is_old = |kept: &Kept| now.saturating_sub(kept.at) > limits::CALL_KEPT_SECS;
        self.0.retain(|kept| kept.answer.is_none() || !is_old(kept));
    }
}

impl Kept {
    fn is(&self, channel: &str, id: &RawValue) -> bool {
        self.id.get() == id.get() && *self.channel == *channel
    }
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
        let now = (turn.ambient.clock)();
        self.calls.forget_old(now);
        match self
            .calls
            .find(channel, &id)
            .map(|kept| kept.answer.clone())
        {
            Some(Some(answer)) => return put(channel, &answer, turn),
            // It runs: the one answer comes when it ends.
            Some(None) => return,
            None => {}
        }
        let call = read_call(system, &asked, (turn.ambient.draw)());
        let call = call.and_then(|call| match self.calls.begin(channel, &id, now) {
            true => Ok(call),
            false => Err(Failure::new(FailureKind::Busy, "too many calls are open")),
        });
        match call {
            Ok(call) => {
                let waiting = Waiting::Call(Arc::clone(channel), id);
                let request = Request::Call(call);
                self.requests.ask(request, Form::Session, waiting, turn.out);
            }
            Err(failure) => put(channel, &failed(Some(&id), &failure), turn),
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
        self.calls.answer(channel, id, &answer);
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
    let data = json(&Data { id, value }).into();
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
    Answer {
        event: ERROR,
        data: data.into(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CallId {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_kept_is_bounded_and_a_running_call_is_never_forgotten() {
        let channel: Arc<str> = "private-ctl.sys-1".into();
        let mut calls = Calls::default();
        for number in 0..limits::CALLS_KEPT_MAX {
            assert!(calls.begin(&channel, &id(&number.to_string()), 100));
        }
        assert!(!calls.begin(&channel, &id("\"more\""), 100));
        let answer = Answer {
            event: RESULT,
            data: "1".into(),
        };
        calls.answer(&channel, &id("7"), &answer);
        assert!(calls.begin(&channel, &id("\"more\""), 100));
        assert!(calls.find(&channel, &id("7")).is_none());
        calls.forget_old(1_000);
        assert_eq!(calls.0.len(), limits::CALLS_KEPT_MAX);

        let large = Answer {
            event: RESULT,
            data: "x".repeat(200 * 1024).into(),
        };
        calls.answer(&channel, &id("8"), &large);
        calls.answer(&channel, &id("9"), &large);
        assert!(calls.find(&channel, &id("8")).is_none());
        assert!(calls.bytes() <= limits::ANSWERS_KEPT_MAX_BYTES);
    }

    #[test]
    fn an_answer_is_kept_for_a_minute() {
        let channel: Arc<str> = "private-ctl.sys-1".into();
        let mut calls = Calls::default();
        assert!(calls.begin(&channel, &id("1"), 100));
        let answer = failed(None, &Failure::new(FailureKind::Busy, "no"));
        calls.answer(&channel, &id("1"), &answer);
        calls.forget_old(160);
        assert!(calls.find(&channel, &id("1")).is_some());
        assert!(calls.find("private-ctl.sys-2", &id("1")).is_none());
        calls.forget_old(161);
        assert!(calls.find(&channel, &id("1")).is_none());
    }
}
