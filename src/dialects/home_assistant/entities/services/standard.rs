//! What clients are told of the services that Home Assistant has, and of riser's own `gateway.exec`.

use super::super::context::{put, write_text};

/// A service as it is described.
#[derive(Debug)]
pub(super) struct Standard {
    pub(super) domain: &'static str,
    pub(super) service: &'static str,
    name: &'static str,
    description: &'static str,
    fields: &'static [Field],
    meant: Meant,
}

/// What a service is for, and whether it answers.
#[derive(Debug)]
enum Meant {
    /// For entities of its domain.
    Entities,
    /// For entities of any domain.
    All,
    /// For what its fields name; it answers if it is asked to.
    Fields,
}

/// A field as it is described: its name, whether it is required, how clients ask for it, and what it means.
#[derive(Debug)]
struct Field(&'static str, bool, &'static str, &'static str);

const fn of(
    domain: &'static str,
    service: &'static str,
    name: &'static str,
    description: &'static str,
    fields: &'static [Field],
) -> Standard {
    Standard {
        domain,
        service,
        name,
        description,
        fields,
        meant: Meant::Entities,
    }
}

const fn of_all(service: &'static str, name: &'static str, description: &'static str) -> Standard {
    Standard {
        domain: "homeassistant",
        service,
        name,
        description,
        fields: &[],
        meant: Meant::All,
    }
}

const BRIGHTNESS: &[Field] = &[
    Field(
        "brightness",
        false,
        r#"{"number":{"min":0,"max":255}}"#,
        "How bright, from 0 to 255.",
    ),
    Field(
        "brightness_pct",
        false,
        r#"{"number":{"min":0,"max":100,"unit_of_measurement":"%"}}"#,
        "How bright, in per cent.",
    ),
];

const EXEC: &[Field] = &[
    Field("sys", true, r#"{"text":{}}"#, "The id of the system."),
    Field(
        "mod",
        true,
        r#"{"text":{}}"#,
        "The name of the module in it.",
    ),
    Field(
        "index",
        false,
        r#"{"number":{"min":1,"mode":"box"}}"#,
        "Which of the modules of that name, from 1.",
    ),
    Field("name", true, r#"{"text":{}}"#, "The function."),
    Field(
        "args",
        false,
        r#"{"object":{}}"#,
        "Its arguments: a list, or an object by their names.",
    ),
];

/// All of them, sorted by domain and service.
pub(super) const ALL: [Standard; 33] = [
    of("button", "press", "Press", "Calls the function.", &[]),
    of(
        "climate",
        "set_hvac_mode",
        "Set HVAC mode",
        "Sets how it heats or cools.",
        &[Field("hvac_mode", true, r#"{"text":{}}"#, "The mode.")],
    ),
    of(
        "climate",
        "set_temperature",
        "Set target temperature",
        "Sets the temperature that is wanted.",
        &[
            Field(
                "temperature",
                false,
                r#"{"number":{"min":0,"max":250,"step":0.1,"mode":"box"}}"#,
                "The temperature.",
            ),
            Field("hvac_mode", false, r#"{"text":{}}"#, "The mode."),
        ],
    ),
    of("climate", "toggle", "Toggle", "Switches it on or off.", &[]),
    of("climate", "turn_off", "Turn off", "Switches it off.", &[]),
    of("climate", "turn_on", "Turn on", "Switches it on.", &[]),
    of("cover", "close_cover", "Close", "Closes it.", &[]),
    of("cover", "open_cover", "Open", "Opens it.", &[]),
    of(
        "cover",
        "set_cover_position",
        "Set position",
        "Opens it so far.",
        &[Field(
            "position",
            true,
            r#"{"number":{"min":0,"max":100,"unit_of_measurement":"%"}}"#,
            "How far it is open, in per cent.",
        )],
    ),
    of("cover", "stop_cover", "Stop", "Stops it.", &[]),
    of("cover", "toggle", "Toggle", "Opens or closes it.", &[]),
    Standard {
        domain: "gateway",
        service: "exec",
        name: "Call a function",
        description: "Calls a function of a module.",
        fields: EXEC,
        meant: Meant::Fields,
    },
    of_all("toggle", "Toggle", "Switches things on or off."),
    of_all("turn_off", "Turn off", "Switches things off."),
    of_all("turn_on", "Turn on", "Switches things on."),
    of(
        "light",
        "toggle",
        "Toggle",
        "Switches lights on or off.",
        BRIGHTNESS,
    ),
    of("light", "turn_off", "Turn off", "Switches lights off.", &[]),
    of(
        "light",
        "turn_on",
        "Turn on",
        "Switches lights on.",
        BRIGHTNESS,
    ),
    of(
        "media_player",
        "select_source",
        "Select source",
        "Shows or plays a source.",
        &[Field("source", true, r#"{"text":{}}"#, "The source.")],
    ),
    of(
        "media_player",
        "toggle",
        "Toggle",
        "Switches it on or off.",
        &[],
    ),
    of(
        "media_player",
        "turn_off",
        "Turn off",
        "Switches it off.",
        &[],
    ),
    of("media_player", "turn_on", "Turn on", "Switches it on.", &[]),
    of(
        "media_player",
        "volume_down",
        "Turn down volume",
        "Makes it quieter.",
        &[],
    ),
    of(
        "media_player",
        "volume_mute",
        "Mute/unmute volume",
        "Mutes the sound or brings it back.",
        &[Field(
            "is_volume_muted",
            true,
            r#"{"boolean":{}}"#,
            "Whether it is muted.",
        )],
    ),
    of(
        "media_player",
        "volume_set",
        "Set volume",
        "Sets the volume.",
        &[Field(
            "volume_level",
            true,
            r#"{"number":{"min":0,"max":1,"step":0.01}}"#,
            "The volume, from 0 to 1.",
        )],
    ),
    of(
        "media_player",
        "volume_up",
        "Turn up volume",
        "Makes it louder.",
        &[],
    ),
    of(
        "number",
        "set_value",
        "Set",
        "Sets the number.",
        &[Field("value", true, r#"{"text":{}}"#, "The number.")],
    ),
    of(
        "select",
        "select_first",
        "First",
        "Chooses the first option.",
        &[],
    ),
    of(
        "select",
        "select_last",
        "Last",
        "Chooses the last option.",
        &[],
    ),
    of(
        "select",
        "select_option",
        "Select",
        "Chooses an option.",
        &[Field("option", true, r#"{"text":{}}"#, "The option.")],
    ),
    of("switch", "toggle", "Toggle", "Switches it on or off.", &[]),
    of("switch", "turn_off", "Turn off", "Switches it off.", &[]),
    of("switch", "turn_on", "Turn on", "Switches it on.", &[]),
];

impl Standard {
    /// What clients are told of it.
    pub(super) fn describe(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"name\":");
        write_text(out, self.name);
        out.extend_from_slice(b",\"description\":");
        write_text(out, self.description);
        out.extend_from_slice(b",\"fields\":{");
        for (place, Field(name, is_required, selector, description)) in
            self.fields.iter().enumerate()
        {
            if place > 0 {
                out.push(b',');
            }
            put(out, format_args!("\"{name}\":{{\"name\":\"{name}\""));
            out.extend_from_slice(b",\"description\":");
            write_text(out, description);
            put(
                out,
                format_args!(",\"required\":{is_required},\"selector\":{selector}}}"),
            );
        }
        out.push(b'}');
        match self.meant {
            Meant::Entities => put(
                out,
                format_args!(
                    ",\"target\":{{\"entity\":[{{\"domain\":[\"{}\"]}}]}}",
                    self.domain
                ),
            ),
            Meant::All => out.extend_from_slice(b",\"target\":{\"entity\":[{}]}"),
            Meant::Fields => {
                out.extend_from_slice(b",\"response\":{\"optional\":true}");
            }
        }
        out.push(b'}');
    }
}
