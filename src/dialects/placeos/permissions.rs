//! The metadata by which a zone says what groups of people may do in its rooms.

use serde::Deserialize;

use crate::model::{Metadata, Zone, ZoneId, ZonePermissions};

/// What the metadata is called.
const NAME: &str = "permissions";

/// The tag of the organisation's zone. PlaceOS looks at the permissions of no room outside it.
const ORGANISATION: &str = "org";

/// Whether permissions hold in the rooms of a zone.
pub fn governs(zone: &Zone) -> bool {
    zone.tags.iter().any(|tag| tag == ORGANISATION)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Groups {
    deny: Vec<String>,
    manage: Vec<String>,
    admin: Vec<String>,
}

/// Of which zone some metadata says what; `None` when it is about something else or has another form.
pub fn read(metadata: &Metadata) -> Option<(ZoneId, ZonePermissions)> {
    if metadata.id.name.as_str() != NAME {
        return None;
    }
    let zone = ZoneId::new(metadata.id.parent.as_str()).ok()?;
    let Groups {
        deny,
        manage,
        admin,
    } = serde_json::from_str(metadata.details.as_str()).ok()?;
    let permissions = ZonePermissions {
        refused: deny,
        support: manage,
        admin,
    };
    Some((zone, permissions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JsonText, MetadataId, MetadataName, ParentId};

    #[test]
    fn permissions_are_read_and_everything_else_says_nothing() {
        let of = |name: &str, details: &str| {
            read(&Metadata {
                id: MetadataId {
                    parent: ParentId::new("zone-1").unwrap(),
                    name: MetadataName::new(name).unwrap(),
                },
                description: String::new(),
                details: JsonText::parse(details).unwrap(),
                editors: vec![],
            })
        };
        let (zone, permissions) = of(
            "permissions",
            r#"{"deny":["A"],"manage":["b","c"],"other":1}"#,
        )
        .unwrap();
        assert_eq!(zone.as_str(), "zone-1");
        assert_eq!(permissions.refused, ["A"]);
        assert_eq!(permissions.support, ["b", "c"]);
        assert_eq!(permissions.admin, [] as [&str; 0]);
        assert_eq!(of("settings", r#"{"deny":["A"]}"#), None);
        assert_eq!(of("permissions", r#"[1]"#), None);
        assert_eq!(of("permissions", r#"{"deny":"A"}"#), None);
    }
}
