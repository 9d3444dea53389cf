//! Triggers that fired, as their states tell it.
//!
//! A state counts how often its trigger fired. So a count that is higher than the one before is a firing, and every other change of a state is none.

use serde::{Deserialize, Serialize};

use crate::dialects::pusher::frames::{json, put_event};
use crate::dialects::pusher::room::Room;
use crate::model::{BuildingView, Event, JsonText, ModuleIndex, ModuleName, ModulePath, SystemId};

/// The event of a trigger that fired.
const FIRED: &str = "trigger.fired";

/// The module that has the states of the triggers of a system.
const MODULE: &str = "_TRIGGER_";

/// Where the states of the triggers of a system are.
pub(super) fn states_of(system: &SystemId) -> ModulePath {
    ModulePath {
        system: system.clone(),
        module: ModuleName::new(MODULE).expect("it is a name"),
        index: ModuleIndex::FIRST,
    }
}

/// Writes that a trigger fired, if this change of its state says so. For a client that missed some states it is one event, with the last of them.
pub(super) fn put_firing(event: &Event, building: &BuildingView, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Data<'a> {
        id: &'a str,
        name: &'a str,
        values: &'a JsonText,
    }
    let Event::Value {
        path, value, old, ..
    } = event
    else {
        return;
    };
    let (Some(values), Some(before)) = (value, old) else {
        return;
    };
    let counts = firings(before).zip(firings(values));
    if counts.is_none_or(|(before, now)| before >= now) {
        return;
    }
    let id = path.status.as_str();
    let mut triggers = building.triggers.iter();
    let trigger = triggers.find(|trigger| trigger.id.as_str() == id);
    let data = json(&Data {
        id,
        name: trigger.map_or("", |trigger| &trigger.name),
        values,
    });
    let channel = Room::Triggers(path.module.system.clone()).channel();
    put_event(FIRED, Some(&channel), &data, out);
}

/// How often a trigger fired, by its state.
fn firings(state: &JsonText) -> Option<u64> {
    #[derive(Deserialize)]
    struct State {
        trigger_count: u64,
    }
    let state: State = state.to().ok()?;
    Some(state.trigger_count)
}
