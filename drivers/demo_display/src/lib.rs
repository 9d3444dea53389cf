//! The driver `demo_display`: a display that exists only in software.
//!
//! It has the functions and statuses of a real one, takes its time to warm up and logs what it does,
//! so that an app, a panel or a debug stream has something to show without a device.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driver_sdk::interfaces::{InputSelection, MuteLayer, Muteable, Part, Powerable};
use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::{Deserialize, Serialize};
use driver_sdk::{Context, Error, Seconds, Status, debug, driver, info, settings};

/// A display in software.
#[derive(Debug)]
pub struct Display {
    context: Context,
    settings: Settings,
    /// How often it was switched. A warm-up ends only if nobody has switched since; held while `power` and `warming` change.
    switched: Arc<Mutex<u64>>,
}

/// What the building file may say about a display.
#[settings]
#[derive(Debug)]
struct Settings {
    /// How long the picture takes.
    #[default(Seconds::new(3))]
    warm_up_seconds: Seconds,
    /// How often the display is looked at.
    #[default(Seconds::new(5))]
    poll_seconds: Seconds,
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

/// A display in software: it warms up, shows an input, has a volume and can be muted.
#[driver(
    id = "demo_display",
    name = "Display",
    uri(optional),
    implements(Powerable, Muteable, InputSelection)
)]
impl Display {
    /// Whether the display has been switched on and shows no picture yet.
    const WARMING: Status<bool> = Status::new("warming");
    /// The input that is shown.
    const INPUT: Status<Input> = Status::new("input");
    /// The volume from 0 to 100.
    const VOLUME: Status<u8> = Status::new("volume");

    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        context.set(&Self::POWER, &false);
        context.set(&Self::WARMING, &false);
        context.set(&Self::INPUT, &Input::Hdmi);
        context.set(&Self::VOLUME, &20);
        context.set(&Self::AUDIO_MUTE, &false);
        context.set(&Self::VIDEO_MUTE, &false);
        context.set_connected(true);
        Ok(Self {
            context,
            settings,
            switched: Arc::default(),
        })
    }

    /// Whether the display is on.
    #[name("power?")]
    pub async fn is_on(&self) -> Option<bool> {
        self.context.get(&Self::POWER)
    }

    /// The input that is shown.
    #[name("input?")]
    pub async fn shown_input(&self) -> Option<Input> {
        self.context.get(&Self::INPUT)
    }

    /// Sets the volume from 0 to 100; beyond these it stays at them.
    pub async fn volume(&self, level: f64) {
        let level = percent(level);
        debug!(self.context, "-> volume {level}");
        self.context.set(&Self::VOLUME, &level);
    }

    /// The volume from 0 to 100.
    #[name("volume?")]
    pub async fn volume_level(&self) -> Option<u8> {
        self.context.get(&Self::VOLUME)
    }

    /// Looks as a driver with a device would, so that a debug stream is never silent for long.
    #[every(self.settings.poll_seconds)]
    async fn poll(&self) {
        let on = self.context.get(&Self::POWER).unwrap_or(false);
        let warming = self.context.get(&Self::WARMING).unwrap_or(false);
        let state = match (on, warming) {
            (false, _) => "standing by",
            (true, true) => "warming up",
            (true, false) => "on",
        };
        debug!(self.context, "<- {state}");
    }

    fn warm_up(&self, turn: u64) {
        let (context, switched) = (self.context.clone(), self.switched.clone());
        let warm_up = self.settings.warm_up_seconds.duration();
        self.context.spawn(async move {
            tokio::time::sleep(warm_up).await;
            let switched = lock(&switched);
            if *switched == turn {
                info!(context, "the picture is there");
                context.set(&Self::WARMING, &false);
            }
        });
    }
}

impl Powerable for Display {
    async fn power(&self, state: bool) -> Result<(), Error> {
        let mut switched = lock(&self.switched);
        debug!(
            self.context,
            "-> power {}",
            if state { "on" } else { "off" }
        );
        if self.context.get(&Self::POWER) == Some(state) {
            return Ok(());
        }
        *switched += 1;
        self.context.set(&Self::POWER, &state);
        self.context.set(&Self::WARMING, &state);
        if state {
            self.warm_up(*switched);
        }
        Ok(())
    }
}

impl InputSelection for Display {
    type Input = Input;

    async fn switch_to(&self, input: Input) -> Result<(), Error> {
        debug!(self.context, "-> input {input:?}");
        self.context.set(&Self::INPUT, &input);
        Ok(())
    }
}

impl Muteable for Display {
    async fn mute(&self, state: bool, _one_output: Part, layer: MuteLayer) -> Result<(), Error> {
        if layer != MuteLayer::Video {
            debug!(self.context, "-> audio mute {state}");
            self.context.set(&Self::AUDIO_MUTE, &state);
        }
        if layer != MuteLayer::Audio {
            debug!(self.context, "-> video mute {state}");
            self.context.set(&Self::VIDEO_MUTE, &state);
        }
        Ok(())
    }
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
    use std::time::Duration;

    use driver_sdk::serde_json::json;
    use driver_sdk::testkit::Module;

    use super::*;

    async fn start() -> Module {
        Module::start(&Display::DEFINITION, ()).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_display_warms_up_once_it_is_on() {
        let display = start().await;
        display.wait_connected(true).await;
        display.wait(&Display::POWER, &false).await;

        let switched = tokio::time::Instant::now();
        display.call("power", (true,)).await.unwrap();
        display.wait(&Display::POWER, &true).await;
        display.wait(&Display::WARMING, &true).await;
        display.wait(&Display::WARMING, &false).await;
        assert_eq!(switched.elapsed(), Duration::from_secs(3));
        display.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_display_that_is_switched_again_warms_up_anew() {
        let display = start().await;
        display.call("power", (true,)).await.unwrap();
        tokio::time::advance(Duration::from_secs(2)).await;
        display.call("power_state", ("FullOff",)).await.unwrap();
        display.wait(&Display::WARMING, &false).await;

        let switched = tokio::time::Instant::now();
        display.call("power_state", ("On",)).await.unwrap();
        display.wait(&Display::WARMING, &true).await;
        display.wait(&Display::WARMING, &false).await;
        assert_eq!(switched.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test]
    async fn its_power_is_switched_by_name_in_either_spelling() {
        let display = start().await;
        for (state, power) in [("On", true), ("full_off", false), ("on", true)] {
            display.call("power_state", (state,)).await.unwrap();
            let asked = display.call("power?", ()).await.unwrap();
            assert_eq!(asked.to(), Ok(power), "{state}");
        }
        let error = display.call("power_state", ("Dim",)).await.unwrap_err();
        assert_eq!(
            error.message(),
            "argument 'state' of 'power_state': expected one of `On`, `on`, `Off`, `off`, `FullOff`, `full_off`"
        );
    }

    #[tokio::test]
    async fn it_shows_an_input_by_name() {
        let display = start().await;
        let input = Input::DisplayPort;
        display.call("switch_to", ("display_port",)).await.unwrap();
        display.wait(&Display::INPUT, &input).await;
        let shown = display.call("input?", ()).await.unwrap();
        assert_eq!(shown.to(), Ok(input));
        let error = display.call("switch_to", ("scart",)).await.unwrap_err();
        assert_eq!(
            error.message(),
            "argument 'input' of 'switch_to': expected one of `hdmi`, `hdmi2`, `display_port`, `vga`"
        );
    }

    #[tokio::test]
    async fn the_volume_stays_within_its_bounds() {
        let display = start().await;
        for (level, expect) in [(42.4, 42), (1e300, 100), (-3.0, 0)] {
            display.call("volume", (level,)).await.unwrap();
            display.wait(&Display::VOLUME, &expect).await;
        }
    }

    #[tokio::test]
    async fn mutes_change_the_layers_that_are_meant() {
        let display = start().await;
        for (function, arguments, audio, video) in [
            ("mute", json!([]), true, true),
            ("unmute_video", json!([]), true, false),
            ("unmute_audio", json!(["main"]), false, false),
            ("mute_video", json!([true, 0]), false, true),
            ("mute_audio", json!([]), true, true),
            ("unmute", json!({"layer": "Audio"}), false, true),
            ("mute", json!([null, null, "audio_video"]), true, true),
            ("unmute", json!([-1, "video"]), true, false),
        ] {
            display.call(function, arguments).await.unwrap();
            display.wait(&Display::AUDIO_MUTE, &audio).await;
            display.wait(&Display::VIDEO_MUTE, &video).await;
        }
    }

    #[tokio::test]
    async fn a_debug_stream_shows_what_it_does() {
        let display = start().await;
        display.call("volume", (30,)).await.unwrap();
        let lines = display.lines();
        assert!(
            lines.iter().any(|line| line.message == "-> volume 30"),
            "{lines:?}"
        );
    }
}
