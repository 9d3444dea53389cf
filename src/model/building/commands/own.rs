//! The commands that Home Assistant has itself, whose types no other command can have.
//!
//! Those with a `/` are listed; a type without one is no type of a command of one's own.

/// Whether Home Assistant has a command of this type.
pub(super) fn is_own(command: &str) -> bool {
    OWN.binary_search(&command).is_ok() || FAMILIES.iter().any(|family| command.starts_with(family))
}

/// Families that Home Assistant has as a whole: its registries, and what signs people in.
const FAMILIES: [&str; 2] = ["auth/", "config/"];

/// Single commands in their order.
const OWN: &[&str] = &[
    "assist_pipeline/run",
    "backup/info",
    "blueprint/list",
    "camera/capabilities",
    "camera/stream",
    "cloud/status",
    "conversation/process",
    "device_automation/action/list",
    "device_automation/condition/list",
    "device_automation/trigger/list",
    "diagnostics/get",
    "diagnostics/list",
    "energy/get_prefs",
    "energy/info",
    "energy/save_prefs",
    "entity/source",
    "frontend/get_icons",
    "frontend/get_system_data",
    "frontend/get_themes",
    "frontend/get_translations",
    "frontend/get_user_data",
    "frontend/set_user_data",
    "frontend/subscribe_system_data",
    "frontend/subscribe_user_data",
    "group/start_preview",
    "hardware/info",
    "history/history_during_period",
    "history/list_entity_ids",
    "history/stream",
    "homeassistant/expose_entity",
    "homeassistant/expose_entity/list",
    "integration/descriptions",
    "integration/setup_info",
    "integration/wait",
    "labs/list",
    "logbook/event_stream",
    "logbook/get_events",
    "logger/integration_log_level",
    "logger/log_info",
    "lovelace/config",
    "lovelace/config/delete",
    "lovelace/config/save",
    "lovelace/dashboards/create",
    "lovelace/dashboards/delete",
    "lovelace/dashboards/list",
    "lovelace/dashboards/update",
    "lovelace/info",
    "lovelace/resources",
    "lovelace/resources/create",
    "lovelace/resources/delete",
    "lovelace/resources/update",
    "manifest/get",
    "manifest/list",
    "media_player/browse_media",
    "media_source/browse_media",
    "media_source/resolve_media",
    "persistent_notification/get",
    "persistent_notification/subscribe",
    "person/list",
    "recorder/info",
    "recorder/list_statistic_ids",
    "recorder/statistics_during_period",
    "repairs/get_issue_data",
    "repairs/ignore_issue",
    "repairs/list_issues",
    "search/related",
    "sensor/device_class_convertible_units",
    "sensor/numeric_device_classes",
    "system_health/info",
    "system_log/list",
    "tag/list",
    "todo/item/list",
    "todo/item/subscribe",
    "trace/get",
    "trace/list",
    "usb/scan",
    "weather/convertible_units",
    "weather/subscribe_forecast",
    "webhook/list",
    "zone/list",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_its_order() {
        assert!(OWN.is_sorted());
    }

    #[test]
    fn a_command_of_home_assistant_is_known_and_others_are_not() {
        for command in [
            "lovelace/config",
            "config/area_registry/list",
            "auth/sign_path",
        ] {
            assert!(is_own(command), "{command}");
        }
        for command in ["media_player/thumbnail", "lovelace/configs", "configs/list"] {
            assert!(!is_own(command), "{command}");
        }
    }
}
