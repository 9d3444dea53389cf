//! The types of resources, by the names that they have in the scopes of keys and in the audit log.

use crate::server::http::kit::Resource;
use crate::server::http::placeos::authn::Placeos;

macro_rules! resource_types {
    ($($name:ident = $word:literal)+) => {$(
        pub(super) enum $name {}

        impl Resource for $name {
            type Dialect = Placeos;
            const NAME: &'static str = $word;
        }
    )+};
}

resource_types! {
    Apps = "apps"
    Commands = "commands"
    Domains = "domains"
    Drivers = "drivers"
    Entities = "entities"
    Hooks = "hooks"
    Keys = "api_keys"
    Metadata = "metadata"
    Modules = "modules"
    Platform = "platform"
    Procedures = "procedures"
    Services = "services"
    Settings = "settings"
    Signals = "signal"
    Systems = "systems"
    Triggers = "triggers"
    Users = "users"
    WholeBuilding = "building"
    Zones = "zones"
}
