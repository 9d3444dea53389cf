//! What expressions of a run may ask of the outside: `status()` and `now()`.
//!
//! Separate from the run, which knows no building. What a caller may not read is refused, so a procedure shows nobody more than they may see.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::programs::Programs;
use super::runner::Acting;
use crate::automation::ports::Building;
use crate::automation::program::Program;
use crate::automation::run::Procedures;
use crate::core::{Directory, ReplySlot};
use crate::expressions::{Refusal, Value, Windows};
use crate::model::{
    BindingPath, Clock, Event, First, FollowId, Found, JsonText, LocalPath, ProcedureId, Query,
    Reply, Request, StatusPath, Subject,
};

/// The building and the clock, as a run sees them at one moment.
pub(super) struct Outside {
    pub(super) building: Building,
    pub(super) directory: Arc<Directory>,
    pub(super) programs: Arc<Programs>,
    pub(super) acting: Acting,
    pub(super) clock: Clock,
}

impl Windows for Outside {
    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, Refusal> {
        match (function, arguments) {
            ("now", []) => Ok(Value::from((self.clock)().as_secs())),
            ("now", _) => Err(Refusal("takes nothing".to_owned())),
            ("status", [Value::Text(path)]) => self.status(path),
            ("status", _) => Err(Refusal(
                "takes a path, such as 'sys-board/Display_1/power'".to_owned(),
            )),
            (_, _) => Err(Refusal("there is no such function here".to_owned())),
        }
    }
}

impl Procedures for Outside {
    fn find(&self, id: &ProcedureId) -> Option<Arc<Program>> {
        let procedure = self.directory.procedure(id)?;
        self.programs.of(procedure, &self.directory)
    }
}

impl Outside {
    /// What a status is now; null where it is not set.
    fn status(&self, path: &str) -> Result<Value, Refusal> {
        let path = LocalPath::<StatusPath>::parse(path);
        let path = path.map_err(|error| Refusal(error.to_string()))?;
        let path = path.within(self.acting.system.as_ref()).ok_or_else(|| {
            Refusal("needs a path of three parts, such as 'sys-board/Display_1/power'".to_owned())
        })?;
        let path = Arc::new(path.target().clone());
        let follow = Request::Follow {
            id: FollowId(0),
            subject: Subject::Status(Arc::clone(&path)),
            first: First::Events,
        };
        let allowed = self
            .building
            .control
            .authorize(&self.acting.caller, &follow);
        allowed.map_err(|failure| Refusal(failure.message().to_owned()))?;
        let value = self.value(path)?;
        Ok(value.map_or(Value::Null, |value| Value::of_json(&value)))
    }

    /// Where the statuses are in a store of several nodes, this waits: then a run goes on a thread that may.
    fn value(&self, path: Arc<BindingPath>) -> Result<Option<JsonText>, Refusal> {
        let (answer, mut answered) = oneshot::channel();
        let slot = ReplySlot::caller(answer);
        let query = Query::Value(path);
        self.building
            .queries
            .query(&self.acting.caller, query, slot);
        let unread = || Refusal("the status could not be read".to_owned());
        let reply = match answered.try_recv() {
            Ok(reply) => reply,
            Err(oneshot::error::TryRecvError::Closed) => return Err(unread()),
            Err(oneshot::error::TryRecvError::Empty) => {
                answered.blocking_recv().map_err(|_| unread())?
            }
        };
        match reply {
            Ok(Reply::Found(Found::Snapshot(events))) => {
                Ok(events.into_iter().find_map(Event::into_value))
            }
            Ok(_) => Err(unread()),
            Err(failure) => Err(Refusal(failure.message().to_owned())),
        }
    }
}
