//! How settings change: the text of one level in the place of all that was there.
//!
//! What is changed is the zone, system or module, so the core says who may, and holds a driver's settings to what it takes.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpResponse, delete, post, routes};

use crate::building_file::map_of;
use crate::core::{Directory, ModuleAccess};
use crate::dialects::placeos::rest::{
    InvalidField, SettingsDocument, SettingsShape, settings_named,
};
use crate::model::{
    Clearance, Edit, Entry, EntryId, JsonText, LeveledSettings, Module, ModuleId, Secret,
    SettingsLevel, System, SystemId, Version, Zone, ZoneId,
};
use crate::server::http::kit::{Precondition, RequestContext, Writer, json_with};
use crate::server::http::placeos::access::{find_module, find_system, find_zone};
use crate::server::http::placeos::edits::apply;
use crate::server::http::placeos::rejections::{Changes, invalid, not_found};
use crate::server::http::placeos::resource_types::Settings;
use crate::server::http::placeos::shapes::{module_settings, system_settings, zone_settings};
use crate::server::http::placeos::{Answer, Body, HttpRejection};

/// Makes settings at a level of a zone, system or module that has none there. For support staff; those of modules are for administrators.
#[utoipa::path(request_body = SettingsDocument, responses((status = 201, body = SettingsShape<'_>), Changes))]
#[post("/settings")]
pub(in crate::server::http::placeos) async fn create(
    context: Writer<Settings>,
    body: Body,
) -> Answer {
    context.require(Clearance::Support, "settings")?;
    let document = SettingsDocument::read(&body.bytes)?;
    let directory = context.directory();
    let parent = document.parent.as_deref().unwrap_or_default();
    let Some(parent) = find(&context, &directory, parent)? else {
        return Err(wrong(
            "parent_id",
            "must be the id of a zone, system or module",
        ));
    };
    let level = document.level.unwrap_or(SettingsLevel::Open);
    if parts(&directory, &parent).is_some_and(|parts| parts.at(level).next().is_some()) {
        let reason = "is that of settings which are there; change these";
        return Err(wrong("encryption_level", reason));
    }
    let settings = given(&document)?;
    if settings.as_str() == "{}" {
        return Err(wrong("settings_string", "must have a setting in it"));
    }
    replace(&context, &parent, (level, level), Some(&settings)).await?;
    answer(&context, StatusCode::CREATED, &parent, level)
}

/// Changes settings: the text takes the place of all that is at the level. For support staff; those of modules are for administrators.
///
/// With a higher `encryption_level` they go there, and with a lower one when their text is given. `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = SettingsDocument, responses((status = 200, body = SettingsShape<'_>), Changes))]
#[routes]
#[patch("/settings/{settings}")]
#[put("/settings/{settings}")]
pub(in crate::server::http::placeos) async fn update(
    context: Writer<Settings>,
    path: Path<String>,
    body: Body,
) -> Answer {
    context.require(Clearance::Support, "settings")?;
    let document = SettingsDocument::read(&body.bytes)?;
    let directory = context.directory();
    let (parent, level) = named(&context, &directory, &path)?;
    if let Some(given) = document.parent.as_deref()
        && find(&context, &directory, given)?.as_ref() != Some(&parent)
    {
        return Err(wrong("parent_id", "cannot be changed"));
    }
    let to = document.level.unwrap_or(level);
    // What is never shown comes back empty, and changes nothing; nor does what is left out.
    let is_back = match (document.text.as_deref(), level) {
        (None, _) => true,
        (Some(text), SettingsLevel::Never) => text.is_empty(),
        (Some(_), SettingsLevel::Open | SettingsLevel::Support | SettingsLevel::Admin) => false,
    };
    if is_back && to < level {
        let reason = "cannot be lowered for settings that stay, which would show them; give `settings_string` too";
        return Err(wrong("encryption_level", reason));
    }
    let settings = match is_back {
        true => None,
        false => Some(given(&document)?),
    };
    if settings
        .as_ref()
        .is_some_and(|settings| settings.as_str() == "{}")
    {
        return Err(wrong(
            "settings_string",
            "must have a setting in it; delete these where there is to be none",
        ));
    }
    replace(&context, &parent, (level, to), settings.as_ref()).await?;
    answer(&context, StatusCode::OK, &parent, to)
}

/// Takes the settings of a level away. For support staff; those of modules are for administrators.
#[utoipa::path(responses((status = 202, description = "They are gone."), Changes))]
#[delete("/settings/{settings}")]
pub(in crate::server::http::placeos) async fn remove(
    context: Writer<Settings>,
    path: Path<String>,
) -> Answer {
    context.require(Clearance::Support, "settings")?;
    let directory = context.directory();
    let (parent, level) = named(&context, &directory, &path)?;
    replace(
        &context,
        &parent,
        (level, level),
        Some(&JsonText::empty_object()),
    )
    .await?;
    Ok(HttpResponse::Accepted().finish())
}

/// The document of an id, as the caller is shown it.
pub(super) fn shown<'a>(
    context: &RequestContext,
    directory: &'a Directory,
    asked: &str,
) -> Result<SettingsShape<'a>, HttpRejection> {
    let (parent, _) = named(context, directory, asked)?;
    let documents = documents(context, directory, &parent);
    let mut found = documents.into_iter().filter(|document| document.is(asked));
    found.next().ok_or_else(|| not_found("settings"))
}

fn documents<'a>(
    context: &RequestContext,
    directory: &'a Directory,
    parent: &EntryId,
) -> Vec<SettingsShape<'a>> {
    let who = context.caller.clearance();
    let found = match parent {
        EntryId::Zone(id) => directory
            .zone(id)
            .map(|zone| zone_settings(directory, zone, who)),
        EntryId::System(id) => directory
            .system(id)
            .map(|system| system_settings(directory, system, who)),
        EntryId::Module(id) => directory
            .module(id)
            .map(|entry| module_settings(entry, who)),
        EntryId::User(_)
        | EntryId::ApiKey(_)
        | EntryId::Metadata(_)
        | EntryId::Entity(_)
        | EntryId::Command(_)
        | EntryId::App(_)
        | EntryId::Service(_)
        | EntryId::Procedure(_)
        | EntryId::Hook(_)
        | EntryId::Trigger(_) => None,
    };
    found.unwrap_or_default()
}

fn answer(
    context: &RequestContext,
    status: StatusCode,
    parent: &EntryId,
    level: SettingsLevel,
) -> Answer {
    let directory = context.directory();
    let documents = documents(context, &directory, parent);
    let document = documents.iter().find(|document| document.is_at(level));
    json_with(status, document.ok_or_else(|| not_found("settings"))?, [])
}

/// What an id names, if the caller may see it: the settings of an entry at a level, where there are any.
fn named(
    context: &RequestContext,
    directory: &Directory,
    asked: &str,
) -> Result<(EntryId, SettingsLevel), HttpRejection> {
    for (level, parent) in settings_named(asked) {
        if let Some(parent) = find(context, directory, parent)?
            && parts(directory, &parent).is_some_and(|parts| parts.at(level).next().is_some())
        {
            return Ok((parent, level));
        }
    }
    Err(not_found("settings"))
}

/// The zone, system or module of an id, if the caller may see its settings; `None` for an id that none has.
fn find(
    context: &RequestContext,
    directory: &Directory,
    asked: &str,
) -> Result<Option<EntryId>, HttpRejection> {
    if ZoneId::new(asked).is_ok_and(|id| directory.zone(&id).is_some()) {
        let zone = find_zone(context, directory, asked)?;
        return Ok(Some(EntryId::Zone(zone.id.clone())));
    }
    if SystemId::new(asked).is_ok_and(|id| directory.system(&id).is_some()) {
        let system = find_system(context, directory, asked)?;
        return Ok(Some(EntryId::System(system.id.clone())));
    }
    if ModuleId::new(asked).is_ok_and(|id| directory.module(&id).is_some()) {
        let entry = find_module(context, directory, asked, ModuleAccess::Tend)?;
        return Ok(Some(EntryId::Module(entry.module.id.clone())));
    }
    Ok(None)
}

/// The settings of an entry, taken apart.
fn parts(directory: &Directory, parent: &EntryId) -> Option<LeveledSettings> {
    match directory.entry(parent) {
        Some(Entry::Zone(zone)) => LeveledSettings::of(&zone.settings, &zone.settings_levels),
        Some(Entry::System(system)) => {
            LeveledSettings::of(&system.settings, &system.settings_levels)
        }
        Some(Entry::Module(module)) => {
            LeveledSettings::of(&module.settings, &module.settings_levels)
        }
        Some(
            Entry::User(_)
            | Entry::ApiKey(_)
            | Entry::Metadata(_)
            | Entry::Entity(_)
            | Entry::Command(_)
            | Entry::App(_)
            | Entry::Service(_)
            | Entry::Procedure(_)
            | Entry::Hook(_)
            | Entry::Trigger(_),
        )
        | None => None,
    }
}

/// The text of a document as JSON.
fn given(document: &SettingsDocument) -> Result<JsonText, HttpRejection> {
    let text = document.text.as_deref().unwrap_or_default();
    map_of(text).map_err(|reason| wrong("settings_string", reason))
}

/// Puts settings in the place of those of a level, at that level or another.
async fn replace(
    context: &RequestContext,
    parent: &EntryId,
    (from, to): (SettingsLevel, SettingsLevel),
    settings: Option<&JsonText>,
) -> Result<(), HttpRejection> {
    let precondition = Precondition::on_tags(&context.request);
    let edits = |directory: &Directory, version: Option<Version>| {
        let version = version.ok_or_else(|| not_found("settings"))?;
        let mut parts = parts(directory, parent).ok_or_else(|| not_found("settings"))?;
        let put = match settings {
            None if from == to => return Ok(Vec::new()),
            None => {
                parts.move_to(from, to);
                Ok(())
            }
            Some(settings) => parts
                .replace(from, &JsonText::empty_object())
                .and_then(|()| parts.replace(to, settings)),
        };
        put.map_err(|name| {
            let reason = format!("has `{name}`, which is there at another level");
            wrong("settings_string", reason)
        })?;
        let entry = directory.entry(parent);
        let entry = entry.and_then(|entry| with_settings(entry, parts.joined()));
        let entry = entry.ok_or_else(|| not_found("settings"))?;
        Ok(vec![Edit::put(entry).at(version)])
    };
    apply(context, parent, &precondition, edits).await
}

fn with_settings(entry: Entry, (settings, settings_levels): (Secret, JsonText)) -> Option<Entry> {
    Some(match entry {
        Entry::Zone(zone) => Entry::Zone(Zone {
            settings,
            settings_levels,
            ..zone
        }),
        Entry::System(system) => Entry::System(System {
            settings,
            settings_levels,
            ..system
        }),
        Entry::Module(module) => Entry::Module(Module {
            settings,
            settings_levels,
            ..module
        }),
        Entry::User(_)
        | Entry::ApiKey(_)
        | Entry::Metadata(_)
        | Entry::Entity(_)
        | Entry::Command(_)
        | Entry::App(_)
        | Entry::Service(_)
        | Entry::Procedure(_)
        | Entry::Hook(_)
        | Entry::Trigger(_) => return None,
    })
}

fn wrong(field: &str, reason: impl Into<String>) -> HttpRejection {
    invalid(vec![InvalidField::new(field, reason)])
}
