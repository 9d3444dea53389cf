//! Commands about the gateway, the client itself and this connection.

use serde_json::json;

use crate::dialects::home_assistant::rest;
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn};
use crate::dialects::home_assistant::wire::Envelope;
use crate::dialects::home_assistant::wire::frames::{Coalescing, put_json};

/// The feature by which a client takes several frames in one message.
const COALESCE: &str = "coalesce_messages";

pub(super) fn ping(_: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    turn.frames.pong(command.id);
    Ok(())
}

/// Takes note of what the client can do. What it could once it can always: the dashboard asks again without naming it.
pub(super) fn supported_features(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let features = command.fields.object("features").unwrap_or_default();
    if features.get(COALESCE).is_some() {
        commands.coalescing = Coalescing::On;
    }
    turn.frames.done(command.id);
    Ok(())
}

pub(super) fn current_user(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let client = &commands.client;
    let user = json!({
        "id": client.user,
        "name": client.name,
        "is_owner": false,
        "is_admin": client.is_admin(),
        "credentials": [],
        "mfa_modules": [],
    });
    turn.frames.result(command.id, |out| put_json(&user, out));
    Ok(())
}

/// What clients ask of an installation. Whose credentials are restricted to some systems is not told how the building is called.
pub(super) fn config(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let is_whole = commands.sight().is_whole();
    let config = rest::config(&turn.ambient.surroundings.building, |_| is_whole);
    turn.frames
        .result(command.id, |out| out.extend_from_slice(config.as_bytes()));
    Ok(())
}

/// The panels: the dashboard that clients make themselves, and the page of the user, where they sign out.
pub(super) fn panels(_: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    let panels = json!({
        "lovelace": {
            "component_name": "lovelace",
            "icon": null,
            "title": null,
            "config": {"mode": "storage"},
            "url_path": "lovelace",
            "require_admin": false,
            "config_panel_domain": null,
        },
        "profile": {
            "component_name": "profile",
            "icon": null,
            "title": null,
            "config": null,
            "url_path": "profile",
            "require_admin": false,
            "config_panel_domain": null,
        },
    });
    turn.frames.result(command.id, |out| put_json(&panels, out));
    Ok(())
}

pub(super) fn services(_: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    let services = turn.ambient.surroundings.home_assistant.services();
    turn.frames.result(command.id, |out| services.write(out));
    Ok(())
}

/// Says that what it is shown cannot be used: triggers, conditions and actions of Home Assistant's do not run here.
pub(super) fn validate_config(
    _: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let shown = ["triggers", "conditions", "actions"].into_iter();
    let verdicts: serde_json::Map<String, serde_json::Value> = shown
        .filter(|key| command.fields.get(key).is_some())
        .map(|key| {
            let error = "automations of Home Assistant do not run here, the building file has triggers and procedures";
            (key.to_owned(), json!({"valid": false, "error": error}))
        })
        .collect();
    turn.frames
        .result(command.id, |out| put_json(&verdicts, out));
    Ok(())
}
