//! What is wrong with a procedure, a hook or a trigger beside the rest of a building.
//!
//! Separate from the other checks, since what these mention stands inside of steps and conditions.

use crate::core::directory::Directory;
use crate::model::{
    EntryId, Flaw, Hook, HookName, JsonText, Mention, Misfit, ModulePath, Procedure, ProcedureId,
    Step, Trigger, TriggerId, TriggerPath, Wrong,
};

/// All that is wrong with an entry of one of these kinds; nothing for any other.
pub(super) fn mistakes(next: &Directory, id: &EntryId) -> Vec<Wrong> {
    let mistakes = match id {
        EntryId::Procedure(id) => next.procedure(id).map(|it| of_procedure(next, it)),
        EntryId::Hook(name) => next.hook(name).map(|it| of_hook(next, it)),
        EntryId::Trigger(id) => next.trigger(id).map(|it| of_trigger(next, it)),
        EntryId::Zone(_)
        | EntryId::System(_)
        | EntryId::Module(_)
        | EntryId::User(_)
        | EntryId::ApiKey(_)
        | EntryId::Metadata(_)
        | EntryId::Entity(_)
        | EntryId::Command(_)
        | EntryId::App(_)
        | EntryId::Service(_) => None,
    };
    mistakes.unwrap_or_default()
}

/// What runs a procedure.
pub(super) fn users(next: &Directory, procedure: &ProcedureId) -> Vec<EntryId> {
    let is_run = |runs: Vec<Mention<(&ProcedureId, Option<&JsonText>)>>| {
        runs.iter().any(|run| run.of.0 == procedure)
    };
    let procedures = next.procedures().filter(|it| is_run(it.procedures()));
    let hooks = next.hooks().filter(|it| it.run.as_ref() == Some(procedure));
    let triggers = next.triggers().filter(|it| is_run(it.procedures()));
    let procedures = procedures.map(|it| EntryId::Procedure(it.id.clone()));
    let hooks = hooks.map(|it| EntryId::Hook(it.name.clone()));
    let triggers = triggers.map(|it| EntryId::Trigger(it.id.clone()));
    procedures.chain(hooks).chain(triggers).collect()
}

fn of_procedure(next: &Directory, procedure: &Procedure) -> Vec<Wrong> {
    let mut wrong = said(procedure.mistakes());
    for path in procedure.paths() {
        wrong.extend(no_module(
            next,
            path.field,
            path.steps,
            &path.of.target().module,
        ));
    }
    wrong.extend(of_runs(next, procedure.procedures()));
    wrong
}

fn of_hook(next: &Directory, hook: &Hook) -> Vec<Wrong> {
    let mut wrong = said(hook.mistakes());
    if let Some(call) = &hook.call {
        wrong.extend(no_module(next, "call", Vec::new(), &call.target().module));
    }
    // That there is no such procedure is said of every reference.
    if let Some(procedure) = hook.run.as_ref().and_then(|run| next.procedure(run)) {
        let within = if hook.args.is_some() { "args" } else { "run" };
        let faults = faults(procedure, hook.args.as_ref());
        wrong.extend(faults.map(|reason| inside(within, Vec::new(), reason)));
    }
    let id = TriggerId::new(hook.name.as_str()).ok();
    let trigger = id.and_then(|id| next.trigger(&id));
    if trigger.is_some_and(|trigger| trigger.is_webhook()) {
        let reason = "is that of a trigger, which is called at the same address";
        wrong.push(inside("name", Vec::new(), reason.to_owned()));
    }
    wrong
}

fn of_trigger(next: &Directory, trigger: &Trigger) -> Vec<Wrong> {
    let mut wrong = said(trigger.mistakes());
    for path in trigger.paths() {
        let place = match &path.of {
            TriggerPath::Status(path) => &path.target().module,
            TriggerPath::Function(path) => &path.target().module,
        };
        wrong.extend(no_module(next, path.field, path.steps.clone(), place));
    }
    wrong.extend(of_runs(next, trigger.procedures()));
    let name = HookName::new(trigger.id.as_str()).ok();
    if trigger.is_webhook() && name.is_some_and(|name| next.hook(&name).is_some()) {
        let reason = "is that of a hook, which is called at the same address";
        wrong.push(inside("id", Vec::new(), reason.to_owned()));
    }
    wrong
}

fn said(mistakes: Vec<(&'static str, Flaw)>) -> Vec<Wrong> {
    let mistakes = mistakes.into_iter();
    let wrong = mistakes.map(|(field, flaw)| Wrong {
        field,
        reason: flaw.to_string(),
    });
    wrong.collect()
}

fn inside(field: &'static str, steps: Vec<Step>, reason: String) -> Wrong {
    let misfit = Misfit::Other(reason);
    let reason = Flaw { steps, misfit }.to_string();
    Wrong { field, reason }
}

fn no_module(
    next: &Directory,
    field: &'static str,
    steps: Vec<Step>,
    place: &ModulePath,
) -> Option<Wrong> {
    let reason = format!("names the place `{place}`, at which no module stands");
    (!next.is_taken(place)).then(|| inside(field, steps, reason))
}

/// Procedures that are not there, and what does not fit those that are.
fn of_runs(
    next: &Directory,
    runs: Vec<Mention<(&ProcedureId, Option<&JsonText>)>>,
) -> impl Iterator<Item = Wrong> {
    runs.into_iter().flat_map(|run| {
        let (id, args) = run.of;
        let reasons: Vec<String> = match next.procedure(id) {
            Some(procedure) => faults(procedure, args).collect(),
            None => vec![format!("names the procedure `{id}`, which is not there")],
        };
        let wrong = reasons.into_iter();
        let wrong = wrong.map(|reason| inside(run.field, run.steps.clone(), reason));
        wrong.collect::<Vec<_>>()
    })
}

/// What does not fit a procedure of its arguments; nothing where an expression makes them as a whole.
fn faults(procedure: &Procedure, args: Option<&JsonText>) -> impl Iterator<Item = String> {
    let is_made = args.is_some_and(|args| args.as_str().starts_with('"') && has_expression(args));
    let faults = match is_made {
        true => Vec::new(),
        false => procedure.parameters.faults(args),
    };
    faults.into_iter().map(|fault| fault.to_string())
}

fn has_expression(json: &JsonText) -> bool {
    json.as_str().contains("{{")
}
