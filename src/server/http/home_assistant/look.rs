//! What modules say, for the time of one request: before it does something and after it.
//!
//! Separate from the websocket's subscriptions, since a request over HTTP follows nothing.

use std::collections::HashSet;
use std::sync::Arc;

use crate::core::{Caller, Core};
use crate::dialects::home_assistant::View;
use crate::dialects::home_assistant::entities::{Entity, ModuleEntities, Snapshot};
use crate::model::{Event, Failure, JsonText, ModulePath, StatusName, Subject, Timestamp};

/// The modules that a caller may read, in the view's order.
pub(super) fn readable<'v>(
    core: &'v Core,
    caller: &'v Caller,
    view: &'v View,
) -> impl Iterator<Item = &'v Arc<ModuleEntities>> {
    view.modules()
        .iter()
        .filter(move |module| may_read(core, caller, &module.path))
}

/// Whether a caller may read the statuses of the module at a place. Lists show only what is within reach, so nothing is written to the audit log.
pub(super) fn may_read(core: &Core, caller: &Caller, path: &Arc<ModulePath>) -> bool {
    let subject = Subject::Module(Arc::clone(path));
    core.access.may_go_on(caller, &subject)
}

/// What these modules say at one moment, as far as the caller may read them.
pub(super) async fn look<'m>(
    core: &Core,
    caller: &Caller,
    modules: impl Iterator<Item = &'m Arc<ModuleEntities>>,
) -> Result<Vec<Event>, Failure> {
    let places = modules.map(|module| Arc::clone(&module.path)).collect();
    core.queries.snapshot(caller, places).await
}

/// The modules that have said something between two looks. Where a store tells no moments, all that it was asked for count.
pub(super) fn moved(before: &[Event], after: &[Event]) -> HashSet<ModulePath> {
    let known: HashSet<_> = before.iter().filter_map(said).collect();
    let all = after.iter().filter_map(said);
    let new = all.filter(|said| !known.contains(said));
    new.map(|(place, ..)| place.clone()).collect()
}

/// A value of a status, and when it came.
fn said(event: &Event) -> Option<(&ModulePath, &StatusName, Option<&JsonText>, Timestamp)> {
    match event {
        Event::Value {
            path, value, at, ..
        } => Some((&path.module, &path.status, value.as_ref(), *at)),
        Event::Entry { .. }
        | Event::Line(_)
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => None,
    }
}

/// The states of those entities of these modules that are wanted, each as JSON.
pub(super) fn states<'m>(
    modules: impl Iterator<Item = &'m Arc<ModuleEntities>>,
    events: &[Event],
    is_wanted: impl Fn(&Entity, &str) -> bool,
) -> Vec<String> {
    let snapshot = Snapshot::new(events);
    let mut states = Vec::new();
    for module in modules {
        let known = snapshot.known(&module.path);
        for entity in &module.entities {
            let mut json = Vec::new();
            entity.write_state(&known, &mut json);
            let json = String::from_utf8(json).expect("JSON is text");
            if is_wanted(entity, &json) {
                states.push(json);
            }
        }
    }
    states
}
