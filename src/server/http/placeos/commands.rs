//! Commands of one's own that clients of Home Assistant may send, for administrators. A path has the type with `%2F` for its `/`.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{delete, get, post, routes};

use crate::building_file::mistaken_texts;
use crate::core::Directory;
use crate::dialects::placeos::rest::documents::CommandDocument;
use crate::dialects::placeos::rest::{CommandShape, InvalidField, Listing};
use crate::model::{CommandType, CustomCommand, Entry, EntryId};
use crate::server::http::kit::{Administrator, RequestContext, Writer, tagged};
use crate::server::http::placeos::access::unrestricted;
use crate::server::http::placeos::edits::{self, Editable, Find};
use crate::server::http::placeos::lists::{list as list_of, query};
use crate::server::http::placeos::rejections::{Changes, bad_request, not_found};
use crate::server::http::placeos::resource_types::Commands;
use crate::server::http::placeos::shapes::info;
use crate::server::http::placeos::{Answer, Body, HttpRejection};

impl Editable for Commands {
    type Id = CommandType;
    type Content = CustomCommand;
    const ID_PREFIX: &'static str = "";
    const ID: fn(&Self::Content) -> &CommandType = |content| &content.command;
    const ENTRY_ID: fn(CommandType) -> EntryId = EntryId::Command;
    const ENTRY: fn(CustomCommand) -> Entry = Entry::Command;
    const FIND: Find<Self> = Directory::command;

    fn find(context: &RequestContext, asked: &str) -> Result<CommandType, HttpRejection> {
        unrestricted(context, asked)?;
        CommandType::new(asked).map_err(bad_request)
    }

    /// Texts that a building file could not have, since they are no expressions.
    fn mistakes(command: &CustomCommand) -> Vec<InvalidField> {
        let mistaken = mistaken_texts(command).into_iter();
        mistaken
            .map(|(field, flaw)| InvalidField::new(field, flaw.to_string()))
            .collect()
    }

    async fn answer(context: &RequestContext, status: StatusCode, id: &CommandType) -> Answer {
        let directory = context.directory();
        let command = directory.command(id).ok_or_else(|| not_found("command"))?;
        let info = info(&directory, EntryId::Command(id.clone()));
        tagged(status, info.version, &CommandShape::new(command, &info))
    }
}

/// All commands of the building's own. For administrators.
#[utoipa::path(params(Listing), responses((status = 200, body = Vec<CommandShape<'_>>)))]
#[get("/commands")]
pub(super) async fn list(context: Administrator<Commands>) -> Answer {
    unrestricted(&context, "commands")?;
    let listing = Listing::read(&query(&context))?;
    let directory = context.directory();
    let found = directory.commands().map(|command| {
        let info = info(&directory, EntryId::Command(command.command.clone()));
        CommandShape::new(command, &info)
    });
    list_of("command", &listing.page(found), &context)
}

/// One command, by its type. For administrators.
#[utoipa::path(responses((status = 200, body = CommandShape<'_>)))]
#[get("/commands/{command}")]
pub(super) async fn show(context: Administrator<Commands>, path: Path<String>) -> Answer {
    edits::show::<Commands>(&context, &path).await
}

/// Makes a command. For administrators.
#[utoipa::path(request_body = CommandDocument, responses((status = 201, body = CommandShape<'_>), Changes))]
#[post("/commands")]
pub(super) async fn create(context: Writer<Commands>, body: Body) -> Answer {
    edits::create(&context, &body).await
}

/// Changes a command: what the document leaves out stays. For administrators.
///
/// `PUT` does the same.
#[utoipa::path(method(patch, put), request_body = CommandDocument, responses((status = 200, body = CommandShape<'_>), Changes))]
#[routes]
#[patch("/commands/{command}")]
#[put("/commands/{command}")]
pub(super) async fn update(context: Writer<Commands>, path: Path<String>, body: Body) -> Answer {
    edits::update(&context, &path, &body).await
}

/// Takes a command away. For administrators.
#[utoipa::path(responses((status = 202, description = "It is gone."), Changes))]
#[delete("/commands/{command}")]
pub(super) async fn remove(context: Writer<Commands>, path: Path<String>) -> Answer {
    edits::remove(&context, &path).await
}
