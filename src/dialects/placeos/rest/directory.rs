//! The shapes of what a building consists of: its authority, systems, zones and users.
//!
//! The fields that are kept come from the lists of the model, by way of `documents`; here is what stands beside them.
//! Where PlaceOS has more than the gateway has facts, it is given as PlaceOS gives it for a fresh row.
//! Times are Unix seconds.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::ModuleShape;
use crate::dialects::placeos::rest::documents::{Shown, fields_schema};
use crate::dialects::placeos::rest::domains::organisation;
use crate::model::{Clearance, EntryInfo, System, User, Zone};

/// The version that the authority states. Clients take the path `/api/engine/v2` only for `[2-9].N.N`.
pub(super) const PLATFORM_VERSION: &str = "v2.0.0";

/// The id of the one authority that a gateway serves.
pub(super) const AUTHORITY_ID: &str = "authority-riser";

/// A list that is always empty.
pub(super) type NoItems = [(); 0];

/// An object that is always empty.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(super) struct Empty {}

/// The first thing that a client asks for: `GET /auth/authority`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Authority<'a> {
    pub(super) id: &'static str,
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    domain: &'a str,
    pub(super) login_url: String,
    pub(super) logout_url: String,
    pub(super) config: AuthorityConfig<'a>,
    #[schema(value_type = Vec<String>)]
    pub(super) email_domains: NoItems,
    version: &'static str,
    session: bool,
    token_valid: bool,
    production: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuthorityConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    org_zone: Option<&'a str>,
}

/// How a browser stands towards the gateway when it asks for the authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// It has a session from signing in. Without one a client that has no token sends it to the login page.
    pub session: bool,
    /// It carries a good token or key with the request.
    pub token_valid: bool,
}

impl<'a> Authority<'a> {
    /// The authority of this domain, the request's `Host` without its port, for a gateway below the path `base`.
    /// Its zone is the first that is tagged `org`.
    pub fn new(
        domain: &'a str,
        base: &str,
        zones: impl Iterator<Item = &'a Zone>,
        standing: Standing,
    ) -> Self {
        let organisation = organisation(zones);
        Self {
            id: AUTHORITY_ID,
            name: organisation.map_or(domain, |zone| &zone.name),
            description: organisation.map_or("", |zone| &zone.description),
            domain,
            login_url: format!("{base}/login?continue={{{{url}}}}"),
            logout_url: format!("{base}/auth/logout"),
            config: AuthorityConfig {
                org_zone: organisation.map(|zone| zone.id.as_str()),
            },
            email_domains: [],
            version: PLATFORM_VERSION,
            session: standing.session,
            token_valid: standing.token_valid,
            production: true,
        }
    }
}

/// A system: `GET /systems`, `GET /systems/{id}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = System)]
pub struct SystemShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<System>)]
    fields: Shown<'a, System>,
    version: u64,
    #[schema(value_type = Option<String>)]
    signage_last_seen: Option<()>,
    created_at: u64,
    updated_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone_data: Option<Vec<ZoneShape<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module_data: Option<Vec<ModuleShape<'a>>>,
}

impl<'a> SystemShape<'a> {
    /// A system without what is around and in it.
    pub fn new(system: &'a System, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(system),
            version: info.version.0,
            signage_last_seen: None,
            created_at: info.created_at,
            updated_at: info.updated_at,
            zone_data: None,
            module_data: None,
        }
    }

    /// The same with its zones and modules: `complete=true`.
    #[must_use]
    pub fn complete(self, zones: Vec<ZoneShape<'a>>, modules: Vec<ModuleShape<'a>>) -> Self {
        Self {
            zone_data: Some(zones),
            module_data: Some(modules),
            ..self
        }
    }
}

/// A zone: `GET /zones`, `GET /zones/{id}`, `GET /systems/{id}/zones`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Zone)]
pub struct ZoneShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<Zone>)]
    fields: Shown<'a, Zone>,
    #[schema(value_type = Vec<String>)]
    triggers: NoItems,
    created_at: u64,
    updated_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    children_count: Option<usize>,
}

impl<'a> ZoneShape<'a> {
    /// A zone by itself.
    pub fn new(zone: &'a Zone, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(zone),
            triggers: [],
            created_at: info.created_at,
            updated_at: info.updated_at,
            children_count: None,
        }
    }

    /// The same with how many zones are directly inside it: `include_children_count=true`.
    #[must_use]
    pub fn with_children(self, count: usize) -> Self {
        Self {
            children_count: Some(count),
            ..self
        }
    }
}

/// A user: `GET /users/current`, `GET /users`, `GET /users/{id}`. Nothing of their password is part of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<User>)]
    fields: Shown<'a, User>,
    authority_id: &'static str,
    email_digest: &'static str,
    sys_admin: bool,
    support: bool,
    associated_metadata: Empty,
    #[schema(value_type = Vec<String>)]
    subsystem_access: NoItems,
    created_at: u64,
    updated_at: u64,
}

impl<'a> UserShape<'a> {
    /// A user with this clearance: their own, or for the caller what the credential leaves of it.
    pub fn new(user: &'a User, clearance: Clearance, info: &EntryInfo) -> Self {
        Self {
            fields: Shown::of(user),
            authority_id: AUTHORITY_ID,
            email_digest: "",
            sys_admin: clearance >= Clearance::Admin,
            support: clearance >= Clearance::Support,
            associated_metadata: Empty {},
            subsystem_access: [],
            created_at: info.created_at,
            updated_at: info.updated_at,
        }
    }

    /// The same without what administrators alone see of others.
    #[must_use]
    pub fn for_others(mut self) -> Self {
        self.fields.whole = false;
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dialects::placeos::rest::{Condition, DriverFacts, ModuleFacts};
    use crate::dialects::placeos::testing::{CREATED, INFO, UPDATED, system, zone};
    use crate::model::{DriverRef, Module, ModuleId, Password, Secret, UserId, ZoneId};

    fn shape<T: Serialize>(shape: &T) -> Value {
        serde_json::to_value(shape).unwrap()
    }

    fn module() -> Module {
        Module {
            driver: DriverRef::LinkedIn("pjlink".to_owned()),
            ..Module::new(&ModuleId::new("mod-d1").unwrap())
        }
    }

    const DRIVER: DriverFacts<'_> = DriverFacts {
        id: "pjlink",
        description: "Projectors",
        module_name: "Display",
    };

    #[test]
    fn the_authority_points_at_the_zone_around_everything() {
        let organisation = Zone {
            id: ZoneId::new("zone-hq").unwrap(),
            name: "Headquarters".to_owned(),
            description: "All of it".to_owned(),
            tags: vec!["org".to_owned()],
            ..zone()
        };
        let zones = [zone(), organisation];
        let authority = shape(&Authority::new(
            "rooms.test",
            "",
            zones.iter(),
            Standing {
                session: false,
                token_valid: false,
            },
        ));
        assert_eq!(
            authority,
            json!({
                "id": "authority-riser", "name": "Headquarters", "description": "All of it", "domain": "rooms.test",
                "login_url": "/login?continue={{url}}", "logout_url": "/auth/logout",
                "config": {"org_zone": "zone-hq"}, "email_domains": [], "version": "v2.0.0",
                "session": false, "token_valid": false, "production": true,
            })
        );
        let alone = shape(&Authority::new(
            "rooms.test",
            "/riser",
            [].iter(),
            Standing {
                session: true,
                token_valid: false,
            },
        ));
        assert_eq!(alone["config"], json!({}));
        assert_eq!(alone["session"], true);
    }

    #[test]
    fn a_system_has_every_field_that_clients_read() {
        assert_eq!(
            shape(&SystemShape::new(&system(), &INFO)),
            json!({
                "id": "sys-1", "name": "Board Room", "display_name": "The Board Room", "description": "Level 1",
                "email": "board@example.com", "features": ["vc", "whiteboard"], "bookable": true, "public": false,
                "code": null, "type": null, "capacity": 8, "map_id": "map-1", "approval": false, "images": [],
                "security_groups": [], "timezone": "Etc/UTC", "support_url": "", "timetable_url": null,
                "camera_snapshot_urls": [], "camera_url": null, "room_booking_url": null, "version": 3,
                "installed_ui_devices": 0, "zones": ["zone-hq", "zone-l1"], "modules": ["mod-d1", "mod-d2"],
                "orientation": "unspecified", "playlists": [], "signage": false, "signage_last_seen": null,
                "space_config": {}, "created_at": CREATED, "updated_at": UPDATED,
            })
        );
    }

    #[test]
    fn a_complete_system_has_its_zones_and_modules_with_their_drivers() {
        let (system, zone, module) = (system(), zone(), module());
        let zones = vec![ZoneShape::new(&zone, &INFO)];
        let facts = ModuleFacts {
            driver: DRIVER,
            condition: Condition::Connected,
            failed_at: None,
            system: Some(&system),
        };
        let modules = vec![ModuleShape::new(&module, facts, &INFO)];
        let shape = shape(&SystemShape::new(&system, &INFO).complete(zones, modules));
        assert_eq!(shape["zone_data"][0]["id"], "zone-l1");
        assert_eq!(shape["module_data"][0]["driver"]["module_name"], "Display");
        assert_eq!(shape["module_data"][0]["control_system_id"], "sys-1");
    }

    #[test]
    fn a_zone_says_how_many_are_inside_only_when_asked() {
        let zone = zone();
        assert_eq!(
            shape(&ZoneShape::new(&zone, &INFO)),
            json!({
                "id": "zone-l1", "name": "Level 1", "description": "", "tags": ["level", "quiet"], "location": null,
                "display_name": null, "code": null, "type": null, "count": 0, "capacity": 0, "map_id": null,
                "timezone": null, "parent_id": "zone-hq", "triggers": [], "images": [],
                "playlists": [], "place_id": null,
                "created_at": CREATED, "updated_at": UPDATED,
            })
        );
        assert_eq!(
            shape(&ZoneShape::new(&zone, &INFO).with_children(3))["children_count"],
            3
        );
    }

    #[test]
    fn the_current_user_has_the_clearance_that_the_credential_leaves() {
        let user = User {
            email: "ann@example.test".to_owned(),
            name: "Ann Mary Lee".to_owned(),
            level: Clearance::Admin,
            groups: vec!["group-a".to_owned()],
            password: Some(Password::Plain(Secret::new("hunter2"))),
            ..User::new(&UserId::new("user-1").unwrap())
        };
        assert_eq!(
            shape(&UserShape::new(&user, Clearance::Support, &INFO)),
            json!({
                "id": "user-1", "authority_id": "authority-riser", "name": "Ann Mary Lee", "email": "ann@example.test",
                "email_digest": "", "first_name": "Ann", "last_name": "Mary Lee", "image": null, "groups": ["group-a"],
                "nickname": null, "phone": null, "country": null, "building": null, "department": null,
                "preferred_language": null, "photo_upload_id": null, "ui_theme": null, "misc": null, "login_name": null,
                "staff_id": null, "card_number": null, "locatable": true, "work_preferences": [], "work_overrides": {},
                "sys_admin": false, "support": true, "associated_metadata": {}, "subsystem_access": [],
                "created_at": CREATED, "updated_at": UPDATED,
            })
        );
    }
}
