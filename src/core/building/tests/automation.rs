//! Procedures, hooks and triggers: what an edit refuses of them, and what goes with what they need.

use super::*;
use crate::model::{
    Collection, Hook, HookName, Procedure, ProcedureId, Trigger, TriggerId, Value, Values,
};

fn procedure(id: &str, parameters: &[&str], steps: &str) -> Procedure {
    let parameters = parameters.iter().map(|name| (*name).to_owned().into());
    let values = Values::none()
        .with("id", Value::Text(id.to_owned().into()))
        .with("parameters", Value::Texts(parameters.collect()))
        .with("steps", Value::Json(steps.to_owned().into()));
    Procedure::build(values).unwrap()
}

fn hook(name: &str, run: &str, args: &str) -> Hook {
    let values = Values::none()
        .with("name", Value::Text(name.to_owned().into()))
        .with("run", Value::Text(run.to_owned().into()))
        .with("args", Value::Json(args.to_owned().into()));
    Hook::build(values).unwrap()
}

fn trigger(id: &str, system: &str, when: &str, then: &str) -> Trigger {
    let values = Values::none()
        .with("id", Value::Text(id.to_owned().into()))
        .with("system", Value::Text(system.to_owned().into()))
        .with("when", Value::Json(when.to_owned().into()))
        .with("then", Value::Json(then.to_owned().into()));
    Trigger::build(values).unwrap()
}

fn procedure_id(id: &str) -> EntryId {
    EntryId::Procedure(ProcedureId::new(id).unwrap())
}

const WEBHOOK: &str = r#"[{"webhook":true,"secret":"s"}]"#;

#[tokio::test(start_paused = true)]
async fn what_mentions_nothing_that_is_there_is_refused_by_its_field() {
    let bench = Bench::new().await;
    let welcome = procedure("welcome", &["who"], "[]");
    bench
        .edit([Edit::put(Entry::Procedure(welcome))])
        .await
        .unwrap();
    for steps in [
        r#"[{"run":"nothing"}]"#,
        r#"[{"run":"welcome"}]"#,
        r#"[{"if":"true","then":[{"call":"sys-1/Nothing_9/on"}]}]"#,
    ] {
        let lost = Entry::Procedure(procedure("lost", &[], steps));
        check_invalid(&bench, lost, &["steps"]).await;
    }
    let run = hook("h", "nothing", "[1]");
    check_invalid(&bench, Entry::Hook(run), &["run"]).await;
    let args = hook("h", "welcome", r#"{"whom":1}"#);
    check_invalid(&bench, Entry::Hook(args), &["args", "args"]).await;
    let when = r#"[{"status":"Nothing_9/on","is":"==","than":1}]"#;
    let of_nothing = trigger("t", "sys-1", when, r#"[{"run":"nothing"}]"#);
    check_invalid(&bench, Entry::Trigger(of_nothing), &["then", "when"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_hook_and_a_webhook_have_no_name_in_common() {
    let bench = Bench::new().await;
    let entries = [
        Entry::Procedure(procedure("p", &[], "[]")),
        Entry::Trigger(trigger("called", "sys-1", WEBHOOK, "[]")),
        Entry::Trigger(trigger("heard", "sys-1", r#"[{"event":"x"}]"#, "[]")),
        Entry::Hook(hook("heard", "p", "[]")),
    ];
    bench.edit(entries.map(Edit::put)).await.unwrap();
    let taken = Entry::Hook(hook("called", "p", "[]"));
    check_invalid(&bench, taken, &["name"]).await;
    let taken = Entry::Trigger(trigger("heard", "sys-1", WEBHOOK, "[]"));
    check_invalid(&bench, taken, &["id"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_procedure_that_something_runs_is_not_deleted_without_it() {
    let bench = Bench::new().await;
    let run = r#"[{"if":"true","then":[{"run":"p"}]}]"#;
    let entries = [
        Entry::Procedure(procedure("p", &[], "[]")),
        Entry::Procedure(procedure("q", &[], run)),
        Entry::Hook(hook("h", "p", "[]")),
        Entry::Trigger(trigger("t", "sys-1", WEBHOOK, run)),
    ];
    bench.edit(entries.map(Edit::put)).await.unwrap();
    let (p, q) = (procedure_id("p"), procedure_id("q"));
    let hook_id = EntryId::Hook(HookName::new("h").unwrap());
    let trigger_id = EntryId::Trigger(TriggerId::new("t").unwrap());
    let refused = bench.edit([Edit::delete(p.clone())]).await.unwrap_err();
    let EditError::InUse { id, mut by } = refused else {
        panic!("{refused}");
    };
    by.sort_by_key(EntryId::to_string);
    let expected = [hook_id.clone(), q.clone(), trigger_id.clone()];
    assert_eq!((id, by), (p.clone(), expected.to_vec()));
    // One that the batch puts so that it runs it still is a mistake of its own.
    let again = Entry::Hook(hook("h", "p", "[1]"));
    let others = [Edit::delete(q.clone()), Edit::delete(trigger_id)];
    let batch = others
        .into_iter()
        .chain([Edit::put(again), Edit::delete(p.clone())]);
    let refused = bench.edit(batch).await.unwrap_err();
    assert!(matches!(refused, EditError::Invalid(_)), "{refused}");

    // With its system the trigger goes too.
    let system = EntryId::System(system("sys-1"));
    let gone = [system, hook_id, p, q].map(Edit::delete);
    bench.edit(gone).await.unwrap();
    let directory = bench.core.queries.directory();
    assert_eq!(directory.procedures().count(), 0);
    assert!(directory.trigger(&TriggerId::new("t").unwrap()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_procedure_that_a_file_has_no_longer_goes_with_the_hooks_that_run_it() {
    let bench = Bench::new().await;
    let with = |procedures: &[&str]| Building {
        procedures: procedures
            .iter()
            .map(|id| procedure(id, &[], "[]"))
            .collect(),
        ..building()
    };
    doubles::apply(&bench.core, with(&["p"])).await.unwrap();
    let made = Entry::Hook(hook("h", "p", "[]"));
    bench.edit([Edit::put(made)]).await.unwrap();
    doubles::apply(&bench.core, with(&[])).await.unwrap();
    let directory = bench.core.queries.directory();
    assert!(directory.hook(&HookName::new("h").unwrap()).is_none());
}
