//! Calls of services: each becomes calls of modules, and is answered when all of these are.
//!
//! What the modules set in the course of it comes before the answer, since the server keeps that order for each call.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::dialects::home_assistant::entities::services::{
    Call, Plan, Planned, ServiceCall, ServiceError, ServiceErrorKind, Todo, plan,
};
use crate::dialects::home_assistant::entities::{Known, Snapshot};
use crate::dialects::home_assistant::errors::{CommandError, ErrorCode, Translation};
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn, Waiting};
use crate::dialects::home_assistant::session::entities::change_of_state;
use crate::dialects::home_assistant::session::events::Happening;
use crate::dialects::home_assistant::session::reading::events_of;
use crate::dialects::home_assistant::session::subscriptions::{STATE_CHANGED, Subscribed};
use crate::dialects::home_assistant::wire::frames::put_json;
use crate::dialects::home_assistant::wire::{Envelope, Object};
use crate::model::{Failure, JsonText, ModulePath, Query, Reply, Request, Timestamp};

/// By which name calls of services are announced on the bus.
const CALLED: &str = "call_service";

/// A call of a service that is not answered yet.
#[derive(Debug)]
pub(super) struct OpenCall {
    /// The command.
    id: u64,
    /// The act that all its calls of modules belong to.
    act: u128,
    response: Response,
    plan: Plan,
    /// What each call of a module has returned so far.
    returned: Vec<Option<JsonText>>,
    /// How many have not been answered.
    left: usize,
    /// The first failure. The others are carried out nevertheless.
    failure: Option<CommandError>,
}

/// Whether a client wants to know what came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Response {
    Wanted,
    Unwanted,
}

/// Calls a service.
pub(super) fn call(commands: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    let lower = |name| command.fields.text(name).unwrap_or_default().to_lowercase();
    let (domain, service) = (lower("domain"), lower("service"));
    let (data, target) = (
        object(&command.fields, "service_data"),
        object(&command.fields, "target"),
    );
    let response = match command.fields.is_true("return_response") {
        true => Response::Wanted,
        false => Response::Unwanted,
    };
    let call = ServiceCall {
        domain: &domain,
        service: &service,
        data: data.as_ref(),
        target: target.as_ref(),
        wants_response: response == Response::Wanted,
    };
    let plan = plan(&turn.ambient.surroundings.home_assistant, &call)?;
    let is_reaction = |planned: &Planned| match planned.todo {
        Todo::React(_) => true,
        Todo::Call(_) => false,
    };
    let reacts = plan.todo.iter().any(is_reaction);
    let act = (turn.ambient.draw)();
    // The bus is closed to a client that may not see all of the building.
    if commands.sight().is_whole() {
        let announce = Request::Announce {
            name: Arc::from(CALLED),
            data: called(&call),
            act,
        };
        commands.announce(announce, turn);
    }
    let open = OpenCall {
        id: command.id,
        act,
        response,
        plan,
        returned: Vec::new(),
        left: 0,
        failure: None,
    };
    if reacts {
        commands.look_first(open, turn);
    } else {
        let calls = calls(&open.plan, |planned| planned.call(&Known::nothing()));
        commands.make_calls(open, calls, turn);
    }
    Ok(())
}

/// What a call of a service is announced with: its data, and behind them its target, which counts where both name something.
fn called(call: &ServiceCall<'_>) -> JsonText {
    #[derive(Serialize)]
    struct Called<'c> {
        domain: &'c str,
        service: &'c str,
        service_data: IndexMap<Cow<'c, str>, &'c RawValue>,
    }
    let objects = [call.data, call.target].into_iter().flatten();
    let fields = objects.filter_map(|object| {
        serde_json::from_str::<IndexMap<Cow<'_, str>, &RawValue>>(object.as_str()).ok()
    });
    let called = Called {
        domain: call.domain,
        service: call.service,
        service_data: fields.flatten().collect(),
    };
    let text = serde_json::to_string(&called).ok();
    let announced = text.and_then(|text| JsonText::parse(&text).ok());
    announced.unwrap_or_else(JsonText::empty_object)
}

/// A field that is an object. `null` is as good as absent.
fn object(fields: &Object<'_>, name: &str) -> Option<JsonText> {
    let value = fields.get(name)?;
    value
        .get()
        .starts_with('{')
        .then(|| JsonText::from_raw(value))
}

fn calls(plan: &Plan, call: impl Fn(&Planned) -> Option<Call>) -> Vec<Call> {
    plan.todo.iter().filter_map(call).collect()
}

impl Commands {
    /// Looks at what the modules say now, since what is to be done depends on it.
    fn look_first(&mut self, open: OpenCall, turn: &mut Turn<'_>) {
        let mut places: Vec<Arc<ModulePath>> = Vec::new();
        for planned in &open.plan.todo {
            if !places.contains(&planned.path) {
                places.push(Arc::clone(&planned.path));
            }
        }
        let look = Request::Query(Query::Snapshot(places));
        self.ask(look, Waiting::Looked(Box::new(open)), turn);
    }

    /// It is known what the modules say.
    pub(super) fn looked(
        &mut self,
        open: OpenCall,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_>,
    ) {
        let events = match reply {
            Ok(reply) => events_of(reply),
            Err(failure) => {
                turn.frames.error(&open.id.to_string(), &failure.into());
                return;
            }
        };
        let snapshot = Snapshot::new(&events);
        let calls = calls(&open.plan, |planned| {
            planned.call(&snapshot.known(&planned.path))
        });
        self.make_calls(open, calls, turn);
    }

    fn make_calls(&mut self, mut open: OpenCall, calls: Vec<Call>, turn: &mut Turn<'_>) {
        let (id, act) = (open.id, open.act);
        open.left = calls.len();
        open.returned = vec![None; calls.len()];
        if calls.is_empty() {
            self.finish(open, turn);
            return;
        }
        self.calls.push(open);
        for (place, call) in calls.into_iter().enumerate() {
            let request = Request::Call(call.request(act));
            self.ask(request, Waiting::Called(id, place), turn);
        }
    }

    /// A module has answered.
    pub(super) fn called(
        &mut self,
        id: u64,
        place: usize,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_>,
    ) {
        let Some(at) = self.calls.iter().position(|open| open.id == id) else {
            return;
        };
        if reply.is_ok() {
            self.note_press(&self.calls[at], place, turn);
        }
        let open = &mut self.calls[at];
        open.left -= 1;
        match reply {
            // A call has no other success.
            Ok(reply) => {
                if let Some((value, _)) = reply.returned() {
                    open.returned[place] = Some(value.clone());
                }
            }
            Err(failure) => {
                open.failure.get_or_insert_with(|| failure.into());
            }
        }
        if open.left == 0 {
            let open = self.calls.swap_remove(at);
            if self.calls.is_empty() {
                self.calls = Vec::new();
            }
            self.finish(open, turn);
        }
    }

    /// A call has succeeded. If it is a button's, the button remembers that, and the client's own subscriptions are told; others see it when they ask or subscribe.
    fn note_press(&self, open: &OpenCall, place: usize, turn: &mut Turn<'_>) {
        let (at, act) = (Timestamp::from_secs((turn.ambient.clock)()), open.act);
        let planned = open.plan.todo.get(place);
        let Some((entity, press)) = planned.and_then(|planned| planned.done(at)) else {
            return;
        };
        for subscription in &self.subscriptions {
            let id = subscription.id;
            match &subscription.about {
                Subscribed::Entities(filter) if filter.passes(&entity.id) => {
                    turn.frames.event(id, |out| {
                        out.extend_from_slice(b"{\"c\":{");
                        put_json(&*entity.id, out);
                        out.extend_from_slice(b":{\"+\":");
                        entity.write_press(at, &self.context(act), out);
                        out.extend_from_slice(b"}}}");
                    });
                }
                Subscribed::Events(names) if names.have(STATE_CHANGED) => {
                    let data = change_of_state(&entity.id, &press.old, &press.new);
                    let happening = Happening {
                        name: STATE_CHANGED,
                        data: &data,
                        at,
                        context: self.context(act),
                    };
                    turn.frames.event(id, |out| happening.write(out));
                }
                Subscribed::Nothing
                | Subscribed::Entities(_)
                | Subscribed::Events(_)
                | Subscribed::Status(_)
                | Subscribed::Template(_)
                | Subscribed::Triggers(_) => {}
            }
        }
    }

    fn finish(&self, open: OpenCall, turn: &mut Turn<'_>) {
        if let Some(failure) = open.failure {
            turn.frames.error(&open.id.to_string(), &failure);
            return;
        }
        let context = self.context(open.act);
        turn.frames.result(open.id, |out| {
            out.extend_from_slice(b"{\"context\":");
            context.write(out);
            if open.response == Response::Wanted {
                let returned: Vec<JsonText> = open.returned.into_iter().flatten().collect();
                out.extend_from_slice(b",\"response\":");
                out.extend_from_slice(open.plan.response(&returned).as_str().as_bytes());
            }
            out.push(b'}');
        });
    }
}

impl From<ServiceError> for CommandError {
    fn from(error: ServiceError) -> Self {
        let code = match error.kind {
            ServiceErrorKind::NotFound => ErrorCode::NotFound,
            ServiceErrorKind::InvalidFormat => ErrorCode::InvalidFormat,
            ServiceErrorKind::Validation => ErrorCode::ServiceValidationError,
        };
        let answer = Self::new(code, error.text);
        match error.translation {
            Some(translation) => answer.translated(Translation {
                key: translation.key,
                domain: translation.domain,
                placeholders: translation.placeholders,
            }),
            None => answer,
        }
    }
}
