//! The commands of the building's own on the stage.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dialects::home_assistant::stage::Stage;
use crate::model::{
    Collection as _, CommandSchema, CommandType, CustomCommand, JsonText, OfferedCommand, Value,
    Values,
};

impl Stage {
    /// A command is there from now on, in the place of one of its type: an object with the fields of the file.
    pub(in crate::dialects::home_assistant) fn set_command(&mut self, fields: &str) {
        let fields: BTreeMap<String, JsonText> = serde_json::from_str(fields).unwrap();
        let mut values = Values::none();
        for (name, value) in &fields {
            let value = match name.as_str() {
                "type" | "subscribe" => Value::Text(value.to::<String>().unwrap().into()),
                "admin" => Value::Flag(value.as_str() == "true"),
                _ => Value::Json(value.as_str().into()),
            };
            values.put(name, value);
        }
        let command = CustomCommand::build(values).unwrap();
        self.rebuild(|building| {
            let commands = &mut building.commands;
            commands.retain(|known| known.command != command.command);
            commands.push(Arc::new(command));
        });
    }

    /// The program around the gateway answers a command from now on: an object with type, schema and admin.
    pub(in crate::dialects::home_assistant) fn offer_command(&mut self, fields: &str) {
        let fields: BTreeMap<String, JsonText> = serde_json::from_str(fields).unwrap();
        let command = CommandType::new(&fields["type"].to::<String>().unwrap()).unwrap();
        let offer = OfferedCommand {
            command,
            schema: CommandSchema::read(&fields["schema"]).unwrap(),
            admin: fields.contains_key("admin"),
        };
        self.rebuild(|building| building.offered.push(Arc::new(offer)));
    }

    /// A command is there no longer.
    pub(in crate::dialects::home_assistant) fn remove_command(&mut self, kind: &str) {
        self.rebuild(|building| {
            let commands = &mut building.commands;
            commands.retain(|known| known.command.as_str() != kind);
        });
    }
}
