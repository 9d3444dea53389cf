//! The shapes of metadata, of which there is none yet: documents that apps keep beside zones, systems and users.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::ZoneShape;
use crate::dialects::placeos::rest::directory::Empty;

/// The metadata of one parent by name: `GET /metadata/{parent}`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Metadata, value_type = Object)]
pub struct MetadataShape(Empty);

/// A zone with its metadata: `GET /metadata/{parent}/children`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ZoneMetadata)]
pub struct ZoneMetadataShape<'a> {
    zone: ZoneShape<'a>,
    metadata: MetadataShape,
}

impl<'a> ZoneMetadataShape<'a> {
    /// A zone, and what is kept beside it.
    pub fn new(zone: ZoneShape<'a>, metadata: MetadataShape) -> Self {
        Self { zone, metadata }
    }
}
