//! What an address `/hook/NAME` does: a hook runs a procedure or calls a function, and a webhook of a trigger fires it.
//!
//! Whoever calls has shown no credentials of a user, so the building itself acts, with the level of the hook.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::hook_event::{for_steps, for_the_bus};
use super::runner::{Acting, Runner, Work};
use crate::automation::causes;
use crate::automation::filled::Filled;
use crate::automation::metrics::RunKind;
use crate::automation::ports::{Building, itself};
use crate::core::{Directory, TRIGGER_NOTIFY};
use crate::driver_host::CallChain;
use crate::expressions::{Scope, Value};
use crate::model::{
    Clearance, Condition, ExecRequest, Failure, FailureKind, FunctionName, Hook, HookMethod,
    HookName, HookOutcome, HookReply, HookRequest, JsonText, ModuleAddress, RequiredHeaders,
    Secret, Trigger, TriggerId, WebhookKey,
};

/// What requests are announced as on the bus.
const BUS_EVENT: &str = "webhook";

/// As whom they are: whoever calls an address has shown nothing that the bus could trust.
const STRANGER: &str = "hooks";

/// What stands behind a name.
enum Address {
    Hook(Arc<Hook>),
    Webhook(Arc<Trigger>),
    Nothing,
}

impl Address {
    fn of(name: &str, directory: &Directory) -> Self {
        let hook = HookName::new(name).ok();
        if let Some(hook) = hook.and_then(|name| directory.hook(&name).cloned()) {
            return Self::Hook(hook);
        }
        let trigger = TriggerId::new(name).ok();
        let trigger = trigger.and_then(|id| directory.trigger(&id).cloned());
        match trigger.filter(|trigger| trigger.is_webhook()) {
            Some(trigger) => Self::Webhook(trigger),
            None => Self::Nothing,
        }
    }

    /// The names of the headers that it asks for.
    fn headers(&self) -> Vec<&str> {
        let required = match self {
            Self::Hook(hook) => Some(&hook.header),
            Self::Webhook(trigger) => match key_of(trigger) {
                Some(WebhookKey::Headers(headers)) => Some(headers),
                Some(WebhookKey::Secret(_)) | None => None,
            },
            Self::Nothing => None,
        };
        let required = required.into_iter().flat_map(RequiredHeaders::list);
        required.map(|(name, _)| name.as_str()).collect()
    }
}

/// Does what the address does, and says what is answered.
pub(super) async fn serve(runner: &Runner, request: HookRequest) -> HookOutcome {
    let served = async {
        let building = runner.ports().building()?;
        let directory = building.queries.directory();
        let address = Address::of(&request.name, &directory);
        tell_the_bus(&building, &request, &address.headers())?;
        Ok(match &address {
            Address::Hook(hook) => serve_hook(runner, building, hook, &request).await,
            Address::Webhook(trigger) => fire(&building, &directory, trigger, &request).await,
            Address::Nothing => HookOutcome::Unknown,
        })
    };
    served.await.unwrap_or_else(HookOutcome::Failed)
}

fn tell_the_bus(
    building: &Building,
    request: &HookRequest,
    own_headers: &[&str],
) -> Result<(), Failure> {
    let stranger = itself(STRANGER, Clearance::User)?;
    let event = for_the_bus(request, own_headers);
    building.access.announce(&stranger, BUS_EVENT, event);
    Ok(())
}

async fn serve_hook(
    runner: &Runner,
    building: Building,
    hook: &Arc<Hook>,
    request: &HookRequest,
) -> HookOutcome {
    let method = HookMethod::of(&request.method);
    if !method.is_some_and(|method| hook.takes(method)) {
        let allow = hook.allowed();
        return HookOutcome::NotAllowed { allow };
    }
    if !has_all(request, &hook.header) {
        tracing::warn!(hook = %hook.name, address = %request.address, "a hook was called without what it asks for");
        return HookOutcome::Refused;
    }
    match act(runner, building, hook, request).await {
        Ok(value) => HookOutcome::Answered(answer(hook, value)),
        Err(failure) if failure.kind() == FailureKind::Busy => HookOutcome::Busy,
        Err(failure) => {
            tracing::warn!(hook = %hook.name, %failure, "a hook failed");
            HookOutcome::Failed(failure)
        }
    }
}

async fn act(
    runner: &Runner,
    building: Building,
    hook: &Arc<Hook>,
    request: &HookRequest,
) -> Result<JsonText, Failure> {
    let headers = hook.header.list().iter();
    let headers: Vec<&str> = headers.map(|(name, _)| name.as_str()).collect();
    let event = Value::of_json(&for_steps(request, &headers));
    let acting = Acting {
        caller: itself(hook.name.as_str(), hook.level)?,
        system: None,
        act: causes::act(0),
    };
    let args = arguments(runner, &building, hook, event.clone(), &acting).await?;
    if let Some(path) = &hook.call {
        let target = path.target();
        let exec = ExecRequest {
            module: ModuleAddress::Place(target.module.clone()),
            function: target.function.clone(),
            arguments: args.unwrap_or_else(JsonText::empty_object),
            act: Some(acting.act),
        };
        let called = building
            .access
            .call_within(&acting.caller, exec, &CallChain::default());
        let reply = called.await?;
        let returned = reply.returned();
        return Ok(returned.map_or_else(JsonText::null, |(value, _)| value.clone()));
    }
    let directory = building.queries.directory();
    let procedure = hook.run.as_ref().and_then(|id| directory.procedure(id));
    let program = procedure.and_then(|it| runner.programs().of(it, &directory));
    let program = program.ok_or_else(|| {
        let message = "there is no procedure that this hook could run";
        Failure::new(FailureKind::FunctionNotFound, message)
    })?;
    let work = Work {
        kind: RunKind::Hook,
        program,
        args,
        event,
    };
    drop(building);
    runner.run(work, &acting).await.result
}

/// What the procedure or the function is given.
async fn arguments(
    runner: &Runner,
    building: &Building,
    hook: &Arc<Hook>,
    event: Value,
    acting: &Acting,
) -> Result<Option<JsonText>, Failure> {
    let Some(args) = hook.args.clone() else {
        return Ok(None);
    };
    let evaluated = runner
        .with_outside(building.clone(), acting, move |outside| {
            let filled = Filled::parse(&args).map_err(|error| error.to_string())?;
            let mut scope = Scope::new();
            scope.set("event", event);
            let value = filled.evaluate(&scope, outside);
            value.map_err(|error| error.to_string())
        })
        .await?;
    let unevaluated = |reason| {
        let message = format!("`args` of the hook: {reason}");
        Failure::new(FailureKind::BadRequest, message)
    };
    let value = evaluated.map_err(unevaluated)?;
    Ok(Some(value.to_json()))
}

/// What the caller is answered: what the hook says, what a function says as an answer, or the result.
fn answer(hook: &Hook, value: JsonText) -> HookReply {
    if let Some(respond) = &hook.respond {
        return HookReply {
            status: respond.status,
            headers: Vec::new(),
            body: respond.body.clone(),
        };
    }
    let as_answer = hook.call.as_ref().and_then(|_| whole_answer(&value));
    as_answer.unwrap_or(HookReply {
        status: 200,
        headers: Vec::new(),
        body: value,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WholeAnswer {
    status: u16,
    #[serde(default)]
    headers: IndexMap<String, String>,
    body: Option<JsonText>,
}

/// A result that is an answer by itself: `{"status": 302, "headers": {"Location": "/"}}`.
fn whole_answer(value: &JsonText) -> Option<HookReply> {
    let answer: WholeAnswer = value.to().ok()?;
    (200..=599).contains(&answer.status).then(|| HookReply {
        status: answer.status,
        headers: answer.headers.into_iter().collect(),
        body: answer.body.unwrap_or_else(JsonText::null),
    })
}

/// Fires a trigger, wherever it runs. One that is not enabled is none, as in PlaceOS.
async fn fire(
    building: &Building,
    directory: &Directory,
    trigger: &Trigger,
    request: &HookRequest,
) -> HookOutcome {
    if !trigger.enabled {
        return HookOutcome::Unknown;
    }
    let (is_let_in, headers) = match key_of(trigger) {
        Some(WebhookKey::Secret(secret)) => {
            let mut shown = request.args.iter().filter(|(key, _)| key == "secret");
            (shown.any(|(_, shown)| is(shown, secret)), Vec::new())
        }
        Some(WebhookKey::Headers(headers)) => {
            let names = headers.list().iter().map(|(name, _)| name.as_str());
            (has_all(request, headers), names.collect())
        }
        None => (false, Vec::new()),
    };
    if !is_let_in {
        tracing::warn!(trigger = %trigger.id, address = %request.address, "a webhook was called without what it asks for");
        return HookOutcome::Refused;
    }
    let event = for_steps(request, &headers);
    match notify(building, directory, trigger, event).await {
        Ok(()) => HookOutcome::Answered(HookReply {
            status: 200,
            headers: Vec::new(),
            body: JsonText::null(),
        }),
        Err(failure) if failure.kind() == FailureKind::Busy => HookOutcome::Busy,
        Err(failure) => HookOutcome::Failed(failure),
    }
}

/// Tells the module of the trigger, once.
async fn notify(
    building: &Building,
    directory: &Directory,
    trigger: &Trigger,
    event: JsonText,
) -> Result<(), Failure> {
    let module = directory.trigger_module(&trigger.id).ok_or_else(|| {
        let message = "the trigger does not run";
        Failure::new(FailureKind::Unavailable, message)
    })?;
    let id = JsonText::of(trigger.id.as_str()).expect("a text can be written as JSON");
    let exec = ExecRequest {
        module: ModuleAddress::Id {
            id: module,
            system: None,
        },
        function: FunctionName::new(TRIGGER_NOTIFY).expect("a constant"),
        arguments: JsonText::of(&[id, event]).expect("JSON can be written as JSON"),
        act: None,
    };
    let caller = itself(trigger.id.as_str(), Clearance::Support)?;
    building.access.call(&caller, exec).await?;
    Ok(())
}

fn key_of(trigger: &Trigger) -> Option<&WebhookKey> {
    let mut conditions = trigger.when.list().iter();
    conditions.find_map(|condition| match condition {
        Condition::Webhook(key) => Some(key),
        Condition::Status { .. }
        | Condition::Event { .. }
        | Condition::Cron { .. }
        | Condition::At(_) => None,
    })
}

/// Whether a request has all of these headers.
fn has_all(request: &HookRequest, required: &RequiredHeaders) -> bool {
    let mut required = required.list().iter();
    required.all(|(name, secret)| {
        let mut shown = request.headers.iter();
        shown.any(|(shown, value)| shown.eq_ignore_ascii_case(name) && is(value, secret))
    })
}

/// Takes as long for a text that is nearly right.
fn is(shown: &str, secret: &Secret) -> bool {
    bool::from(shown.as_bytes().ct_eq(secret.expose().as_bytes()))
}
