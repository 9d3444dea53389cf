//! The metadata by which a zone says what groups of people may do in its rooms.

use serde::Deserialize;

use crate::model::{Metadata, PermissionsRead, Zone, ZonePermissions};

/// What the metadata is called.
const NAME: &str = "permissions";

/// The tag of the organisation's zone. PlaceOS looks at the permissions of no room outside it.
const ORGANISATION: &str = "org";

/// What is wrong with metadata of this name in another form.
const WANTED: &str = "must be a map in which `deny`, `manage` and `admin` are lists of groups, since it says what groups of people may do in the zone's rooms; name the metadata otherwise if it is about something else";

/// Whether permissions hold in the rooms of a zone.
pub fn governs(zone: &Zone) -> bool {
    zone.tags.iter().any(|tag| tag == ORGANISATION)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Groups {
    deny: Option<Vec<String>>,
    manage: Option<Vec<String>>,
    admin: Option<Vec<String>>,
}

/// What some metadata of a zone says; `None` when it is about something else.
pub fn read(metadata: &Metadata) -> Option<PermissionsRead> {
    (metadata.id.name.as_str() == NAME).then(|| groups(metadata.details.as_str()).ok_or(WANTED))
}

/// What is wrong with what some metadata of a zone says.
pub fn misread(metadata: &Metadata) -> Option<&'static str> {
    read(metadata)?.err()
}

fn groups(details: &str) -> Option<ZonePermissions> {
    // A list would be taken for the three members in their order.
    let map = details.trim_start().starts_with('{').then_some(details)?;
    let Groups {
        deny,
        manage,
        admin,
    } = serde_json::from_str(map).ok()?;
    Some(ZonePermissions {
        refused: deny.unwrap_or_default(),
        support: manage.unwrap_or_default(),
        admin: admin.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JsonText, MetadataId, MetadataName, ParentId};

    fn of(name: &str, details: &str) -> Option<PermissionsRead> {
        read(&Metadata {
            id: MetadataId {
                parent: ParentId::new("zone-1").unwrap(),
                name: MetadataName::new(name).unwrap(),
            },
            description: String::new(),
            details: JsonText::parse(details).unwrap(),
            editors: vec![],
        })
    }

    #[test]
    fn permissions_are_read_and_everything_else_says_nothing() {
        let said = r#" {"deny":["A"],"manage":["b","c"],"admin":null,"other":1}"#;
        let permissions = of("permissions", said).unwrap().unwrap();
        assert_eq!(permissions.refused, ["A"]);
        assert_eq!(permissions.support, ["b", "c"]);
        assert_eq!(permissions.admin, [] as [&str; 0]);
        let empty = of("permissions", "{}").unwrap();
        assert_eq!(empty, Ok(ZonePermissions::default()));
        assert_eq!(of("settings", r#"{"deny":"A"}"#), None);
    }

    #[test]
    fn permissions_of_another_form_are_a_mistake_and_not_none() {
        for details in [
            "[1]",
            "[]",
            "null",
            r#""deny""#,
            r#"[["A"],[],[]]"#,
            r#"{"deny":"A"}"#,
            r#"{"deny":[1]}"#,
            r#"{"deny":["A"],"manage":{}}"#,
            r#"{"deny":["A"],"deny":[]}"#,
        ] {
            assert_eq!(of("permissions", details), Some(Err(WANTED)), "{details}");
        }
    }
}
