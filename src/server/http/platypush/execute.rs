//! Carries out what comes to `/execute`.

use actix_web::HttpRequest;
use tokio::sync::oneshot;

use crate::core::{Caller, Core, ReplySlot};
use crate::dialects::platypush::actions::{Plan, Sight, plan};
use crate::dialects::platypush::errors::{ActionError, AuthError};
use crate::dialects::platypush::message::RequestMessage;
use crate::dialects::platypush::rest::{self, Answer, Execution};
use crate::model::{Failure, FailureKind, JsonText, Reply, Request, SystemId, Timestamp};
use crate::server::ServerState;
use crate::server::http::kit::Access;
use crate::server::http::platypush::authn::{known_caller, may};

/// Who may execute; asked before the body is read.
pub(super) async fn executor(
    state: &ServerState,
    request: &HttpRequest,
) -> Result<Caller, AuthError> {
    let caller = known_caller(state, request).await?.caller;
    may(state, &caller, Access::Call)?;
    Ok(caller)
}

/// Carries out a message.
pub(super) async fn carry_out(state: &ServerState, caller: &Caller, body: &[u8]) -> Answer {
    match Execution::read(body, &rand::random) {
        Err(why) => rest::bad_message(why),
        Ok(Execution::Request(request)) => {
            let outcome = perform(state, caller, &request).await;
            respond(
                state,
                &request.id,
                &outcome.map_err(|error| error.to_string()),
            )
        }
        Ok(Execution::Misread(id, why)) => respond(state, &id, &Err(why.to_string())),
        Ok(Execution::Event(event)) => {
            // One that may not be announced is passed over, as on the websocket.
            let _ = state.core.announce(caller, event.name, event.data);
            rest::nothing()
        }
        Ok(Execution::UnknownEvent(kind)) => {
            state.core.access.note_unknown_command(caller, &cut(&kind));
            rest::nothing()
        }
        Ok(Execution::Nothing) => rest::nothing(),
    }
}

/// The audit log repeats no more of a text that anybody wrote.
fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

fn respond(
    state: &ServerState,
    id: &crate::dialects::platypush::message::MessageId,
    outcome: &Result<JsonText, String>,
) -> Answer {
    rest::response(id, now(state), outcome.as_ref().map_err(|error| &**error))
}

fn now(state: &ServerState) -> Timestamp {
    Timestamp::from_secs(state.core.sign_ins.now())
}

async fn perform(
    state: &ServerState,
    caller: &Caller,
    request: &RequestMessage,
) -> Result<JsonText, ActionError> {
    let surroundings = state.surroundings.current();
    let planned = {
        let directory = state.core.queries.directory();
        let reaches = |id: &SystemId| {
            let system = directory.system(id);
            system.is_some_and(|system| caller.reaches(system))
        };
        let sight = Sight {
            surroundings: &surroundings,
            level: caller.clearance(),
            reaches: &reaches,
            user: caller.user().map(|user| user.id.as_str()),
        };
        plan(&request.action, &request.arguments, &sight)?
    };
    match planned {
        Plan::Output(output) => Ok(output),
        Plan::Ask(request, reading) => {
            let reply = ask(&state.core, caller, request).await;
            reading.output(reply, &surroundings)
        }
    }
}

/// Asks the core, which answers each of these within bounded time.
async fn ask(core: &Core, caller: &Caller, request: Request) -> Result<Reply, Failure> {
    core.access.authorize(caller, &request)?;
    let (answer, answered) = oneshot::channel();
    let slot = ReplySlot::caller(answer);
    match request {
        Request::Call(call) => core.calls.exec(caller, call, slot),
        Request::Run(run) => core.automation.run(caller, run, slot),
        Request::Query(query) => core.queries.query(caller, query, slot),
        Request::Follow { .. }
        | Request::Unfollow { .. }
        | Request::CallOnce { .. }
        | Request::Enter(_)
        | Request::Leave(_)
        | Request::Publish(_)
        | Request::Announce { .. }
        | Request::Custom { .. }
        | Request::Tokens(_)
        | Request::Messages(_)
        | Request::Debug(_)
        | Request::Ignore(_) => drop(slot),
    }
    let lost = || Failure::new(FailureKind::Internal, "the question was not answered");
    answered.await.unwrap_or_else(|_| Err(lost()))
}
