//! The shapes of metadata: documents that apps keep beside zones, systems, modules and users.

use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::ZoneShape;
use crate::dialects::placeos::rest::documents::{Shown, fields_schema};
use crate::model::{EntryInfo, Metadata};

/// One document: what `PUT /metadata/{parent}` answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Metadata)]
pub struct MetadataShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<Metadata>)]
    fields: Shown<'a, Metadata>,
    #[schema(value_type = Option<String>)]
    schema_id: Option<()>,
    #[schema(value_type = Option<String>)]
    modified_by_id: Option<()>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> MetadataShape<'a> {
    /// A document. Who changed it last stands in the audit log and nowhere else.
    pub fn new(metadata: &'a Metadata, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(metadata),
            schema_id: None,
            modified_by_id: None,
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }
}

/// The documents of one parent by name: `GET /metadata/{parent}`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(as = MetadataByName, value_type = HashMap<String, MetadataShape<'static>>)]
pub struct MetadataByName<'a>(IndexMap<&'a str, MetadataShape<'a>>);

impl<'a> FromIterator<MetadataShape<'a>> for MetadataByName<'a> {
    fn from_iter<I: IntoIterator<Item = MetadataShape<'a>>>(shapes: I) -> Self {
        Self(
            shapes
                .into_iter()
                .map(|shape| (shape.fields.entry.id.name.as_str(), shape))
                .collect(),
        )
    }
}

/// A zone with its documents: `GET /metadata/{parent}/children`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ZoneMetadata)]
pub struct ZoneMetadataShape<'a> {
    zone: ZoneShape<'a>,
    metadata: MetadataByName<'a>,
}

impl<'a> ZoneMetadataShape<'a> {
    /// A zone, and what is kept beside it.
    pub fn new(zone: ZoneShape<'a>, metadata: MetadataByName<'a>) -> Self {
        Self { zone, metadata }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialects::placeos::testing::{CREATED, INFO, UPDATED};
    use crate::model::{JsonText, MetadataId, MetadataName, ParentId};

    #[test]
    fn metadata_stands_under_its_name() {
        let metadata = Metadata {
            id: MetadataId {
                parent: ParentId::new("zone-hq").unwrap(),
                name: MetadataName::new("map").unwrap(),
            },
            description: "Where things are".to_owned(),
            details: JsonText::parse(r#"{"a":[1.0]}"#).unwrap(),
            editors: vec!["group-a".to_owned()],
        };
        let shapes = MetadataByName::from_iter([MetadataShape::new(&metadata, &INFO)]);
        assert_eq!(
            serde_json::to_value(&shapes).unwrap(),
            json!({"map": {
                "name": "map", "description": "Where things are", "details": {"a": [1.0]}, "parent_id": "zone-hq",
                "schema_id": null, "editors": ["group-a"], "modified_by_id": null,
                "created_at": CREATED, "updated_at": UPDATED,
            }})
        );
    }
}
