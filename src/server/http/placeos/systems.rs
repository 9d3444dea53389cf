//! Systems: what there is, and what is around and in each.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpRequest, delete, get, post, put, routes};

use crate::core::{Directory, ModuleAccess};
use crate::dialects::placeos::rest::documents::SystemDocument;
use crate::dialects::placeos::rest::{
    Listing, MetadataByName, ModuleShape, Page, Query, SettingsShape, SystemFilter, SystemShape,
    Types, ZoneShape,
};
use crate::model::{Edit, Entry, EntryId, System, SystemId, Version};
use crate::server::http::kit::{
    Precondition, Reader, RequestContext, Supporter, Writer, json, tagged,
};
use crate::server::http::placeos::access::{find_module, find_system, has_email};
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::modules;
use crate::server::http::placeos::rejections::{Changes, not_found};
use crate::server::http::placeos::resource_types::Systems;
use crate::server::http::placeos::room_triggers::stands_in;
use crate::server::http::placeos::shapes::{
    info, metadata_of, system_settings, system_shape, zone_settings, zone_shapes,
};
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Systems {
    type Id = SystemId;
    type Content = System;
    const ID_PREFIX: &'static str = "sys-";
    const ID: fn(&Self::Content) -> &SystemId = |content| &content.id;
    const ENTRY_ID: fn(SystemId) -> EntryId = EntryId::System;
    const ENTRY: fn(System) -> Entry = Entry::System;
    const FIND: Find<Self> = Directory::system;

    /// Reads `If-Match`, and without it `version`.
    fn precondition(request: &HttpRequest) -> Result<Precondition, HttpRejection> {
        let version = Query::parse(request.query_string()).whole_number("version")?;
        Ok(match (Precondition::on_tags(request), version) {
            (Precondition::Nothing, Some(version)) => Precondition::Number(version),
            (precondition, _) => precondition,
        })
    }

    /// The modules that stand in no other system.
    fn removed_with(directory: &Directory, id: &SystemId) -> Vec<EntryId> {
        let system = directory.system(id);
        let modules = system.into_iter().flat_map(|system| &system.modules);
        modules
            .filter(|module| directory.systems_of(module).count() == 1)
            .map(|module| EntryId::Module(module.clone()))
            .collect()
    }

    /// The id of a system that a path names by it or by its email.
    fn find(context: &RequestContext, asked: &str) -> Result<SystemId, HttpRejection> {
        find_system(context, &context.directory(), asked).map(|system| system.id.clone())
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &SystemId) -> Answer {
        let directory = context.directory();
        let system = known_system(&directory, id)?;
        let info = info(&directory, EntryId::System(id.clone()));
        tagged(status, info.version, &SystemShape::new(system, &info))
    }
}

/// The systems that the caller reaches.
///
/// With `complete`, which PlaceOS has for one system alone, a page has the names of all their modules and zones in one answer.
#[utoipa::path(
    params(
        SystemFilter,
        ("complete" = Option<bool>, Query, description = "Whether their zones and modules come with them."),
        Listing,
    ),
    responses((status = 200, body = Vec<SystemShape<'_>>)),
)]
#[get("/systems")]
pub(super) async fn list(context: Reader<Systems>) -> Answer {
    let query = query(&context);
    let (filter, listing) = (SystemFilter::read(&query)?, Listing::read(&query)?);
    let complete = query.truth("complete")?;
    let directory = context.directory();
    let has_all = |system: &System| {
        let mut asked = filter.triggers.iter();
        asked.all(|asked| stands_in(&directory, asked, system))
    };
    let found = directory
        .systems()
        .filter(|it| context.caller.reaches(it) && filter.matches(it) && has_all(it));
    let page = listing.page(found);
    let mut shapes = Vec::with_capacity(page.items.len());
    for system in &page.items {
        shapes.push(match complete {
            Some(true) => complete_shape(&context, &directory, system).await,
            Some(false) | None => system_shape(&directory, system),
        });
    }
    list_of("sys", &page.with_items(shapes), &context)
}

/// The systems with one of these addresses.
#[utoipa::path(
    params(("in" = String, Query, description = "Addresses, with commas between them.")),
    responses((status = 200, body = Vec<SystemShape<'_>>)),
)]
#[get("/systems/with_emails")]
pub(super) async fn with_emails(context: Reader<Systems>) -> Answer {
    let query = query(&context);
    let asked = query.items("in");
    let directory = context.directory();
    let found = directory
        .systems()
        .filter(|system| {
            context.caller.reaches(system) && asked.iter().any(|email| has_email(system, email))
        })
        .map(|system| system_shape(&directory, system));
    list_of("sys", &Page::whole(found), &context)
}

/// One system.
///
/// In the place of the id its email can stand.
#[utoipa::path(
    params(("complete" = Option<bool>, Query, description = "Whether its zones and modules come with it.")),
    responses((status = 200, body = SystemShape<'_>)),
)]
#[get("/systems/{system}")]
pub(super) async fn show(context: Reader<Systems>, path: Path<String>) -> Answer {
    let complete = query(&context).truth("complete")?;
    let directory = context.directory();
    let system = find_system(&context, &directory, &path)?;
    if complete != Some(true) {
        return Systems::answer(&context, StatusCode::OK, &system.id).await;
    }
    json(&complete_shape(&context, &directory, system).await)
}

/// A system with its zones and modules.
async fn complete_shape<'a>(
    context: &RequestContext,
    directory: &'a Directory,
    system: &'a System,
) -> SystemShape<'a> {
    let mut modules: Vec<ModuleShape<'_>> = Vec::new();
    for entry in directory.modules_of(system) {
        modules.push(modules::shape(&context.state, entry, Some(system)).await);
    }
    system_shape(directory, system).complete(zone_shapes(directory, system), modules)
}

/// How many modules of each name a system has.
#[utoipa::path(responses((status = 200, body = Types<'_>)))]
#[get("/systems/{system}/types")]
pub(super) async fn types(context: Reader<Systems>, path: Path<String>) -> Answer {
    let directory = context.directory();
    let system = find_system(&context, &directory, &path)?;
    json(&Types::of(
        directory.modules_of(system).map(|entry| &entry.name),
    ))
}

/// The zones that a system is in.
#[utoipa::path(responses((status = 200, body = Vec<ZoneShape<'_>>)))]
#[get("/systems/{system}/zones")]
pub(super) async fn zones(context: Reader<Systems>, path: Path<String>) -> Answer {
    let directory = context.directory();
    let system = find_system(&context, &directory, &path)?;
    json(&zone_shapes(&directory, system))
}

/// The metadata of a system, by name.
#[utoipa::path(
    params(("name" = Option<String>, Query, description = "The one of this name alone.")),
    responses((status = 200, body = MetadataByName<'_>)),
)]
#[get("/systems/{system}/metadata")]
pub(super) async fn metadata(context: Reader<Systems>, path: Path<String>) -> Answer {
    let query = query(&context);
    let directory = context.directory();
    let system = find_system(&context, &directory, &path)?;
    let name = query.text("name");
    json(&metadata_of(&directory, system.id.as_str(), name))
}

/// The settings for the modules of a system, by name, and by content where a level of theirs shows it: its own, and those of its zones, what holds before the rest. For support staff.
#[utoipa::path(responses((status = 200, body = Vec<SettingsShape<'_>>)))]
#[get("/systems/{system}/settings")]
pub(super) async fn settings(context: Supporter<Systems>, path: Path<String>) -> Answer {
    let directory = context.directory();
    let system = find_system(&context, &directory, &path)?;
    let who = context.caller.clearance();
    let outermost_last = system.zones.iter().rev();
    let outer = outermost_last.filter_map(|zone| directory.zone(zone));
    let around = outer.flat_map(|zone| zone_settings(&directory, zone, who));
    let own = system_settings(&directory, system, who);
    let settings: Vec<SettingsShape<'_>> = own.into_iter().chain(around).collect();
    json(&settings)
}

/// Makes a system. For support staff.
///
/// Its id is `id`, or a fresh one.
#[utoipa::path(
    request_body = SystemDocument,
    responses((status = 201, body = SystemShape<'_>), Changes),
)]
#[post("/systems")]
pub(super) async fn create(context: Writer<Systems>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes a system: what the document leaves out stays. For support staff.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = SystemDocument,
    params(("version" = Option<u64>, Query, description = "The version that it is to have still; 409 if it has another.")),
    responses((status = 200, body = SystemShape<'_>), Changes),
)]
#[routes]
#[patch("/systems/{system}")]
#[put("/systems/{system}")]
pub(super) async fn update(context: Writer<Systems>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Takes a system away, and the modules that stand in no other. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/systems/{system}")]
pub(super) async fn remove(context: Writer<Systems>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}

/// Puts a module into a system, behind the others, unless it stands there. For support staff.
#[utoipa::path(responses((status = 200, body = SystemShape<'_>), Changes))]
#[put("/systems/{system}/module/{module}")]
pub(super) async fn add_module(context: Writer<Systems>, path: Path<(String, String)>) -> Answer {
    let directory = context.directory();
    let id = Systems::find(&context, &path.0)?;
    let module = &find_module(&context, &directory, &path.1, ModuleAccess::See)?
        .module
        .id;
    let precondition = Precondition::on_tags(&context.request);
    let add = |system: &mut System| {
        if !system.modules.contains(module) {
            system.modules.push(module.clone());
        }
        Ok(())
    };
    edits::change(&context, &id, &precondition, add).await?;
    Systems::answer(&context, StatusCode::OK, &id).await
}

/// Takes a module out of a system, and away if it stands in no other. For administrators.
#[utoipa::path(responses((status = 202, body = SystemShape<'_>), Changes))]
#[delete("/systems/{system}/module/{module}")]
pub(super) async fn remove_module(
    context: Writer<Systems>,
    path: Path<(String, String)>,
) -> Answer {
    let directory = context.directory();
    let id = Systems::find(&context, &path.0)?;
    let module = &find_module(&context, &directory, &path.1, ModuleAccess::See)?
        .module
        .id;
    let precondition = Precondition::on_tags(&context.request);
    let edits = |directory: &Directory, version: Option<Version>| {
        let version = version.ok_or_else(|| not_found("system"))?;
        let mut system = known_system(directory, &id)?.clone();
        let stood = system.modules.contains(module);
        system.modules.retain(|other| other != module);
        let is_alone = stood && directory.systems_of(module).count() == 1;
        let away = is_alone.then(|| Edit::delete(EntryId::Module(module.clone())));
        let system = Edit::put(Entry::System(system)).at(version);
        Ok(std::iter::once(system).chain(away).collect())
    };
    let entry = EntryId::System(id.clone());
    edits::apply(&context, &entry, &precondition, edits).await?;
    Systems::answer(&context, StatusCode::ACCEPTED, &id).await
}

fn known_system<'a>(directory: &'a Directory, id: &SystemId) -> Result<&'a System, HttpRejection> {
    directory.system(id).ok_or_else(|| not_found("system"))
}
