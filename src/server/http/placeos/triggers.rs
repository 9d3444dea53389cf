//! Triggers as PlaceOS has them: definitions for administrators to change. How each stands in its room is in `room_triggers.rs`.
//!
//! A trigger of riser is a definition and its one instance at once. One that says more than PlaceOS's form can is only read here.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};
use uuid::Uuid;

use crate::building_file::mistaken_expressions;
use crate::core::Directory;
use crate::dialects::placeos::rest::{
    InstanceShape, InvalidField, Listing, TriggerDocument, TriggerShape, WordFilter, trigger_id,
};
use crate::model::{Edit, Entry, EntryId, Secret, Trigger, TriggerId};
use crate::server::http::kit::{Precondition, RequestContext, Supporter, Writer, json, tagged};
use crate::server::http::placeos::access::unrestricted;
use crate::server::http::placeos::edits;
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, invalid, not_found, rejection};
use crate::server::http::placeos::resource_types::Triggers;
use crate::server::http::placeos::room_triggers::instance;
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

/// All triggers. For support staff.
#[utoipa::path(params(WordFilter, Listing), responses((status = 200, body = Vec<TriggerShape<'_>>)))]
#[get("/triggers")]
pub(super) async fn list(context: Supporter<Triggers>) -> Answer {
    unrestricted(&context, "triggers")?;
    let query = query(&context);
    let (filter, listing) = (WordFilter::read(&query), Listing::read(&query)?);
    let directory = context.directory();
    let is_asked = |it: &&Trigger| filter.matches(&[it.id.as_str(), &it.name]);
    let found = directory.triggers().filter(is_asked).map(|trigger| {
        let info = info(&directory, EntryId::Trigger(trigger.id.clone()));
        TriggerShape::new(trigger, &info)
    });
    list_of("trigger", &listing.page(found), &context)
}

/// One trigger, by the id of its definition. For support staff.
#[utoipa::path(
    params(("instances" = Option<bool>, Query, description = "Whether its instances come with it.")),
    responses((status = 200, body = TriggerShape<'_>)),
)]
#[get("/triggers/{trigger}")]
pub(super) async fn show(context: Supporter<Triggers>, path: Path<String>) -> Answer {
    let id = find(&context, &path)?;
    if query(&context).truth("instances")? != Some(true) {
        return answer(&context, StatusCode::OK, &id);
    }
    let directory = context.directory();
    let trigger = there(&directory, &id)?;
    let info = info(&directory, EntryId::Trigger(id));
    let stands = instance(&context, &directory, trigger).await;
    let shape = TriggerShape::new(trigger, &info);
    json(&shape.with_instances(stands.into_iter().collect()))
}

/// The instances of a trigger: that in its room, if it has one. For support staff.
#[utoipa::path(params(Listing), responses((status = 200, body = Vec<InstanceShape<'_>>)))]
#[get("/triggers/{trigger}/instances")]
pub(super) async fn instances(context: Supporter<Triggers>, path: Path<String>) -> Answer {
    let id = find(&context, &path)?;
    let listing = Listing::read(&query(&context))?;
    let directory = context.directory();
    let trigger = there(&directory, &id)?;
    let shown = instance(&context, &directory, trigger).await;
    list_of("trig", &listing.page(shown), &context)
}

/// Makes a trigger, in the room that `control_system_id` names, or a draft. For administrators.
///
/// It acts as support staff. A draft does not fire until it is put into a room. Its id is `id` without `trigger-`, or a fresh one.
#[utoipa::path(request_body = TriggerDocument, responses((status = 201, body = TriggerShape<'_>), Changes))]
#[post("/triggers")]
pub(super) async fn create(context: Writer<Triggers>, body: Body) -> Answer {
    unrestricted(&context, "triggers")?;
    let document = TriggerDocument::read(&body.bytes)?;
    let fresh = format!("trig-{}", Uuid::new_v4().simple());
    let id = document.new_id(&fresh).map_err(invalid)?;
    let trigger = document.over(&id, None, &fresh_secret()).map_err(invalid)?;
    let trigger = sound(trigger)?;
    let entry = EntryId::Trigger(id.clone());
    edits::apply(&context, &entry, &Precondition::Nothing, |_, version| {
        if version.is_some() {
            return Err(rejection(StatusCode::CONFLICT, "there is such a trigger"));
        }
        Ok(vec![Edit::create(Entry::Trigger(trigger.clone()))])
    })
    .await?;
    answer(&context, StatusCode::CREATED, &id)
}

/// Changes a trigger: what the document leaves out stays. For administrators.
///
/// `PUT` does the same. A trigger that says more than this form can is changed in the building file, and refused here with 409.
#[utoipa::path(method(patch, put), request_body = TriggerDocument, responses((status = 200, body = TriggerShape<'_>), Changes))]
#[routes]
#[patch("/triggers/{trigger}")]
#[put("/triggers/{trigger}")]
pub(super) async fn update(context: Writer<Triggers>, path: Path<String>, body: Body) -> Answer {
    let id = find(&context, &path)?;
    let document = TriggerDocument::read(&body.bytes)?;
    let precondition = Precondition::on_tags(&context.request);
    let secret = fresh_secret();
    let entry = EntryId::Trigger(id.clone());
    edits::apply(&context, &entry, &precondition, |directory, version| {
        let before = there(directory, &id)?;
        if TriggerShape::is_less_than(before) {
            let reason = "the trigger has conditions or steps that have no place here; change it in the building file";
            return Err(rejection(StatusCode::CONFLICT, reason));
        }
        let after = document.over(&id, Some(before), &secret).map_err(invalid)?;
        let version = version.ok_or_else(|| not_found("trigger"))?;
        Ok(vec![Edit::put(Entry::Trigger(sound(after)?)).at(version)])
    })
    .await?;
    answer(&context, StatusCode::OK, &id)
}

/// Takes a trigger away, with its instance. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/triggers/{trigger}")]
pub(super) async fn remove(context: Writer<Triggers>, path: Path<String>) -> Answer {
    let id = EntryId::Trigger(find(&context, &path)?);
    edits::delete(&context, &id, |_| Vec::new()).await
}

fn find(context: &RequestContext, asked: &str) -> Result<TriggerId, HttpRejection> {
    unrestricted(context, asked)?;
    trigger_id(asked).ok_or_else(|| not_found("trigger"))
}

pub(super) fn there<'a>(
    directory: &'a Directory,
    id: &TriggerId,
) -> Result<&'a Trigger, HttpRejection> {
    let trigger = directory.trigger(id).map(AsRef::as_ref);
    trigger.ok_or_else(|| not_found("trigger"))
}

fn answer(context: &RequestContext, status: StatusCode, id: &TriggerId) -> Answer {
    let directory = context.directory();
    let trigger = there(&directory, id)?;
    let info = info(&directory, EntryId::Trigger(id.clone()));
    tagged(status, info.version, &TriggerShape::new(trigger, &info))
}

/// Refuses texts that a building file could not have, since they are no expressions.
pub(super) fn sound(trigger: Trigger) -> Result<Trigger, HttpRejection> {
    let mistaken = mistaken_expressions(&trigger.evaluated());
    if mistaken.is_empty() {
        return Ok(trigger);
    }
    let mistaken = mistaken.into_iter();
    let fields = mistaken.map(|(_, flaw)| InvalidField::new("actions", flaw.to_string()));
    Err(invalid(fields.collect()))
}

pub(super) fn fresh_secret() -> Secret {
    Secret::new(format!("{:032x}", rand::random::<u128>()))
}
