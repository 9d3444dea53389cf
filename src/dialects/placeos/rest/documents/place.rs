//! Documents of systems and zones.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::InvalidField;
use crate::dialects::placeos::rest::documents::{Checks, Given, asked_id};
use crate::model::{ModuleId, System, SystemId, Whole, Zone, ZoneId, is_time_zone};

/// A system to be made or changed. What is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct SystemDocument {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    display_name: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    email: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    capacity: Given<Whole<u32>>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    bookable: Given<bool>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    features: Given<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    map_id: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    timezone: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    support_url: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    zones: Given<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    modules: Given<Vec<String>>,
}

impl SystemDocument {
    /// The id that a new system is to have.
    pub fn id(&self) -> Result<Option<SystemId>, Vec<InvalidField>> {
        asked_id(&self.id, SystemId::new)
    }

    /// A system with nothing but its id, to be amended.
    pub fn blank(id: SystemId) -> System {
        System {
            id,
            name: String::new(),
            display_name: None,
            description: String::new(),
            email: None,
            capacity: 0,
            bookable: false,
            features: Vec::new(),
            map_id: None,
            timezone: None,
            support_url: None,
            zones: Vec::new(),
            modules: Vec::new(),
        }
    }

    /// Puts what the document says in place of what is there.
    pub fn amend(&self, system: &mut System) -> Result<(), Vec<InvalidField>> {
        let mut checks = Checks::default();
        self.name.amend(&mut system.name);
        self.display_name.amend_option(&mut system.display_name);
        self.description.amend(&mut system.description);
        self.email.amend_option(&mut system.email);
        self.capacity.amend_number(&mut system.capacity);
        self.bookable.amend(&mut system.bookable);
        self.features.amend(&mut system.features);
        self.map_id.amend_option(&mut system.map_id);
        let before = system.timezone.clone();
        self.timezone.amend_option(&mut system.timezone);
        // What is there already may be of an earlier version, and clients send it back.
        if let Some(timezone) = &system.timezone
            && system.timezone != before
            && !is_time_zone(timezone)
        {
            checks.wrong("timezone", "is no IANA time zone such as Europe/London");
        }
        self.support_url.amend_option(&mut system.support_url);
        checks.ids("zones", &self.zones, &mut system.zones, ZoneId::new);
        checks.ids("modules", &self.modules, &mut system.modules, ModuleId::new);
        checks.finish()
    }
}

/// A zone to be made or changed. What is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ZoneDocument {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    display_name: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Given<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    tags: Given<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    parent_id: Given<String>,
}

impl ZoneDocument {
    /// The id that a new zone is to have.
    pub fn id(&self) -> Result<Option<ZoneId>, Vec<InvalidField>> {
        asked_id(&self.id, ZoneId::new)
    }

    /// A zone with nothing but its id, to be amended.
    pub fn blank(id: ZoneId) -> Zone {
        Zone {
            id,
            name: String::new(),
            display_name: None,
            description: String::new(),
            tags: Vec::new(),
            parent_id: None,
        }
    }

    /// Puts what the document says in place of what is there.
    pub fn amend(&self, zone: &mut Zone) -> Result<(), Vec<InvalidField>> {
        let mut checks = Checks::default();
        self.name.amend(&mut zone.name);
        self.display_name.amend_option(&mut zone.display_name);
        self.description.amend(&mut zone.description);
        self.tags.amend(&mut zone.tags);
        checks.id(
            "parent_id",
            &self.parent_id,
            &mut zone.parent_id,
            ZoneId::new,
        );
        checks.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::placeos::rest::documents::read;
    use crate::dialects::placeos::rest::{SystemShape, ZoneShape};
    use crate::dialects::placeos::testing::{INFO, system, zone};

    fn amended(body: &str) -> System {
        let mut amended = system();
        let document: SystemDocument = read(body.as_bytes()).unwrap();
        document.amend(&mut amended).unwrap();
        amended
    }

    #[test]
    fn what_is_left_out_stays_and_null_empties() {
        assert_eq!(amended("{}"), system());
        let changed = amended(
            r#"{"name": "New", "email": null, "capacity": 3, "features": null, "zones": ["zone-x"], "signage": true}"#,
        );
        let expected = System {
            name: "New".to_owned(),
            email: None,
            capacity: 3,
            features: Vec::new(),
            zones: vec![ZoneId::new("zone-x").unwrap()],
            ..system()
        };
        assert_eq!(changed, expected);
    }

    #[test]
    fn what_was_answered_can_be_sent_back_and_changes_nothing() {
        let body = serde_json::to_string(&SystemShape::new(&system(), &INFO)).unwrap();
        assert_eq!(amended(&body), system());
        let body = serde_json::to_string(&ZoneShape::new(&zone(), &INFO)).unwrap();
        let (mut amended, document): (_, ZoneDocument) = (zone(), read(body.as_bytes()).unwrap());
        document.amend(&mut amended).unwrap();
        assert_eq!(amended, zone());
    }

    #[test]
    fn a_time_zone_is_one_that_there_is() {
        assert_eq!(
            amended(r#"{"timezone": "Europe/Berlin"}"#)
                .timezone
                .as_deref(),
            Some("Europe/Berlin")
        );
        let document: SystemDocument = read(br#"{"timezone": "Europe/Berln"}"#).unwrap();
        let wrong = document.amend(&mut system()).unwrap_err();
        assert_eq!(wrong[0].field, "timezone");
        let mut old = System {
            timezone: Some("Europe/Berln".to_owned()),
            ..system()
        };
        document.amend(&mut old).unwrap();
    }

    #[test]
    fn ids_that_are_none_are_said_by_field() {
        let document: SystemDocument =
            read(br#"{"id": "a\nb", "zones": ["", "zone-a"], "modules": ["a\nb"]}"#).unwrap();
        let fields = |wrong: Vec<InvalidField>| -> Vec<String> {
            wrong.into_iter().map(|wrong| wrong.field).collect()
        };
        assert_eq!(fields(document.id().unwrap_err()), ["id"]);
        let wrong = document.amend(&mut system()).unwrap_err();
        assert_eq!(fields(wrong), ["zones", "modules"]);
        let empty: ZoneDocument = read(br#"{"id": "", "parent_id": ""}"#).unwrap();
        let mut zone = zone();
        empty.amend(&mut zone).unwrap();
        assert_eq!((empty.id(), zone.parent_id), (Ok(None), None));
    }
}
