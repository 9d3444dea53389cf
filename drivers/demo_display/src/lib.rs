//! The driver `demo_display`: a display that exists only in software.
//!
//! It has the functions and statuses of a real one, takes its time to warm up and logs what it does,
//! so that an app, a panel or a debug stream has something to show without a device.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::{Deserialize, Serialize};
use driver_sdk::{Context, Error, LogLevel, Seconds, driver, settings};

/// A display in software.
#[derive(Debug)]
pub struct Display {
    context: Context,
    warm_up: Duration,
    /// How often it was switched. A warm-up ends only if nobody has switched since; held while `power` and `warming` change.
    switched: Arc<Mutex<u64>>,
}

/// What the building file may say about a display.
#[settings]
struct Settings {
    /// How long the picture takes.
    #[default(Seconds::new(3))]
    warm_up_seconds: Seconds,
    /// How often the display is looked at.
    #[default(Seconds::new(5))]
    poll_seconds: Seconds,
}

/// How far a display is switched on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
pub enum PowerState {
    /// It shows a picture.
    #[serde(alias = "on")]
    On,
    /// It stands by.
    #[serde(alias = "off")]
    Off,
    /// It draws no power at all.
    #[serde(alias = "full_off")]
    FullOff,
}

/// A socket for a picture source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
#[schemars(crate = "driver_sdk::schemars")]
pub enum Input {
    /// The first HDMI socket.
    Hdmi,
    /// The second HDMI socket.
    Hdmi2,
    /// The DisplayPort socket.
    DisplayPort,
    /// The analogue socket.
    Vga,
}

/// What a mute silences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
pub enum Layer {
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

/// Which of a device's outputs is meant. A display has one, so any will do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(
    crate = "driver_sdk::serde",
    untagged,
    expecting = "expected a number or a name"
)]
#[schemars(crate = "driver_sdk::schemars")]
pub enum Output {
    /// By number.
    Number(i32),
    /// By name.
    Name(String),
}

/// A display in software: it warms up, shows an input, has a volume and can be muted.
#[driver(
    id = "demo_display",
    name = "Display",
    uri(optional),
    implements("Powerable", "Muteable", "InputSelection")
)]
impl Display {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        context.set("power", &false)?;
        context.set("warming", &false)?;
        context.set("input", &Input::Hdmi)?;
        context.set("volume", &20)?;
        context.set("audio_mute", &false)?;
        context.set("video_mute", &false)?;
        context.set_connected(true)?;

        let polled = context.clone();
        context.every(settings.poll_seconds.duration(), move || {
            std::future::ready(poll(&polled))
        });
        Ok(Self {
            context,
            warm_up: settings.warm_up_seconds.duration(),
            switched: Arc::default(),
        })
    }

    /// Switches the display on or off.
    pub async fn power(&self, state: bool) -> Result<(), Error> {
        let mut switched = lock(&self.switched);
        self.say(format_args!("power {}", if state { "on" } else { "off" }));
        if self.context.get("power")? == Some(state) {
            return Ok(());
        }
        *switched += 1;
        self.context.set("power", &state)?;
        self.context.set("warming", &state)?;
        if state {
            self.warm_up(*switched);
        }
        Ok(())
    }

    /// Switches the display on, to stand-by or off.
    pub async fn power_state(&self, state: PowerState) -> Result<(), Error> {
        self.power(state == PowerState::On).await
    }

    /// Whether the display is on.
    #[name("power?")]
    pub async fn is_on(&self) -> Result<Option<bool>, Error> {
        self.context.get("power")
    }

    /// Shows an input.
    pub async fn switch_to(&self, input: Input) -> Result<(), Error> {
        self.say(format_args!("input {input:?}"));
        self.context.set("input", &input)
    }

    /// The input that is shown.
    #[name("input?")]
    pub async fn shown_input(&self) -> Result<Option<Input>, Error> {
        self.context.get("input")
    }

    /// Sets the volume from 0 to 100; beyond these it stays at them.
    pub async fn volume(&self, level: f64) -> Result<(), Error> {
        let level = percent(level);
        self.say(format_args!("volume {level}"));
        self.context.set("volume", &level)
    }

    /// The volume from 0 to 100.
    #[name("volume?")]
    pub async fn volume_level(&self) -> Result<Option<u8>, Error> {
        self.context.get("volume")
    }

    /// Mutes the sound, the picture or both, or brings them back.
    pub async fn mute(
        &self,
        #[default(true)] state: bool,
        #[default(Output::Number(0))] index: Output,
        #[default(Layer::AudioVideo)] layer: Layer,
    ) -> Result<(), Error> {
        let _one_output = index;
        if layer != Layer::Video {
            self.say(format_args!("audio mute {state}"));
            self.context.set("audio_mute", &state)?;
        }
        if layer != Layer::Audio {
            self.say(format_args!("video mute {state}"));
            self.context.set("video_mute", &state)?;
        }
        Ok(())
    }

    /// Brings back the sound, the picture or both.
    pub async fn unmute(
        &self,
        #[default(Output::Number(0))] index: Output,
        #[default(Layer::AudioVideo)] layer: Layer,
    ) -> Result<(), Error> {
        self.mute(false, index, layer).await
    }

    /// Mutes the sound or brings it back.
    pub async fn mute_audio(
        &self,
        #[default(true)] state: bool,
        #[default(Output::Number(0))] index: Output,
    ) -> Result<(), Error> {
        self.mute(state, index, Layer::Audio).await
    }

    /// Brings back the sound.
    pub async fn unmute_audio(
        &self,
        #[default(Output::Number(0))] index: Output,
    ) -> Result<(), Error> {
        self.mute(false, index, Layer::Audio).await
    }

    /// Mutes the picture or brings it back.
    pub async fn mute_video(
        &self,
        #[default(true)] state: bool,
        #[default(Output::Number(0))] index: Output,
    ) -> Result<(), Error> {
        self.mute(state, index, Layer::Video).await
    }

    /// Brings back the picture.
    pub async fn unmute_video(
        &self,
        #[default(Output::Number(0))] index: Output,
    ) -> Result<(), Error> {
        self.mute(false, index, Layer::Video).await
    }

    fn warm_up(&self, turn: u64) {
        let (context, switched) = (self.context.clone(), self.switched.clone());
        let warm_up = self.warm_up;
        self.context.spawn(async move {
            tokio::time::sleep(warm_up).await;
            let switched = lock(&switched);
            if *switched == turn {
                context.log(LogLevel::Info, || "the picture is there".to_owned());
                let published = context.set("warming", &false);
                published.expect("a boolean is JSON and the name is a status name");
            }
        });
    }

    fn say(&self, what: fmt::Arguments<'_>) {
        self.context.log(LogLevel::Debug, || format!("-> {what}"));
    }
}

/// Looks as a driver with a device would, so that a debug stream is never silent for long.
fn poll(context: &Context) -> Result<(), Error> {
    let on = context.get("power")?.unwrap_or(false);
    let warming = context.get("warming")?.unwrap_or(false);
    context.log(LogLevel::Debug, || {
        let state = match (on, warming) {
            (false, _) => "standing by",
            (true, true) => "warming up",
            (true, false) => "on",
        };
        format!("<- {state}")
    });
    Ok(())
}

/// The nearest whole number from 0 to 100.
#[expect(
    clippy::cast_possible_truncation,
    reason = "0 to 100 fit, and JSON has no other numbers than finite ones"
)]
fn percent(level: f64) -> u8 {
    level.round().clamp(0.0, 100.0) as u8
}

fn lock(switched: &Mutex<u64>) -> MutexGuard<'_, u64> {
    switched.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use driver_sdk::testkit::Module;

    use super::*;

    async fn start() -> Module {
        Module::start(&Display::DEFINITION, "{}").await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_display_warms_up_once_it_is_on() {
        let display = start().await;
        display.wait_status("connected", "true").await;
        display.wait_status("power", "false").await;

        let switched = tokio::time::Instant::now();
        display.call("power", "[true]").await.unwrap();
        display.wait_status("power", "true").await;
        display.wait_status("warming", "true").await;
        display.wait_status("warming", "false").await;
        assert_eq!(switched.elapsed(), Duration::from_secs(3));
        display.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_display_that_is_switched_again_warms_up_anew() {
        let display = start().await;
        display.call("power", "[true]").await.unwrap();
        tokio::time::advance(Duration::from_secs(2)).await;
        display.call("power_state", r#"["FullOff"]"#).await.unwrap();
        display.wait_status("warming", "false").await;

        let switched = tokio::time::Instant::now();
        display.call("power_state", r#"["On"]"#).await.unwrap();
        display.wait_status("warming", "true").await;
        display.wait_status("warming", "false").await;
        assert_eq!(switched.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test]
    async fn its_power_is_switched_by_name_in_either_spelling() {
        let display = start().await;
        for (state, power) in [("On", "true"), ("full_off", "false"), ("on", "true")] {
            let arguments = format!(r#"["{state}"]"#);
            display.call("power_state", &arguments).await.unwrap();
            let asked = display.call("power?", "[]").await.unwrap();
            assert_eq!(asked.value.as_str(), power, "{state}");
        }
        let error = display.call("power_state", r#"["Dim"]"#).await.unwrap_err();
        assert_eq!(
            error.message(),
            "argument 'state' of 'power_state': expected one of `On`, `on`, `Off`, `off`, `FullOff`, `full_off`"
        );
    }

    #[tokio::test]
    async fn it_shows_an_input_by_name() {
        let display = start().await;
        display
            .call("switch_to", r#"["display_port"]"#)
            .await
            .unwrap();
        display.wait_status("input", r#""display_port""#).await;
        let shown = display.call("input?", "[]").await.unwrap();
        assert_eq!(shown.value.as_str(), r#""display_port""#);
        let error = display.call("switch_to", r#"["scart"]"#).await.unwrap_err();
        assert_eq!(
            error.message(),
            "argument 'input' of 'switch_to': expected one of `hdmi`, `hdmi2`, `display_port`, `vga`"
        );
    }

    #[tokio::test]
    async fn the_volume_stays_within_its_bounds() {
        let display = start().await;
        for (level, expect) in [("42.4", "42"), ("1e300", "100"), ("-3", "0")] {
            display.call("volume", &format!("[{level}]")).await.unwrap();
            display.wait_status("volume", expect).await;
        }
    }

    #[tokio::test]
    async fn mutes_change_the_layers_that_are_meant() {
        let display = start().await;
        for (function, arguments, audio, video) in [
            ("mute", "[]", "true", "true"),
            ("unmute_video", "[]", "true", "false"),
            ("unmute_audio", r#"["main"]"#, "false", "false"),
            ("mute_video", "[true, 0]", "false", "true"),
            ("mute_audio", "[]", "true", "true"),
            ("unmute", r#"{"layer": "Audio"}"#, "false", "true"),
            ("mute", r#"[null, null, "audio_video"]"#, "true", "true"),
            ("unmute", r#"[-1, "video"]"#, "true", "false"),
        ] {
            display.call(function, arguments).await.unwrap();
            display.wait_status("audio_mute", audio).await;
            display.wait_status("video_mute", video).await;
        }
    }

    #[tokio::test]
    async fn a_debug_stream_shows_what_it_does() {
        let display = start().await;
        display.call("volume", "[30]").await.unwrap();
        let lines = display.lines();
        assert!(
            lines.iter().any(|line| line.message == "-> volume 30"),
            "{lines:?}"
        );
    }
}
