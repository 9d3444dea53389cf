//! The driver `demo_sensor`: a room sensor that exists only in software.
//!
//! Its readings move by themselves, slowly and together: people come and go, and the air follows them.
//! They are the same after every start of a module, because its id seeds them.

mod room;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use driver_sdk::serde::Deserialize;
use driver_sdk::{Context, Error, LogLevel, driver};

use crate::room::{Readings, Room};

/// A room sensor in software.
#[derive(Debug)]
pub struct Sensor {
    room: Arc<Mutex<Room>>,
}

#[derive(Debug, Deserialize)]
#[serde(crate = "driver_sdk::serde", default, deny_unknown_fields)]
struct Settings {
    period_milliseconds: u32,
    capacity: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            period_milliseconds: 1000,
            capacity: 8,
        }
    }
}

/// A room sensor in software: temperature, humidity, CO₂ and the number of people, all moving by themselves.
#[driver(id = "demo_sensor", name = "Sensor")]
impl Sensor {
    async fn start(context: Context) -> Result<Self, Error> {
        let settings: Settings = context.settings()?;
        context.set_connected(true)?;
        let seed = context.module().as_str();
        let room = Arc::new(Mutex::new(Room::new(seed, settings.capacity)));
        let period = Duration::from_millis(settings.period_milliseconds.into());
        let (moving, publishing) = (room.clone(), context.clone());
        context.every(period, move || {
            let readings = moving.lock().unwrap_or_else(PoisonError::into_inner).step();
            std::future::ready(publish(&publishing, &readings))
        });
        Ok(Self { room })
    }

    /// All readings at once.
    pub async fn read(&self) -> Readings {
        self.room
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .readings()
    }
}

fn publish(context: &Context, readings: &Readings) -> Result<(), Error> {
    context.log(LogLevel::Debug, || format!("<- {readings:?}"));
    context.set("temperature", &readings.temperature)?;
    context.set("humidity", &readings.humidity)?;
    context.set("co2", &readings.co2)?;
    context.set("people_count", &readings.people_count)?;
    context.set("presence", &readings.presence)
}

#[cfg(test)]
mod tests {
    use driver_sdk::testkit::Module;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_readings_are_there_at_once_and_move_by_themselves() {
        let sensor = Module::start(&Sensor::DEFINITION, "{}").await.unwrap();
        sensor.wait_status("connected", "true").await;
        sensor.wait_status("presence", "true").await;
        let first = sensor.status("co2").unwrap();
        tokio::time::advance(Duration::from_millis(1001)).await;
        tokio::task::yield_now().await;
        assert_ne!(sensor.status("co2"), Some(first));
        for status in ["temperature", "humidity", "people_count"] {
            assert!(sensor.status(status).is_some(), "{status} is not there");
        }
        sensor.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn all_readings_are_what_was_published() {
        let sensor = Module::start(&Sensor::DEFINITION, "{}").await.unwrap();
        sensor.wait_status("presence", "true").await;
        let read = sensor.call("read", "[]").await.unwrap().value;
        let status = |name| sensor.status(name).unwrap();
        let expect = format!(
            r#"{{"temperature":{},"humidity":{},"co2":{},"people_count":{},"presence":{}}}"#,
            status("temperature"),
            status("humidity"),
            status("co2"),
            status("people_count"),
            status("presence"),
        );
        assert_eq!(read.as_str(), expect);
    }
}
