//! Starting and stopping: of one module, or of those of a system. What is said here is kept with the modules, so it holds on all nodes and after a restart.

use actix_web::web::Path;
use actix_web::{HttpResponse, post};

use crate::core::{Directory, ModuleAccess, ModuleEntry};
use crate::model::{Clearance, Edit, Entry, EntryId, Module, System, Version};
use crate::server::http::kit::{Precondition, Writer};
use crate::server::http::placeos::access::{find_module, find_system, no_such_module};
use crate::server::http::placeos::edits::apply;
use crate::server::http::placeos::lists::query;
use crate::server::http::placeos::rejections::{Changes, not_found};
use crate::server::http::placeos::resource_types::{Modules, Systems};
use crate::server::http::placeos::{Answer, HttpRejection};

/// What modules are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Start,
    Stop,
}

impl Order {
    fn running(self) -> bool {
        match self {
            Self::Start => true,
            Self::Stop => false,
        }
    }
}

/// Lets a module run. For support staff, where no zone refuses them.
#[utoipa::path(responses((status = 200, description = "It is to run."), Changes))]
#[post("/modules/{module}/start")]
pub(super) async fn start_module(context: Writer<Modules>, path: Path<String>) -> Answer {
    order_module(&context, &path, Order::Start).await
}

/// Stops a module, on whichever node it runs. For support staff, where no zone refuses them.
///
/// It keeps its statuses, but for `connected`, and takes no calls.
#[utoipa::path(responses((status = 200, description = "It is not to run."), Changes))]
#[post("/modules/{module}/stop")]
pub(super) async fn stop_module(context: Writer<Modules>, path: Path<String>) -> Answer {
    order_module(&context, &path, Order::Stop).await
}

/// Has the driver of a module loaded, which it always is. For support staff, where no zone refuses them.
#[utoipa::path(responses((status = 200, description = "It is."), Changes))]
#[post("/modules/{module}/load")]
pub(super) async fn load_module(context: Writer<Modules>, path: Path<String>) -> Answer {
    context.require(Clearance::Support, "modules")?;
    find_module(&context, &context.directory(), &path, ModuleAccess::Tend)?;
    Ok(HttpResponse::Ok().finish())
}

/// Lets the modules of a system run, but for those with `ignore_startstop`. For support staff, where no zone refuses them a module of it.
#[utoipa::path(
    params(("single_occurrence" = Option<bool>, Query, description = "Whether modules that stand in other systems too are left alone; `true` where nothing is said.")),
    responses((status = 200, description = "They are to run."), Changes),
)]
#[post("/systems/{system}/start")]
pub(super) async fn start_system(context: Writer<Systems>, path: Path<String>) -> Answer {
    order_system(&context, &path, Order::Start).await
}

/// Stops the modules of a system, but for those with `ignore_startstop`. For support staff, where no zone refuses them a module of it.
#[utoipa::path(
    params(("single_occurrence" = Option<bool>, Query, description = "Whether modules that stand in other systems too are left alone; `true` where nothing is said.")),
    responses((status = 200, description = "They are not to run."), Changes),
)]
#[post("/systems/{system}/stop")]
pub(super) async fn stop_system(context: Writer<Systems>, path: Path<String>) -> Answer {
    order_system(&context, &path, Order::Stop).await
}

async fn order_module(context: &Writer<Modules>, asked: &str, order: Order) -> Answer {
    context.require(Clearance::Support, "modules")?;
    let directory = context.directory();
    let entry = find_module(context, &directory, asked, ModuleAccess::Tend)?;
    let id = entry.module.id.clone();
    let precondition = Precondition::on_tags(&context.request);
    let edits = |directory: &Directory, version: Option<Version>| {
        // One of the building's own has no version, and follows from what it stands for.
        let there = directory.module(&id).filter(|_| version.is_some());
        let entry = there.ok_or_else(no_such_module)?;
        Ok(ordered([entry], order))
    };
    apply(context, &EntryId::Module(id.clone()), &precondition, edits).await?;
    Ok(HttpResponse::Ok().finish())
}

async fn order_system(context: &Writer<Systems>, asked: &str, order: Order) -> Answer {
    context.require(Clearance::Support, "systems")?;
    let alone = query(context).truth("single_occurrence")?.unwrap_or(true);
    let directory = context.directory();
    let system = find_system(context, &directory, asked)?;
    let id = system.id.clone();
    for entry in concerned(&directory, system, alone) {
        let address = entry.module.id.clone().into();
        let resolver = &context.state.core.resolver;
        resolver.authorize(&context.caller, &address, ModuleAccess::Tend)?;
    }
    let precondition = Precondition::on_tags(&context.request);
    let edits = |directory: &Directory, _: Option<Version>| {
        let system = directory.system(&id).ok_or_else(|| not_found("system"))?;
        Ok::<_, HttpRejection>(ordered(concerned(directory, system, alone), order))
    };
    apply(context, &EntryId::System(id.clone()), &precondition, edits).await?;
    Ok(HttpResponse::Ok().finish())
}

/// The modules that are started and stopped with a system; with `alone`, those that stand in no other.
fn concerned<'a>(
    directory: &'a Directory,
    system: &'a System,
    alone: bool,
) -> impl Iterator<Item = &'a ModuleEntry> {
    let heed = directory.modules_of(system);
    let heed = heed.filter(|entry| !entry.module.ignore_startstop);
    heed.filter(move |entry| !alone || directory.systems_of(&entry.module.id).count() == 1)
}

/// The edits of those modules that the order changes.
fn ordered<'a>(modules: impl IntoIterator<Item = &'a ModuleEntry>, order: Order) -> Vec<Edit> {
    let modules = modules.into_iter();
    let others = modules.filter(|entry| entry.module.is_to_run() != order.running());
    let edits = others.map(|entry| {
        let mut module = Module::clone(&entry.module);
        module.running = Some(order.running());
        Edit::put(Entry::Module(module)).at(entry.info.version)
    });
    edits.collect()
}
