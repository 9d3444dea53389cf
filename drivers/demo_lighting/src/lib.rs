//! The driver `demo_lighting`: lights that exist only in software.
//!
//! It has the scene and level functions of a real lighting system, and fades publish the levels on the way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sdk::interfaces::{LightingArea, LightingLevel, LightingScene};
use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Deserialize;
use driver_sdk::{Context, Error, Outcome, Status, debug, driver, settings};

/// How often a fade publishes: often enough to look smooth on a screen.
const FADE_STEP_MILLISECONDS: u32 = 100;

/// How many areas there can be. Callers name them, and each keeps its statuses.
const AREAS_MAX: usize = 256;

/// Lights in software.
#[derive(Debug)]
pub struct Lighting {
    context: Context,
    /// The level of each scene.
    scenes: Vec<u8>,
    /// The lights of each area by the name of its level status.
    lights: Arc<Mutex<HashMap<String, Light>>>,
}

/// What the building file may say about lights.
#[settings]
struct Settings {
    /// The level of each scene from 0 to 100.
    #[default([0, 100, 60, 25].map(Percent).to_vec())]
    scenes: Vec<Percent>,
}

/// A level from 0 to 100.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", try_from = "u8")]
#[schemars(crate = "driver_sdk::schemars", extend("maximum" = 100))]
struct Percent(u8);

impl TryFrom<u8> for Percent {
    type Error = &'static str;

    fn try_from(level: u8) -> Result<Self, Self::Error> {
        match level {
            0..=100 => Ok(Self(level)),
            _ => Err("expected a whole number from 0 to 100"),
        }
    }
}

/// The lights of one area.
#[derive(Debug, Default, Clone, Copy)]
struct Light {
    level: u8,
    /// How often a level was asked for. A fade goes on only while its own request is the last.
    requests: u64,
}

/// Lights in software, with scenes and levels by area. Without an area the first is meant.
#[driver(
    id = "demo_lighting",
    name = "Lighting",
    uri(optional),
    implements(LightingScene, LightingLevel)
)]
impl Lighting {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        let first = LightingArea::default();
        context.set(&Status::named(&first.scene_status())?, &0);
        context.set(&Status::named(&first.level_status())?, &0);
        context.set_connected(true);
        Ok(Self {
            context,
            scenes: settings
                .scenes
                .iter()
                .map(|&Percent(level)| level)
                .collect(),
            lights: Arc::default(),
        })
    }

    /// Goes to a level, at once or step by step beside the calls.
    fn fade(&self, area: &LightingArea, level: u8, fade_time: u32) -> Result<(), Error> {
        let name = area.level_status();
        // A caller's name for an area may be none for a status.
        let status = Status::<u8>::named(&name)?;
        debug!(self.context, "-> {name} {level} within {fade_time} ms");

        let mut lights = lock(&self.lights);
        if lights.len() >= AREAS_MAX && !lights.contains_key(&name) {
            return Err(Error::new(format_args!(
                "there are at most {AREAS_MAX} areas"
            )));
        }
        let light = lights.entry(name.clone()).or_default();
        light.requests += 1;
        let (request, from) = (light.requests, light.level);
        let steps = fade_time / FADE_STEP_MILLISECONDS;
        if steps == 0 {
            light.level = level;
            return self.context.try_set(&status, &level);
        }
        drop(lights);

        let (context, lights) = (self.context.clone(), self.lights.clone());
        self.context.spawn(async move {
            for step in 1..=steps {
                tokio::time::sleep(Duration::from_millis(FADE_STEP_MILLISECONDS.into())).await;
                let mut lights = lock(&lights);
                let Some(light) = lights.get_mut(&name) else {
                    return;
                };
                if light.requests != request {
                    return;
                }
                light.level = between(from, level, step, steps);
                context.set(&status, &light.level);
            }
        });
        Ok(())
    }
}

impl LightingScene for Lighting {
    async fn set_lighting_scene(
        &self,
        scene: u32,
        area: Option<LightingArea>,
        fade_time: u32,
    ) -> Result<(), Error> {
        let area = area.unwrap_or_default();
        let level = usize::try_from(scene)
            .ok()
            .and_then(|scene| self.scenes.get(scene))
            .ok_or_else(|| {
                Error::new(format_args!(
                    "there is no scene {scene}; the number of scenes is {}, counted from 0",
                    self.scenes.len()
                ))
            })?;
        self.fade(&area, *level, fade_time)?;
        let status = Status::named(&area.scene_status())?;
        self.context.try_set(&status, &scene)
    }

    async fn lighting_scene(&self, area: Option<LightingArea>) -> Result<Option<u32>, Error> {
        let status = Status::named(&area.unwrap_or_default().scene_status())?;
        Ok(self.context.get(&status))
    }
}

impl LightingLevel for Lighting {
    async fn set_lighting_level(
        &self,
        level: f64,
        area: Option<LightingArea>,
        fade_time: u32,
    ) -> Result<(), Error> {
        self.fade(&area.unwrap_or_default(), percent(level), fade_time)
    }

    async fn lighting_level(&self, area: Option<LightingArea>) -> Result<Outcome, Error> {
        let status = Status::<u8>::named(&area.unwrap_or_default().level_status())?;
        Outcome::of(&self.context.get(&status))
    }
}

/// The level after some steps of a fade.
fn between(from: u8, to: u8, step: u32, steps: u32) -> u8 {
    let share = |level: u8, steps_of_it: u32| u64::from(level) * u64::from(steps_of_it);
    let level = (share(from, steps - step) + share(to, step)) / u64::from(steps);
    u8::try_from(level).expect("it lies between two levels")
}

/// The nearest whole number from 0 to 100.
#[expect(
    clippy::cast_possible_truncation,
    reason = "0 to 100 fit, and JSON has no other numbers than finite ones"
)]
fn percent(level: f64) -> u8 {
    level.round().clamp(0.0, 100.0) as u8
}

fn lock(lights: &Mutex<HashMap<String, Light>>) -> MutexGuard<'_, HashMap<String, Light>> {
    lights.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde_json::json;
    use driver_sdk::testkit::Module;

    use super::*;

    const SCENE: Status<u32> = Status::new("area1");
    const LEVEL: Status<u8> = Status::new("area1_level");

    async fn start() -> Module {
        Module::start(&Lighting::DEFINITION, ()).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_scene_fades_to_its_level() {
        let lighting = start().await;
        lighting.wait_connected(true).await;
        let asked = tokio::time::Instant::now();
        lighting.call("set_lighting_scene", (1,)).await.unwrap();
        lighting.wait(&SCENE, &1).await;
        lighting.wait(&LEVEL, &50).await;
        assert_eq!(asked.elapsed(), Duration::from_millis(500));
        lighting.wait(&LEVEL, &100).await;
        assert_eq!(asked.elapsed(), Duration::from_millis(1000));
        let scene = lighting.call("lighting_scene?", ()).await.unwrap();
        assert_eq!(scene.to(), Ok(1));
        lighting.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_request_wins_over_a_running_fade() {
        let lighting = start().await;
        lighting.call("set_lighting", (true,)).await.unwrap();
        lighting.wait(&LEVEL, &30).await;
        let arguments = json!({"level": 5, "fade_time": 0});
        lighting
            .call("set_lighting_level", arguments)
            .await
            .unwrap();
        tokio::time::advance(Duration::from_secs(2)).await;
        tokio::task::yield_now().await;
        assert_eq!(lighting.status(&LEVEL), Some(5));
    }

    #[tokio::test]
    async fn each_area_has_its_own_statuses() {
        let lighting = start().await;
        let arguments = json!([42.4, {"id": "hall", "channel": 2}, 0]);
        lighting
            .call("set_lighting_level", arguments)
            .await
            .unwrap();
        lighting.wait(&Status::new("areahall_2_level"), &42).await;
        assert_eq!(lighting.status(&LEVEL), Some(0));
        let level = lighting
            .call("lighting_level?", json!([{"id": 7}]))
            .await
            .unwrap();
        assert!(level.value.is_null());
    }

    #[tokio::test]
    async fn a_scene_that_is_not_there_is_refused() {
        let lighting = start().await;
        let error = lighting.call("set_lighting_scene", (4,)).await.unwrap_err();
        assert_eq!(
            error.message(),
            "there is no scene 4; the number of scenes is 4, counted from 0"
        );
        let bright = Module::start(&Lighting::DEFINITION, json!({"scenes": [101]})).await;
        assert!(bright.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_area_whose_name_no_status_can_have_is_refused() {
        let lighting = start().await;
        let arguments = json!([true, {"id": "a\nb"}]);
        let error = lighting.call("set_lighting", arguments).await.unwrap_err();
        assert_eq!(
            error.message(),
            "a status name has a control character in it"
        );
        lighting.stop().await;
    }

    #[tokio::test]
    async fn callers_cannot_make_areas_without_end() {
        let lighting = start().await;
        for id in 1..=AREAS_MAX {
            let arguments = json!([1, {"id": id}, 0]);
            lighting
                .call("set_lighting_level", arguments)
                .await
                .unwrap();
        }
        let arguments = json!([1, {"id": 0}, 0]);
        let error = lighting
            .call("set_lighting_level", arguments)
            .await
            .unwrap_err();
        assert_eq!(error.message(), "there are at most 256 areas");
        lighting
            .call("set_lighting_level", json!([2, null, 0]))
            .await
            .unwrap();
    }
}
