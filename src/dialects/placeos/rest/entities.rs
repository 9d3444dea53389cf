//! Entities, commands, apps, services, procedures and hooks: riser's own resources, which PlaceOS does not have.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::documents::{Shown, fields_schema};
use crate::model::{
    ChannelApp, CustomCommand, EntityOverride, EntryInfo, Hook, Procedure, Service,
};

/// How a status looks as an entity: `GET /entities`, `GET /entities/{entity}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entity)]
pub struct EntityShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<EntityOverride>)]
    fields: Shown<'a, EntityOverride>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> EntityShape<'a> {
    /// An entity with what is known of it.
    pub fn new(entity: &'a EntityOverride, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(entity),
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }
}

/// A command of one's own: `GET /commands`, `GET /commands/{command}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Command)]
pub struct CommandShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<CustomCommand>)]
    fields: Shown<'a, CustomCommand>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> CommandShape<'a> {
    /// A command with what is known of it.
    pub fn new(command: &'a CustomCommand, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(command),
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }
}

/// An app with channels of its own, without what it signs with: `GET /apps`, `GET /apps/{app}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = App)]
pub struct AppShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<ChannelApp>)]
    fields: Shown<'a, ChannelApp>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> AppShape<'a> {
    /// An app with what is known of it.
    pub fn new(app: &'a ChannelApp, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(app),
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }
}

/// A service that sends messages to people's devices: `GET /services`, `GET /services/{service}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Service)]
pub struct ServiceShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<Service>)]
    fields: Shown<'a, Service>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> ServiceShape<'a> {
    /// A service with what is known of it.
    pub fn new(service: &'a Service, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(service),
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }
}

/// A procedure: `GET /procedures`, `GET /procedures/{procedure}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Procedure)]
pub struct ProcedureShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<Procedure>)]
    fields: Shown<'a, Procedure>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> ProcedureShape<'a> {
    /// A procedure with what is known of it.
    pub fn new(procedure: &'a Procedure, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(procedure),
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }
}

/// A hook, without what callers have to show: `GET /hooks`, `GET /hooks/{hook}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hook)]
pub struct HookShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<Hook>)]
    fields: Shown<'a, Hook>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> HookShape<'a> {
    /// A hook with what is known of it.
    pub fn new(hook: &'a Hook, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(hook),
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }
}
