//! Documents of metadata.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::{Checks, Given};
use crate::model::{JsonText, Metadata, MetadataId, MetadataName, ParentId};

/// Metadata to be made or changed. What is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct MetadataDocument {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Given<String>,
    #[serde(default)]
    #[schema(value_type = serde_json::Value, required = false)]
    details: Option<JsonText>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    editors: Given<Vec<String>>,
}

/// What becomes of the details that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Details {
    /// They are replaced: `PUT`.
    Replaced,
    /// The fields of an object are put into the object that is there: `PATCH`.
    Merged,
}

impl MetadataDocument {
    /// The name, without which metadata is none.
    pub fn name(&self) -> Result<MetadataName, Vec<InvalidField>> {
        let mut checks = Checks::default();
        let given = self.name.value().map_or("", String::as_str);
        match checks.made("name", MetadataName::new(given)) {
            Some(name) => Ok(name),
            None => Err(checks.0),
        }
    }

    /// Metadata with nothing in it, to be amended.
    pub fn blank(parent: ParentId, name: MetadataName) -> Metadata {
        Metadata {
            id: MetadataId { parent, name },
            description: String::new(),
            details: JsonText::empty_object(),
            editors: Vec::new(),
        }
    }

    /// Puts what the document says in place of what is there.
    pub fn amend(&self, metadata: &mut Metadata, how: Details) {
        self.description.amend(&mut metadata.description);
        self.editors.amend(&mut metadata.editors);
        let Some(details) = &self.details else {
            return;
        };
        metadata.details = match how {
            Details::Replaced => details.clone(),
            // What is no object takes the place of whatever is there.
            Details::Merged => metadata
                .details
                .merged(details)
                .unwrap_or_else(|| details.clone()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::placeos::rest::documents::read;

    fn check(before: &str, body: &str, how: Details, expect: &str) {
        let parent = ParentId::new("zone-hq").unwrap();
        let document: MetadataDocument = read(body.as_bytes()).unwrap();
        let blank = MetadataDocument::blank(parent, document.name().unwrap());
        let details = JsonText::parse(before).unwrap();
        let mut metadata = Metadata { details, ..blank };
        document.amend(&mut metadata, how);
        assert_eq!(metadata.details.as_str(), expect, "{body}");
    }

    #[test]
    fn details_are_replaced_byte_for_byte_or_merged() {
        let given = r#"{"name": "map", "details": {"b": 2.0, "c": [1]}}"#;
        let before = r#"{"a":1,"b":1}"#;
        check(before, given, Details::Replaced, r#"{"b": 2.0, "c": [1]}"#);
        check(before, given, Details::Merged, r#"{"a":1,"b":2.0,"c":[1]}"#);
        check("[1]", given, Details::Merged, r#"{"b": 2.0, "c": [1]}"#);
        let list = r#"{"name": "map", "details": [2]}"#;
        check(before, list, Details::Merged, "[2]");
        check(before, r#"{"name": "map"}"#, Details::Replaced, before);
    }

    #[test]
    fn a_patch_merges_what_no_tree_of_values_can_hold() {
        let before = r#"{"keep":{"x": 590295810358705651712},"big":1}"#;
        let given = r#"{"name": "map", "details": {"big": 1e400, "half": "\ud800"}}"#;
        check(
            before,
            given,
            Details::Merged,
            r#"{"keep":{"x": 590295810358705651712},"big":1e400,"half":"\ud800"}"#,
        );
    }

    #[test]
    fn metadata_needs_a_name() {
        for body in ["{}", r#"{"name": null}"#, r#"{"name": ""}"#] {
            let document: MetadataDocument = read(body.as_bytes()).unwrap();
            assert_eq!(document.name().unwrap_err()[0].field, "name", "{body}");
        }
    }
}
