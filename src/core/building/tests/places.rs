//! Entities and commands: what an edit refuses of them, and what becomes of them when a module leaves its place.

use super::*;
use crate::model::{Collection, CustomCommand, EntityOverride, Value, Values};

fn entity(status: &str, fields: &[(&str, Value<'static>)]) -> Entry {
    let mut values = Values::none().with("status", Value::Text(status.to_owned().into()));
    for (name, value) in fields {
        values.put(name, value.clone());
    }
    Entry::Entity(EntityOverride::build(values).unwrap())
}

fn command(name: &str, field: &str, value: Value<'static>) -> Entry {
    let values = Values::none()
        .with("type", Value::Text(name.to_owned().into()))
        .with(field, value);
    Entry::Command(CustomCommand::build(values).unwrap())
}

fn json(text: &'static str) -> Value<'static> {
    Value::Json(text.into())
}

/// An entity, and each kind of command, around the one module of the building.
fn all() -> [Entry; 4] {
    [
        entity("sys-1/Scratch_1/level", &[]),
        command("lamp/call", "call", json("\"sys-1/Scratch_1/echo\"")),
        command(
            "lamp/follow",
            "subscribe",
            Value::Text("sys-1/Scratch_1/level".into()),
        ),
        command("lamp/kind", "result", json("{\"b\": 1.50}")),
    ]
}

async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench.edit(all().map(Edit::create)).await.unwrap();
    bench
}

#[tokio::test(start_paused = true)]
async fn a_view_has_the_entities_and_commands_in_the_order_in_which_they_were_made() {
    let bench = bench().await;
    let view = bench.core.views.view();
    let statuses = view.entities.iter().map(|entity| entity.status.as_str());
    assert_eq!(statuses.collect::<Vec<_>>(), ["sys-1/Scratch_1/level"]);
    let commands = view.commands.iter().map(|command| command.command.as_str());
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands, ["lamp/call", "lamp/follow", "lamp/kind"]);
}

#[tokio::test(start_paused = true)]
async fn entities_and_commands_are_for_administrators() {
    let bench = Bench::new().await;
    let support = bench.authenticate("support").unwrap();
    for entry in all() {
        let edited = bench.core.editor.edit(&support, vec![Edit::put(entry)]);
        let refused = edited.await.unwrap_err();
        assert!(matches!(refused, EditError::Forbidden(_)), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_sound_is_refused_by_its_field() {
    let bench = Bench::new().await;
    let options = ("options", Value::Texts(vec!["a".into()]));
    let sensor = ("domain", Value::Text("sensor".into()));
    let wrong = entity("sys-1/Scratch_1/x", &[sensor, options]);
    check_invalid(&bench, wrong, &["options"]).await;
    check_invalid(&bench, entity("sys-1/Lamp_1/x", &[]), &["status"]).await;
    check_invalid(&bench, entity("sys-9/Scratch_1/x", &[]), &["status"]).await;
    let call = json("\"sys-1/Scratch_2/echo\"");
    check_invalid(&bench, command("lamp/call", "call", call), &["call"]).await;
    let own = command("lovelace/config", "result", json("1"));
    check_invalid(&bench, own, &["type"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_names_a_place_goes_with_the_module_there() {
    for (edit, left) in [
        (Edit::put(Entry::System(room("sys-1", &[]))), (0, 1)),
        (Edit::delete(module_id("mod-1")), (0, 1)),
        (
            Edit::put(Entry::Module(scripted("mod-1", Some("Lamp")))),
            (0, 1),
        ),
        (Edit::delete(EntryId::System(system("sys-1"))), (0, 1)),
        (Edit::put(Entry::Zone(zone("zone-1"))), (1, 3)),
    ] {
        let shown = format!("{:?}", edit.change);
        let bench = bench().await;
        bench.edit([edit]).await.unwrap();
        let view = bench.core.views.view();
        let counts = (view.entities.len(), view.commands.len());
        assert_eq!(counts, left, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn support_staff_may_empty_a_place_that_an_entity_names() {
    let bench = bench().await;
    let support = bench.authenticate("support").unwrap();
    let emptied = Edit::put(Entry::System(room("sys-1", &[])));
    let edited = bench.core.editor.edit(&support, vec![emptied]).await;
    assert_eq!(edited.unwrap().0.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_this_batch_itself_puts_at_an_empty_place_is_a_mistake() {
    let bench = bench().await;
    let [entity, ..] = all();
    let edits = [Edit::delete(module_id("mod-1")), Edit::put(entity)];
    let refused = bench.edit(edits).await.unwrap_err();
    assert_eq!(fields(refused), ["status"]);
}

#[tokio::test(start_paused = true)]
async fn a_file_owns_the_entities_and_commands_that_it_named() {
    let bench = Bench::new().await;
    let apply = async |entries: Vec<Entry>| {
        let mut building = building();
        for entry in entries {
            match entry {
                Entry::Entity(entity) => building.entities.push(entity),
                Entry::Command(command) => building.commands.push(command),
                Entry::Zone(_)
                | Entry::System(_)
                | Entry::Module(_)
                | Entry::User(_)
                | Entry::ApiKey(_)
                | Entry::Metadata(_)
                | Entry::App(_)
                | Entry::Service(_)
                | Entry::Procedure(_)
                | Entry::Hook(_)
                | Entry::Trigger(_) => panic!("{entry:?}"),
            }
        }
        doubles::apply(&bench.core, building).await.unwrap();
    };
    let elsewhere = entity("sys-1/Scratch_1/other", &[]);
    bench.edit([Edit::create(elsewhere)]).await.unwrap();
    apply(all().to_vec()).await;
    assert_eq!(bench.core.views.view().entities.len(), 2);
    apply(Vec::new()).await;
    let view = bench.core.views.view();
    assert_eq!((view.entities.len(), view.commands.len()), (1, 0));
    assert_eq!(view.entities[0].status.as_str(), "sys-1/Scratch_1/other");
}

#[tokio::test(start_paused = true)]
async fn an_unrestricted_administrator_exports_what_the_file_says_again() {
    let bench = bench().await;
    let admin = bench.authenticate("admin").unwrap();
    let exported = bench.core.editor.export(&admin).unwrap();
    let entries = exported.entities.into_iter().map(Entry::Entity);
    let commands = exported.commands.into_iter().map(Entry::Command);
    assert_eq!(entries.chain(commands).collect::<Vec<_>>(), all());
}

fn module_id(id: &str) -> EntryId {
    EntryId::Module(module(id))
}
