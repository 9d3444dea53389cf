//! Which lights are meant, and how their statuses are called.

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Deserialize;

/// A part of the lights. Without an id the first is meant.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", default)]
#[schemars(crate = "driver_sdk::schemars")]
pub struct Area {
    /// The area, by number or by name.
    id: Option<Id>,
    /// Which join within the area.
    join: Option<u32>,
    /// Which channel within the area.
    channel: Option<u32>,
    /// Which component within the area.
    component: Option<String>,
}

/// An area by number or by name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    crate = "driver_sdk::serde",
    untagged,
    expecting = "expected a number or a name"
)]
#[schemars(crate = "driver_sdk::schemars")]
enum Id {
    Number(u32),
    Name(String),
}

impl Area {
    /// The name of the status with the scene.
    pub(crate) fn scene_status(&self) -> String {
        let mut name = match &self.id {
            None => "area1".to_owned(),
            Some(Id::Number(id)) => format!("area{id}"),
            Some(Id::Name(id)) => format!("area{id}"),
        };
        let parts = [
            self.channel.map(|channel| channel.to_string()),
            self.component
                .clone()
                .filter(|component| !component.is_empty()),
            self.join.map(|join| join.to_string()),
        ];
        for part in parts.into_iter().flatten() {
            name.push('_');
            name.push_str(&part);
        }
        name
    }

    /// The name of the status with the level.
    pub(crate) fn level_status(&self) -> String {
        self.scene_status() + "_level"
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::JsonText;

    use super::*;

    #[test]
    fn a_status_is_named_after_what_its_area_says() {
        for (area, expect) in [
            ("{}", "area1"),
            (r#"{"id": null}"#, "area1"),
            (r#"{"id": 3}"#, "area3"),
            (r#"{"id": "hall", "component": ""}"#, "areahall"),
            (r#"{"id": 1, "channel": 2}"#, "area1_2"),
            (
                r#"{"id": 1, "join": 9, "channel": 2, "component": "wall"}"#,
                "area1_2_wall_9",
            ),
        ] {
            let read: Area = JsonText::parse(area).unwrap().to().unwrap();
            assert_eq!(read.scene_status(), expect, "{area}");
            assert_eq!(read.level_status(), format!("{expect}_level"));
        }
    }
}
