//! What devices have in common: interfaces with PlaceOS's names, functions and statuses.
//!
//! A driver that implements one and names it in `implements(…)` has its functions without writing them down again,
//! and others find its modules by it. Those without types of the device's own are also how another module calls them, as a [`ModuleRef`](crate::ModuleRef).
//! A driver may add an interface of its own with the [`interface`](macro@crate::interface) attribute.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Error, JsonText, Outcome, Status, interface};

/// How far a device is switched on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PowerState {
    /// It works.
    #[serde(alias = "on")]
    On,
    /// It stands by.
    #[serde(alias = "off")]
    Off,
    /// It draws no power at all.
    #[serde(alias = "full_off")]
    FullOff,
}

/// Something that is switched on and off.
#[interface(callable)]
pub trait Powerable {
    /// Whether the device is on; true from switching on, also while it warms up.
    const POWER: Status<bool> = Status::new("power");

    /// Switches the device on or off.
    async fn power(&self, state: bool) -> Result<(), Error>;

    /// Switches the device on, to stand-by or off.
    async fn power_state(&self, state: PowerState) -> Result<(), Error> {
        self.power(state == PowerState::On).await
    }
}

/// What a mute silences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MuteLayer {
    /// The sound.
    #[serde(alias = "audio")]
    Audio,
    /// The picture.
    #[serde(alias = "video")]
    Video,
    /// Both.
    #[serde(alias = "audio_video")]
    AudioVideo,
}

/// Which of a device's parts is meant, such as an output. Where a device has one, any will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number or a name")]
pub enum Part {
    /// By number.
    Number(i32),
    /// By name.
    Name(String),
}

/// Something whose sound and picture are muted.
#[interface(callable)]
pub trait Muteable {
    /// Whether the sound is muted.
    const AUDIO_MUTE: Status<bool> = Status::new("audio_mute");
    /// Whether the picture is muted.
    const VIDEO_MUTE: Status<bool> = Status::new("video_mute");

    /// Mutes the sound, the picture or both, or brings them back.
    async fn mute(
        &self,
        #[default(true)] state: bool,
        #[default(Part::Number(0))] index: Part,
        #[default(MuteLayer::AudioVideo)] layer: MuteLayer,
    ) -> Result<(), Error>;

    /// Brings back the sound, the picture or both.
    async fn unmute(
        &self,
        #[default(Part::Number(0))] index: Part,
        #[default(MuteLayer::AudioVideo)] layer: MuteLayer,
    ) -> Result<(), Error> {
        self.mute(false, index, layer).await
    }

    /// Mutes the sound or brings it back.
    async fn mute_audio(
        &self,
        #[default(true)] state: bool,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error> {
        self.mute(state, index, MuteLayer::Audio).await
    }

    /// Brings back the sound.
    async fn unmute_audio(&self, #[default(Part::Number(0))] index: Part) -> Result<(), Error> {
        self.mute(false, index, MuteLayer::Audio).await
    }

    /// Mutes the picture or brings it back.
    async fn mute_video(
        &self,
        #[default(true)] state: bool,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error> {
        self.mute(state, index, MuteLayer::Video).await
    }

    /// Brings back the picture.
    async fn unmute_video(&self, #[default(Part::Number(0))] index: Part) -> Result<(), Error> {
        self.mute(false, index, MuteLayer::Video).await
    }
}

/// Something whose sound alone is muted; what mutes both is [`Muteable`].
#[interface(callable)]
pub trait AudioMuteable {
    /// Mutes the sound or brings it back.
    async fn mute_audio(
        &self,
        #[default(true)] state: bool,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error>;

    /// Brings back the sound.
    async fn unmute_audio(&self, #[default(Part::Number(0))] index: Part) -> Result<(), Error> {
        self.mute_audio(false, index).await
    }
}

/// Something whose picture alone is muted; what mutes both is [`Muteable`].
#[interface(callable)]
pub trait VideoMuteable {
    /// Mutes the picture or brings it back.
    async fn mute_video(
        &self,
        #[default(true)] state: bool,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error>;

    /// Brings back the picture.
    async fn unmute_video(&self, #[default(Part::Number(0))] index: Part) -> Result<(), Error> {
        self.mute_video(false, index).await
    }
}

/// Something that shows or plays one of its inputs.
#[interface]
pub trait InputSelection {
    /// The inputs of the device.
    type Input: Serialize + DeserializeOwned + JsonSchema + Send;

    /// Shows an input.
    async fn switch_to(&self, input: Self::Input) -> Result<(), Error>;
}

/// What a switcher switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SwitchLayer {
    /// Sound, picture and data.
    All,
    /// The sound.
    Audio,
    /// The picture.
    Video,
    /// Data.
    Data,
    /// More data.
    Data2,
}

/// Something that connects inputs with outputs.
#[interface]
pub trait Switchable {
    /// The inputs of the device.
    type Input: Serialize + DeserializeOwned + JsonSchema + Send;
    /// Its outputs by each of its inputs: `{"hdmi_1": [1, 2]}`.
    type Routes: Serialize + DeserializeOwned + JsonSchema + Send;

    /// Connects an input with every output.
    async fn switch_to(&self, input: Self::Input) -> Result<(), Error>;

    /// Connects inputs with outputs; the others stay as they are.
    async fn switch(
        &self,
        map: Self::Routes,
        #[default(SwitchLayer::All)] layer: SwitchLayer,
    ) -> Result<(), Error>;
}

/// A part of the lights. Without an id the first is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "Area")]
pub struct LightingArea {
    /// The area, by number or by name.
    pub id: Option<LightingId>,
    /// Which join within the area.
    pub join: Option<u32>,
    /// Which channel within the area.
    pub channel: Option<u32>,
    /// Which component within the area.
    pub component: Option<String>,
}

/// An area by number or by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number or a name")]
pub enum LightingId {
    /// By number.
    Number(u32),
    /// By name.
    Name(String),
}

impl LightingArea {
    /// The name of the status with the scene: `area1`, `area2_5` for channel 5.
    pub fn scene_status(&self) -> String {
        let mut name = match &self.id {
            None => "area1".to_owned(),
            Some(LightingId::Number(id)) => format!("area{id}"),
            Some(LightingId::Name(id)) => format!("area{id}"),
        };
        let component = self.component.clone();
        let parts = [
            self.channel.map(|channel| channel.to_string()),
            component.filter(|component| !component.is_empty()),
            self.join.map(|join| join.to_string()),
        ];
        for part in parts.into_iter().flatten() {
            name.push('_');
            name.push_str(&part);
        }
        name
    }

    /// The name of the status with the level: `area1_level`.
    pub fn level_status(&self) -> String {
        self.scene_status() + "_level"
    }
}

/// Lights with scenes.
#[interface(callable)]
pub trait LightingScene {
    /// Brings a scene; the fade time is in milliseconds.
    async fn set_lighting_scene(
        &self,
        scene: u32,
        area: Option<LightingArea>,
        #[default(1000)] fade_time: u32,
    ) -> Result<(), Error>;

    /// The scene of an area, `null` if it never had one.
    #[name("lighting_scene?")]
    async fn lighting_scene(&self, area: Option<LightingArea>) -> Result<Option<u32>, Error>;
}

/// Lights with levels.
#[interface(callable)]
pub trait LightingLevel {
    /// Brings a level from 0 to 100, beyond these it stays at them; the fade time is in milliseconds.
    async fn set_lighting_level(
        &self,
        level: f64,
        area: Option<LightingArea>,
        #[default(1000)] fade_time: u32,
    ) -> Result<(), Error>;

    /// The level of an area, `null` if it never had one.
    #[name("lighting_level?")]
    async fn lighting_level(&self, area: Option<LightingArea>) -> Result<Outcome, Error>;

    /// Switches the lights on or off; the fade time is in milliseconds.
    async fn set_lighting(
        &self,
        state: bool,
        area: Option<LightingArea>,
        #[default(1000)] fade_time: u32,
    ) -> Result<(), Error> {
        let level = if state { 100.0 } else { 0.0 };
        self.set_lighting_level(level, area, fade_time).await
    }
}

/// Where something moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "they say it")]
pub enum Movement {
    Open,
    Close,
    Up,
    Down,
    Left,
    Right,
    In,
    Out,
}

/// Something that moves: a screen, a blind, a camera.
#[interface(callable)]
pub trait Moveable {
    /// Moves it.
    async fn r#move(
        &self,
        position: Movement,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error>;
}

/// Something whose movement is stopped.
#[interface(callable)]
pub trait Stoppable {
    /// Stops it.
    async fn stop(
        &self,
        #[default(Part::Number(0))] index: Part,
        #[default(false)] emergency: bool,
    ) -> Result<(), Error>;
}

/// Where a zoom goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ZoomDirection {
    /// Nearer.
    In,
    /// Farther.
    Out,
    /// Nowhere.
    Stop,
}

/// Something that zooms.
#[interface(callable)]
pub trait Zoomable {
    /// Zooms to a position.
    async fn zoom_to(
        &self,
        position: f64,
        #[default(true)] auto_focus: bool,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error>;

    /// Zooms until it is told to stop.
    async fn zoom(
        &self,
        direction: ZoomDirection,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error>;
}

/// A camera that looks around and remembers where.
#[interface(callable)]
pub trait Camera {
    /// Moves at these speeds from -100 to 100, until it is told 0 and 0.
    async fn joystick(
        &self,
        pan_speed: f64,
        tilt_speed: f64,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error>;

    /// Looks where a position was saved.
    async fn recall(
        &self,
        position: String,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error>;

    /// Saves where it looks.
    async fn save_position(
        &self,
        name: String,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error>;

    /// Forgets a position.
    async fn remove_position(
        &self,
        name: String,
        #[default(Part::Number(0))] index: Part,
    ) -> Result<(), Error>;
}

/// Sensors of a device, as PlaceOS lists them.
#[interface(callable)]
pub trait Sensor {
    /// The sensors that fit, as PlaceOS describes them; all of them without a condition.
    async fn sensors(
        &self,
        r#type: Option<String>,
        mac: Option<String>,
        zone_id: Option<String>,
    ) -> Result<Vec<JsonText>, Error>;

    /// One sensor, `null` if there is none of that address.
    async fn sensor(&self, mac: String, id: Option<String>) -> Result<Option<JsonText>, Error>;
}

/// What knows where people and devices are.
#[interface(callable)]
pub trait Locatable {
    /// Where somebody is.
    async fn locate_user(
        &self,
        email: Option<String>,
        username: Option<String>,
    ) -> Result<Vec<JsonText>, Error>;

    /// The devices of somebody, by their addresses.
    async fn macs_assigned_to(
        &self,
        email: Option<String>,
        username: Option<String>,
    ) -> Result<Vec<String>, Error>;

    /// Whose a device is, `null` if that is not known.
    async fn check_ownership_of(&self, mac_address: String) -> Result<Option<JsonText>, Error>;

    /// The devices in a zone.
    async fn device_locations(
        &self,
        zone_id: String,
        location: Option<String>,
    ) -> Result<Vec<JsonText>, Error>;
}
