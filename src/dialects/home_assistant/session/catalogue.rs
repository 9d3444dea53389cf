//! Every command: its fields, who may give it, and what it does. The list is sorted by name, so that it is searched quickly.
//!
//! A newer dashboard asks for things of its own that this list does not have. Such questions are answered with nothing,
//! because the dashboard would stop at an error.

use std::borrow::Cow;

use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn};
use crate::dialects::home_assistant::session::{
    about, entities, events, frontend, registries, services, subscriptions, template, tokens,
    trigger,
};
use crate::dialects::home_assistant::wire::Envelope;
use crate::dialects::home_assistant::wire::schema::{Field, Kind};

/// A command.
#[derive(Debug)]
pub(super) struct Command {
    /// Its type on the wire.
    name: &'static str,
    /// What may stand in it beside its id and type; `None` where anything may.
    pub(super) fields: Option<&'static [Field]>,
    /// Who may give it.
    pub(super) access: Access,
    /// Takes it.
    pub(super) run: fn(&mut Commands, &Envelope<'_>, &mut Turn<'_>) -> Taken,
}

/// Who may give a command. What it then asks of the core is authorised there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Every user.
    Everyone,
    /// Administrators.
    Administrators,
}

use Access::{Administrators, Everyone};

/// Whether a command of this type is in the list.
pub(super) fn lists(kind: &str) -> bool {
    COMMANDS
        .binary_search_by(|command| command.name.cmp(kind))
        .is_ok()
}

/// The command of this type.
pub(super) fn find(kind: &str) -> Option<&'static Command> {
    match COMMANDS.binary_search_by(|command| command.name.cmp(kind)) {
        Ok(at) => Some(&COMMANDS[at]),
        Err(_) if kind.starts_with("frontend/get_") => Some(&UNKNOWN_READ),
        Err(_) if kind.starts_with("frontend/subscribe_") => Some(&UNKNOWN_SUBSCRIPTION),
        Err(_) => None,
    }
}

static UNKNOWN_READ: Command = Command {
    name: "frontend/get_",
    fields: None,
    access: Everyone,
    run: frontend::nothing_there,
};

static UNKNOWN_SUBSCRIPTION: Command = Command {
    name: "frontend/subscribe_",
    fields: None,
    access: Everyone,
    run: frontend::subscribe_to_nothing,
};

/// A line of the list.
const fn command(
    name: &'static str,
    fields: &'static [Field],
    access: Access,
    run: fn(&mut Commands, &Envelope<'_>, &mut Turn<'_>) -> Taken,
) -> Command {
    Command {
        name,
        fields: Some(fields),
        access,
        run,
    }
}

/// In the order of the names.
static COMMANDS: &[Command] = &[
    command("auth/current_user", &[], Everyone, about::current_user),
    command(
        "auth/delete_refresh_token",
        DELETE_TOKEN,
        Everyone,
        tokens::end,
    ),
    command(
        "auth/long_lived_access_token",
        LONG_LIVED,
        Everyone,
        tokens::make_long_lived,
    ),
    command("auth/refresh_tokens", &[], Everyone, tokens::list),
    command("auth/sign_path", SIGN_PATH, Everyone, tokens::sign_path),
    command("call_service", CALL_SERVICE, Everyone, services::call),
    command(
        "config/area_registry/list",
        &[],
        Everyone,
        registries::areas,
    ),
    command(
        "config/device_registry/list",
        &[],
        Everyone,
        registries::devices,
    ),
    command(
        "config/entity_registry/get",
        ENTITY,
        Everyone,
        registries::entity,
    ),
    command(
        "config/entity_registry/list",
        &[],
        Everyone,
        registries::entities,
    ),
    command(
        "config/entity_registry/list_for_display",
        &[],
        Everyone,
        registries::entities_for_display,
    ),
    command(
        "config/floor_registry/list",
        &[],
        Everyone,
        registries::floors,
    ),
    command(
        "config/label_registry/list",
        &[],
        Everyone,
        registries::labels,
    ),
    command("entity/source", &[], Everyone, registries::sources),
    command(
        "extract_from_target",
        EXTRACT,
        Everyone,
        registries::extract_from_target,
    ),
    command("fire_event", FIRE_EVENT, Administrators, events::fire),
    command(
        "frontend/get_icons",
        GET_ICONS,
        Everyone,
        frontend::no_resources,
    ),
    command("frontend/get_themes", &[], Everyone, frontend::themes),
    command(
        "frontend/get_translations",
        GET_TRANSLATIONS,
        Everyone,
        frontend::no_resources,
    ),
    command(
        "frontend/get_user_data",
        GET_USER_DATA,
        Everyone,
        frontend::user_data,
    ),
    command(
        "frontend/set_user_data",
        SET_USER_DATA,
        Everyone,
        frontend::forget_user_data,
    ),
    command("get_config", &[], Everyone, about::config),
    command("get_panels", &[], Everyone, about::panels),
    command("get_services", &[], Everyone, about::services),
    command("get_states", GET_STATES, Everyone, entities::states),
    command(
        "lovelace/config",
        LOVELACE_CONFIG,
        Everyone,
        frontend::no_dashboard,
    ),
    command(
        "lovelace/dashboards/list",
        &[],
        Everyone,
        frontend::empty_list,
    ),
    command("lovelace/info", &[], Everyone, frontend::dashboard_mode),
    command("lovelace/resources", &[], Everyone, frontend::empty_list),
    command(
        "persistent_notification/get",
        &[],
        Everyone,
        frontend::empty_list,
    ),
    command(
        "persistent_notification/subscribe",
        &[],
        Everyone,
        frontend::no_notifications,
    ),
    command("ping", &[], Everyone, about::ping),
    command(
        "render_template",
        RENDER_TEMPLATE,
        Everyone,
        template::render,
    ),
    command("repairs/list_issues", &[], Everyone, frontend::no_issues),
    command(
        "sensor/numeric_device_classes",
        &[],
        Everyone,
        frontend::numeric_device_classes,
    ),
    command(
        "subscribe_entities",
        SUBSCRIBE_ENTITIES,
        Everyone,
        entities::subscribe,
    ),
    command(
        "subscribe_events",
        SUBSCRIBE_EVENTS,
        Everyone,
        events::subscribe,
    ),
    command(
        "subscribe_trigger",
        SUBSCRIBE_TRIGGER,
        Administrators,
        trigger::subscribe,
    ),
    command(
        "supported_features",
        SUPPORTED_FEATURES,
        Everyone,
        about::supported_features,
    ),
    command("system_log/list", &[], Administrators, frontend::empty_list),
    command(
        "unsubscribe_events",
        UNSUBSCRIBE,
        Everyone,
        subscriptions::unsubscribe,
    ),
    command(
        "validate_config",
        VALIDATE_CONFIG,
        Everyone,
        about::validate_config,
    ),
];

static DELETE_TOKEN: &[Field] = &[Field::required("refresh_token_id", Kind::Str)];

static LONG_LIVED: &[Field] = &[
    Field::required("lifespan", Kind::Int),
    Field::required("client_name", Kind::Str),
    Field::optional_or_null("client_icon", Kind::Str),
];

static SIGN_PATH: &[Field] = &[
    Field::required("path", Kind::Str),
    Field::optional("expires", Kind::Int),
];

static CALL_SERVICE: &[Field] = &[
    Field::required("domain", Kind::Str),
    Field::required("service", Kind::Str),
    Field::optional_or_null("service_data", Kind::Dict),
    Field::optional_or_null("target", Kind::Fields(Cow::Borrowed(TARGET))),
    Field::optional("return_response", Kind::Bool),
];

static TARGET: &[Field] = &[
    Field::optional("entity_id", Kind::Texts),
    Field::optional("device_id", Kind::Texts),
    Field::optional("area_id", Kind::Texts),
    Field::optional("floor_id", Kind::Texts),
    Field::optional("label_id", Kind::Texts),
];

static EXTRACT: &[Field] = &[
    Field::required("target", Kind::Fields(Cow::Borrowed(TARGET))),
    Field::optional("expand_group", Kind::Bool),
];

static ENTITY: &[Field] = &[Field::required("entity_id", Kind::EntityIds)];

static FIRE_EVENT: &[Field] = &[
    Field::required("event_type", Kind::Str),
    Field::optional("event_data", Kind::Dict),
];

static GET_ICONS: &[Field] = &[
    Field::required("category", Kind::Str),
    Field::optional("integration", Kind::Texts),
];

static GET_TRANSLATIONS: &[Field] = &[
    Field::required("language", Kind::Str),
    Field::required("category", Kind::Str),
    Field::optional("integration", Kind::Texts),
    Field::optional("config_flow", Kind::Any),
];

static GET_USER_DATA: &[Field] = &[Field::optional_or_null("key", Kind::Str)];

static SET_USER_DATA: &[Field] = &[
    Field::required("key", Kind::Str),
    Field::required("value", Kind::Any),
];

/// Home Assistant's has none of these. With thousands of entities a client may want some of them alone.
static GET_STATES: &[Field] = &[
    Field::optional_or_null("entity_ids", Kind::EntityIds),
    Field::optional_or_null("domains", Kind::Texts),
];

static LOVELACE_CONFIG: &[Field] = &[
    Field::optional("force", Kind::Bool),
    Field::optional_or_null("url_path", Kind::Str),
];

/// How long a template may take is bounded anyway.
static RENDER_TEMPLATE: &[Field] = &[
    Field::required("template", Kind::Str),
    Field::optional("entity_ids", Kind::EntityIds),
    Field::optional("variables", Kind::Dict),
    Field::optional("timeout", Kind::Any),
    Field::optional("strict", Kind::Bool),
    Field::optional("report_errors", Kind::Bool),
];

static SUBSCRIBE_ENTITIES: &[Field] = &[
    Field::optional("entity_ids", Kind::EntityIds),
    Field::optional("include", Kind::Fields(Cow::Borrowed(FILTER))),
    Field::optional("exclude", Kind::Fields(Cow::Borrowed(FILTER))),
];

static FILTER: &[Field] = &[
    Field::optional("domains", Kind::Texts),
    Field::optional("entity_globs", Kind::Texts),
    Field::optional("entities", Kind::EntityIds),
];

static SUBSCRIBE_EVENTS: &[Field] = &[Field::optional("event_type", Kind::Str)];

/// Triggers that have no templates need no variables.
static SUBSCRIBE_TRIGGER: &[Field] = &[
    Field::required("trigger", Kind::Any),
    Field::optional("variables", Kind::Dict),
];

static SUPPORTED_FEATURES: &[Field] = &[Field::required("features", Kind::Ints)];

static UNSUBSCRIBE: &[Field] = &[Field::required("subscription", Kind::Count)];

static VALIDATE_CONFIG: &[Field] = &[
    Field::optional("triggers", Kind::Any),
    Field::optional("conditions", Kind::Any),
    Field::optional("actions", Kind::Any),
];

/// Every command with its fields, and whether each must be there.
#[cfg(test)]
pub(in crate::dialects::home_assistant) fn commands_and_fields()
-> std::collections::BTreeMap<String, std::collections::BTreeMap<String, bool>> {
    let commands = COMMANDS.iter().map(|command| {
        let fields = command.fields.unwrap_or_default().iter();
        let fields = fields.map(|field| (field.name().to_owned(), field.is_required()));
        (command.name.to_owned(), fields.collect())
    });
    commands.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_has_no_command_twice() {
        let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
    }

    #[test]
    fn what_a_newer_dashboard_asks_is_found_and_anything_else_is_not() {
        for kind in [
            "ping",
            "frontend/get_system_data",
            "frontend/subscribe_user_data",
        ] {
            assert!(find(kind).is_some(), "{kind}");
        }
        for kind in ["Ping", "frontend/update", "recorder/info", ""] {
            assert!(find(kind).is_none(), "{kind}");
        }
    }
}
