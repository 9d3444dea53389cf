//! How triggers stand in a room: PlaceOS's instances, for support staff to look at and for administrators to change.
//!
//! A trigger stands in one room at most. Putting it into a room gives it that room, and taking it out leaves a draft, which can be put into another.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpResponse, delete, get, post, routes};

use crate::core::Directory;
use crate::dialects::placeos::rest::{
    InstanceDocument, InstanceFilter, InstanceShape, Listing, TriggerDocument, TriggerStanding,
    trigger_id,
};
use crate::model::{
    BindingPath, Clearance, Edit, Entry, EntryId, Event, JsonText, ModuleIndex, ModuleName,
    ModulePath, StatusName, System, SystemId, Trigger, TriggerId,
};
use crate::server::http::kit::{Precondition, RequestContext, Supporter, Writer, tagged};
use crate::server::http::placeos::access::{find_system, unrestricted};
use crate::server::http::placeos::edits;
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, invalid, not_found, rejection};
use crate::server::http::placeos::resource_types::{Systems, Triggers};
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::triggers::{fresh_secret, sound, there};
use crate::server::http::placeos::{Answer, Body, HttpRejection};

/// Where the state of the triggers of a room is.
const MODULE: &str = "_TRIGGER_";

/// The triggers of a room and how they stand, for support staff. Their definitions are among the triggers.
#[utoipa::path(params(InstanceFilter, Listing), responses((status = 200, body = Vec<InstanceShape<'_>>)))]
#[get("/systems/{system}/triggers")]
pub(super) async fn list(context: Supporter<Systems>, path: Path<String>) -> Answer {
    let directory = context.directory();
    let system = find_system(&context, &directory, &path)?;
    let query = query(&context);
    let (filter, listing) = (InstanceFilter::read(&query)?, Listing::read(&query)?);
    let mut shown = Vec::new();
    for trigger in directory.triggers().filter(|it| is_in(it, system)) {
        let info = info(&directory, EntryId::Trigger(trigger.id.clone()));
        if filter.matches(trigger, info.updated_at) {
            let instance = instance(&context, &directory, trigger).await;
            shown.extend(instance.filter(|it| filter.is_asked(it)));
        }
    }
    list_of("trig", &listing.page(shown), &context)
}

/// A trigger of a room, by the id of its instance. For support staff.
#[utoipa::path(responses((status = 200, body = InstanceShape<'_>)))]
#[get("/systems/{system}/triggers/{trigger}")]
pub(super) async fn show(context: Supporter<Systems>, path: Path<(String, String)>) -> Answer {
    let directory = context.directory();
    let system = find_system(&context, &directory, &path.0)?;
    let id = find(&directory, system, &path.1)?;
    answer(&context, StatusCode::OK, &id).await
}

/// Puts a trigger into a room. For administrators.
///
/// It fires there unless the document says otherwise. 409 for one that stands in a room already: a trigger has one room, so make another for the next.
#[utoipa::path(request_body = InstanceDocument, responses((status = 201, body = InstanceShape<'_>), Changes))]
#[post("/systems/{system}/triggers")]
pub(super) async fn create(context: Writer<Triggers>, path: Path<String>, body: Body) -> Answer {
    unrestricted(&context, &path)?;
    let system = find_system(&context, &context.directory(), &path)?
        .id
        .clone();
    let document = InstanceDocument::read(&body.bytes)?;
    let id = document.trigger().map_err(invalid)?;
    change(&context, &id, |_, trigger| match &trigger.system {
        None => document.putting(trigger, &system).map_err(invalid),
        Some(room) => Err(stands_already(room)),
    })
    .await?;
    answer(&context, StatusCode::CREATED, &id).await
}

/// Changes how a trigger stands in its room: what the document leaves out stays. For administrators.
///
/// `PUT` does the same. What the trigger does is changed at its definition.
#[utoipa::path(method(patch, put), request_body = InstanceDocument, responses((status = 200, body = InstanceShape<'_>), Changes))]
#[routes]
#[patch("/systems/{system}/triggers/{trigger}")]
#[put("/systems/{system}/triggers/{trigger}")]
pub(super) async fn update(
    context: Writer<Triggers>,
    path: Path<(String, String)>,
    body: Body,
) -> Answer {
    let (system, id) = found(&context, &path)?;
    let document = InstanceDocument::read(&body.bytes)?;
    change(&context, &id, |directory, trigger| {
        find(directory, &system, id.as_str())?;
        document.amending(trigger, &system.id).map_err(invalid)
    })
    .await?;
    answer(&context, StatusCode::OK, &id).await
}

/// Takes a trigger out of its room. For administrators.
///
/// Its definition stays as a draft, and can be put into another room.
#[utoipa::path(responses((status = 202, description = "It is out."), Changes))]
#[delete("/systems/{system}/triggers/{trigger}")]
pub(super) async fn remove(context: Writer<Triggers>, path: Path<(String, String)>) -> Answer {
    let (system, id) = found(&context, &path)?;
    change(&context, &id, |directory, _| {
        find(directory, &system, id.as_str())?;
        Ok(TriggerDocument::taking_out())
    })
    .await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Whether a trigger, by the id of its definition, stands in a room.
pub(super) fn stands_in(directory: &Directory, definition: &str, system: &System) -> bool {
    let trigger = trigger_id(definition).and_then(|id| directory.trigger(&id));
    trigger.is_some_and(|trigger| is_in(trigger, system))
}

/// How a trigger stands in its room, if it has one.
pub(super) async fn instance<'a>(
    context: &RequestContext,
    directory: &'a Directory,
    trigger: &'a Trigger,
) -> Option<InstanceShape<'a>> {
    let system = directory.system(trigger.system.as_ref()?)?;
    let info = info(directory, EntryId::Trigger(trigger.id.clone()));
    let state = state(context, trigger, &system.id).await;
    let is_admin = context.caller.clearance() >= Clearance::Admin;
    let shows_secret = is_admin && !context.caller.is_restricted();
    let standing = TriggerStanding::of(state.as_ref());
    Some(InstanceShape::new(
        trigger,
        system,
        &info,
        standing,
        shows_secret,
    ))
}

async fn state(context: &RequestContext, trigger: &Trigger, system: &SystemId) -> Option<JsonText> {
    let module = ModulePath {
        system: system.clone(),
        module: ModuleName::new(MODULE).ok()?,
        index: ModuleIndex::FIRST,
    };
    let status = StatusName::new(trigger.id.as_str()).ok()?;
    let path = Arc::new(BindingPath { module, status });
    let queries = &context.state.core.queries;
    let told = queries.value(&context.caller, path).await.ok()?;
    told.into_iter().find_map(Event::into_value)
}

fn is_in(trigger: &Trigger, system: &System) -> bool {
    trigger.system.as_ref() == Some(&system.id)
}

/// The id of a trigger that stands in this room.
fn find(directory: &Directory, system: &System, asked: &str) -> Result<TriggerId, HttpRejection> {
    let id = TriggerId::new(asked).ok();
    let trigger = id.and_then(|id| directory.trigger(&id));
    let trigger = trigger.filter(|trigger| is_in(trigger, system));
    let trigger = trigger.ok_or_else(|| not_found("trigger"))?;
    Ok(trigger.id.clone())
}

/// The room and the trigger that a path names, for a caller who may change it.
fn found(
    context: &RequestContext,
    path: &(String, String),
) -> Result<(System, TriggerId), HttpRejection> {
    unrestricted(context, &path.1)?;
    let directory = context.directory();
    let system = find_system(context, &directory, &path.0)?;
    let id = find(&directory, system, &path.1)?;
    Ok((system.clone(), id))
}

fn stands_already(room: &SystemId) -> HttpRejection {
    let reason = format!(
        "the trigger stands in the system {room} already, and a trigger has one room; take it out there, or make another trigger"
    );
    rejection(StatusCode::CONFLICT, &reason)
}

/// Puts what a document says over a trigger that is there.
async fn change(
    context: &RequestContext,
    id: &TriggerId,
    document: impl Fn(&Directory, &Trigger) -> Result<TriggerDocument, HttpRejection>,
) -> Result<(), HttpRejection> {
    let precondition = Precondition::on_tags(&context.request);
    let secret = fresh_secret();
    let entry = EntryId::Trigger(id.clone());
    edits::apply(context, &entry, &precondition, |directory, version| {
        let before = there(directory, id)?;
        let document = document(directory, before)?;
        let after = document.over(id, Some(before), &secret).map_err(invalid)?;
        let version = version.ok_or_else(|| not_found("trigger"))?;
        Ok(vec![Edit::put(Entry::Trigger(sound(after)?)).at(version)])
    })
    .await
}

async fn answer(context: &RequestContext, status: StatusCode, id: &TriggerId) -> Answer {
    let directory = context.directory();
    let trigger = there(&directory, id)?;
    let info = info(&directory, EntryId::Trigger(id.clone()));
    let shape = instance(context, &directory, trigger).await;
    let shape = shape.ok_or_else(|| not_found("trigger"))?;
    tagged(status, info.version, &shape)
}
