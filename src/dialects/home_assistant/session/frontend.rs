//! What the dashboard asks: the registries of what there is, and things of Home Assistant's that a building does not have.
//!
//! It makes its view of the building by itself, with a card for each area, as long as it is told that no dashboard is configured.

use serde_json::{Value, json};

use crate::dialects::home_assistant::errors::{CommandError, ErrorCode};
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn};
use crate::dialects::home_assistant::session::subscriptions::Subscribed;
use crate::dialects::home_assistant::wire::Envelope;
use crate::dialects::home_assistant::wire::frames::put_json;

fn answer(command: &Envelope<'_>, value: &Value, turn: &mut Turn<'_>) -> Taken {
    turn.frames.result(command.id, |out| put_json(value, out));
    Ok(())
}

/// Answers with JSON that is there already.
fn answer_text(command: &Envelope<'_>, json: &str, turn: &mut Turn<'_>) -> Taken {
    turn.frames
        .result(command.id, |out| out.extend_from_slice(json.as_bytes()));
    Ok(())
}

pub(super) fn empty_list(_: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    answer_text(command, "[]", turn)
}

pub(super) fn nothing_there(
    _: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    answer(command, &json!({"value": null}), turn)
}

/// A subscription to something that is not there and will not come.
pub(super) fn subscribe_to_nothing(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    commands.subscribe(command.id, Subscribed::Nothing)?;
    turn.frames.done(command.id);
    let nothing = json!({"value": null});
    turn.frames.event(command.id, |out| put_json(&nothing, out));
    Ok(())
}

pub(super) fn no_notifications(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    commands.subscribe(command.id, Subscribed::Nothing)?;
    turn.frames.done(command.id);
    let none = json!({"type": "current", "notifications": {}});
    turn.frames.event(command.id, |out| put_json(&none, out));
    Ok(())
}

pub(super) fn themes(_: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    let themes = json!({"themes": {}, "default_theme": "default", "default_dark_theme": null});
    answer(command, &themes, turn)
}

pub(super) fn no_resources(_: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    answer(command, &json!({"resources": {}}), turn)
}

pub(super) fn user_data(_: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    answer(command, &json!({"value": null}), turn)
}

/// Takes what a dashboard would keep of its user, and keeps nothing: every screen shows the same.
pub(super) fn forget_user_data(
    _: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    turn.frames.done(command.id);
    Ok(())
}

pub(super) fn no_issues(_: &mut Commands, command: &Envelope<'_>, turn: &mut Turn<'_>) -> Taken {
    answer(command, &json!({"issues": []}), turn)
}

/// The device classes whose states are numbers, by which the dashboard chooses between a list and a graph.
pub(super) fn numeric_device_classes(
    _: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let classes = json!({"numeric_device_classes": [
        "aqi", "battery", "carbon_dioxide", "carbon_monoxide", "current", "distance", "duration",
        "energy", "frequency", "humidity", "illuminance", "power", "power_factor", "pressure",
        "signal_strength", "sound_pressure", "speed", "temperature", "voltage", "volume",
        "volatile_organic_compounds", "weight",
    ]});
    answer(command, &classes, turn)
}

pub(super) fn no_dashboard(_: &mut Commands, _: &Envelope<'_>, _: &mut Turn<'_>) -> Taken {
    Err(CommandError::new(
        ErrorCode::ConfigNotFound,
        "No config found.",
    ))
}

pub(super) fn dashboard_mode(
    _: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    answer(command, &json!({"resource_mode": "storage"}), turn)
}
