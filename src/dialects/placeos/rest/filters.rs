//! What lists are narrowed by.
//!
//! Each filter says beside what it reads how the specification describes it.

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::dialects::placeos::rest::address::is_logic;
use crate::dialects::placeos::rest::query::{BadParameter, Kind, parameter};
use crate::dialects::placeos::rest::words::{Words, words_parameter};
use crate::dialects::placeos::rest::{DriverFacts, Query};
use crate::model::{Module, System, User, Zone};

/// What `GET /systems` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemFilter {
    words: Words,
    bookable: Option<bool>,
    capacity: Option<usize>,
    emails: Vec<String>,
    features: Vec<String>,
    modules: Vec<String>,
    zones: Vec<String>,
    /// Those in which all of these triggers stand, by the ids of their definitions.
    pub triggers: Vec<String>,
    /// Asks for what no system here has: being public, being signage.
    nothing: bool,
}

impl SystemFilter {
    /// Reads `q`, `bookable`, `capacity`, `email`, `features`, `module_id`, `zone_id` and `trigger_id`.
    pub fn read(query: &Query<'_>) -> Result<Self, BadParameter> {
        let public = query.truth("public")?.unwrap_or(false);
        let signage = query.truth("signage")?.unwrap_or(false);
        Ok(Self {
            words: Words::read(query),
            bookable: query.truth("bookable")?,
            capacity: query.whole_number("capacity")?,
            emails: query.items("email"),
            features: query.items("features"),
            modules: query.items("module_id"),
            zones: query.items("zone_id"),
            triggers: query.items("trigger_id"),
            nothing: public || signage,
        })
    }

    /// Whether a system is asked for: it has at least this capacity, one of these addresses,
    /// and all of these features, modules and zones. Which triggers stand in it is not known here.
    pub fn matches(&self, system: &System) -> bool {
        let capacity = usize::try_from(system.capacity).unwrap_or(usize::MAX);
        let email = system.email.as_deref().unwrap_or_default();
        let has_zone = |zone: &str| system.zones.iter().any(|known| known.as_str() == zone);
        let has_module = |module: &str| system.modules.iter().any(|known| known.as_str() == module);
        !self.nothing
            && self.bookable.is_none_or(|asked| asked == system.bookable)
            && self.capacity.is_none_or(|asked| asked <= capacity)
            && (self.emails.is_empty() || contains(&self.emails, email))
            && self
                .features
                .iter()
                .all(|asked| contains(&system.features, asked))
            && self.modules.iter().all(|asked| has_module(asked))
            && self.zones.iter().all(|asked| has_zone(asked))
            && self.words.stand_in(&[
                &system.name,
                system.display_name.as_deref().unwrap_or_default(),
                &system.description,
                email,
                system.id.as_str(),
            ])
    }
}

impl IntoParams for SystemFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            words_parameter(),
            parameter(
                "bookable",
                Kind::Truth,
                "Those that can be booked, or those that cannot.",
            ),
            parameter(
                "capacity",
                Kind::WholeNumber,
                "Those into which at least as many people fit.",
            ),
            parameter("email", Kind::Items, "Those with one of these addresses."),
            parameter("features", Kind::Items, "Those with all of these features."),
            parameter("module_id", Kind::Items, "Those with all of these modules."),
            parameter("zone_id", Kind::Items, "Those in all of these zones."),
            parameter(
                "public",
                Kind::Truth,
                "With `true` none: no system is public.",
            ),
            parameter(
                "signage",
                Kind::Truth,
                "With `true` none: no system is a sign.",
            ),
            parameter(
                "trigger_id",
                Kind::Items,
                "Those in which all of these triggers stand.",
            ),
        ]
    }
}

/// What `GET /zones` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZoneFilter {
    words: Words,
    parents: Vec<String>,
    tags: Vec<String>,
    /// Whether each zone is to say how many zones it has inside.
    pub counts_children: bool,
}

impl ZoneFilter {
    /// Reads `q`, `parent_id`, `tags` and `include_children_count`.
    pub fn read(query: &Query<'_>) -> Result<Self, BadParameter> {
        Ok(Self {
            words: Words::read(query),
            parents: query.items("parent_id"),
            tags: query.items("tags"),
            counts_children: query.truth("include_children_count")?.unwrap_or(false),
        })
    }

    /// Whether tags or a parent are given. Users without clearance are refused with 403 if not.
    pub fn is_narrow(&self) -> bool {
        !self.parents.is_empty() || !self.tags.is_empty()
    }

    /// Whether a zone is asked for: it has one of these parents, where `root` is having none, and all of these tags.
    pub fn matches(&self, zone: &Zone) -> bool {
        let parent = zone
            .parent_id
            .as_ref()
            .map_or("root", |parent| parent.as_str());
        (self.parents.is_empty() || self.parents.iter().any(|asked| asked == parent))
            && self.tags.iter().all(|asked| contains(&zone.tags, asked))
            && self.words.stand_in(&[
                &zone.name,
                zone.display_name.as_deref().unwrap_or_default(),
                &zone.description,
                zone.id.as_str(),
            ])
    }
}

impl IntoParams for ZoneFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            words_parameter(),
            parameter(
                "parent_id",
                Kind::Items,
                "Those directly inside one of these zones; `root` is those inside none.",
            ),
            parameter("tags", Kind::Items, "Those with all of these tags."),
            parameter(
                "include_children_count",
                Kind::Truth,
                "Whether each zone says how many are directly inside it.",
            ),
        ]
    }
}

/// What `GET /modules` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleFilter {
    /// The modules of this system alone, in its order. Whatever else is asked is then passed over.
    pub system: Option<String>,
    words: Words,
    driver: Option<String>,
    no_logic: bool,
    running: Option<bool>,
    as_of: Option<usize>,
}

impl ModuleFilter {
    /// Reads `q`, `control_system_id`, `driver_id`, `no_logic`, `running` and `as_of`.
    pub fn read(query: &Query<'_>) -> Result<Self, BadParameter> {
        Ok(Self {
            system: query.text("control_system_id").map(str::to_owned),
            words: Words::read(query),
            driver: query.text("driver_id").map(str::to_owned),
            no_logic: query.truth("no_logic")?.unwrap_or(false),
            running: query.truth("running")?,
            as_of: query.whole_number("as_of")?,
        })
    }

    /// Whether a module is asked for, which was last changed at this time.
    pub fn matches(&self, module: &Module, driver: DriverFacts<'_>, changed: u64) -> bool {
        self.running.is_none_or(|asked| asked == module.is_to_run())
            && self
                .as_of
                .is_none_or(|asked| usize::try_from(changed).is_ok_and(|changed| changed <= asked))
            && self
                .driver
                .as_deref()
                .is_none_or(|asked| asked == driver.id)
            && !(self.no_logic && is_logic(module))
            && self.words.stand_in(&[
                module.id.as_str(),
                module.name.as_ref().map_or("", |name| name.as_str()),
                driver.id,
                driver.module_name,
                driver.description,
            ])
    }
}

impl IntoParams for ModuleFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            words_parameter(),
            parameter(
                "control_system_id",
                Kind::Text,
                "The modules of this system in its order; nothing else narrows them then.",
            ),
            parameter("driver_id", Kind::Text, "Those of this driver."),
            parameter(
                "no_logic",
                Kind::Truth,
                "Whether those without a device are left out.",
            ),
            parameter(
                "running",
                Kind::Truth,
                "Those that are to run, or those that are stopped.",
            ),
            parameter(
                "as_of",
                Kind::WholeNumber,
                "Those that were last changed before or at this time, in Unix seconds.",
            ),
        ]
    }
}

/// What `GET /drivers` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriverFilter {
    words: Words,
}

impl DriverFilter {
    /// Reads `q`.
    pub fn read(query: &Query<'_>) -> Self {
        Self {
            words: Words::read(query),
        }
    }

    /// Whether a driver is asked for.
    pub fn matches(&self, driver: DriverFacts<'_>) -> bool {
        self.words
            .stand_in(&[driver.id, driver.module_name, driver.description])
    }
}

impl IntoParams for DriverFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![words_parameter()]
    }
}

/// What `GET /users` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    words: Words,
}

impl UserFilter {
    /// Reads `q`.
    pub fn read(query: &Query<'_>) -> Self {
        Self {
            words: Words::read(query),
        }
    }

    /// Whether a user is asked for.
    pub fn matches(&self, user: &User) -> bool {
        self.words
            .stand_in(&[user.id.as_str(), &user.name, &user.email])
    }
}

impl IntoParams for UserFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![words_parameter()]
    }
}

fn contains(list: &[String], asked: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::placeos::testing::{system, zone};

    fn check_system(query: &str, expect: bool) {
        let filter = SystemFilter::read(&Query::parse(query)).unwrap();
        assert_eq!(filter.matches(&system()), expect, "{query:?}");
    }

    fn check_zone(query: &str, expect: bool) {
        let filter = ZoneFilter::read(&Query::parse(query)).unwrap();
        assert_eq!(filter.matches(&zone()), expect, "{query:?}");
    }

    #[test]
    fn a_system_has_everything_that_is_asked() {
        for query in [
            "",
            "q=",
            "capacity=8.0",
            "bookable=true&capacity=8&zone_id=zone-hq,zone-l1&features=VC",
            "email=Board@example.com,other@example.com",
            "module_id=mod-d1",
            "q=board+ROOM",
            "q=sys-1*",
            "bookable=&capacity=&limit=20&group_id=x",
            "public=false",
        ] {
            check_system(query, true);
        }
        for query in [
            "bookable=false",
            "capacity=9",
            "zone_id=zone-hq,zone-l2",
            "features=vc,lights",
            "email=other@example.com",
            "module_id=mod-d9",
            "q=board+kitchen",
            "public=true",
        ] {
            check_system(query, false);
        }
    }

    #[test]
    fn a_zone_is_found_by_its_tags_its_parent_and_its_words() {
        for query in [
            "",
            "tags=level",
            "tags=level,Quiet",
            "parent_id=zone-hq",
            "parent_id=zone-x,zone-hq",
            "q=level",
        ] {
            check_zone(query, true);
        }
        for query in ["tags=level,org", "parent_id=root", "parent_id=zone-x"] {
            check_zone(query, false);
        }
        let root = Zone {
            parent_id: None,
            ..zone()
        };
        let filter = ZoneFilter::read(&Query::parse("parent_id=root&include_children_count=true"));
        let filter = filter.unwrap();
        assert!(filter.matches(&root) && filter.is_narrow() && filter.counts_children);
    }

    #[test]
    fn a_parameter_that_cannot_be_read_is_named_with_what_it_can_be() {
        let wrong = |query| SystemFilter::read(&Query::parse(query)).unwrap_err();
        assert_eq!(
            serde_json::to_string(&wrong("capacity=many")).unwrap(),
            r#"{"error":"capacity is not a whole number from 0","parameter":"capacity","restriction":"a whole number from 0"}"#
        );
        assert_eq!(wrong("bookable=maybe").parameter, "bookable");
    }
}
