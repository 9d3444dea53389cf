//! The driver `demo_sensor`: a room sensor that exists only in software.
//!
//! Its readings move by themselves, slowly and together: people come and go, and the air follows them.
//! They are the same after every start of a module, because the name of its room seeds them;
//! so several sensors of one room, one for people and one for the air, tell of the same room.

mod reading;
mod room;

use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sdk::{Context, Error, LogLevel, driver, settings};

use crate::reading::Quantity;
pub use crate::reading::Readings;
use crate::room::Room;

/// A room sensor in software.
#[derive(Debug)]
pub struct Sensor {
    room: Arc<Mutex<Room>>,
    shown: Arc<[Quantity]>,
}

/// What the building file may say about a sensor.
#[settings]
struct Settings {
    /// How often it tells its readings, in whole seconds, so that no sensor floods its clients.
    #[default(NonZeroU16::MIN)]
    period_seconds: NonZeroU16,
    /// How many people the room is for.
    #[default(8)]
    capacity: u16,
    /// The name of the room: sensors of one room tell of the same one. The module's id without it.
    room: Option<String>,
    /// What it shows.
    #[default(Quantity::ALL.to_vec())]
    readings: Vec<Quantity>,
}

/// A room sensor in software: people, temperature, humidity, CO₂, organic compounds and dust, all moving by themselves.
#[driver(id = "demo_sensor", name = "Sensor", uri(optional))]
impl Sensor {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        context.set_connected(true)?;
        let seed = settings.room.as_deref();
        let seed = seed.unwrap_or(context.module().as_str());
        let room = Arc::new(Mutex::new(Room::new(seed, settings.capacity)));
        let shown: Arc<[Quantity]> = settings.readings.into();
        let seconds = settings.period_seconds.get();
        let (moving, publishing, told) = (room.clone(), context.clone(), shown.clone());
        context.every(Duration::from_secs(seconds.into()), move || {
            let mut room = lock(&moving);
            for _ in 0..seconds {
                room.step();
            }
            std::future::ready(publish(&publishing, &readings(&room, &told)))
        });
        Ok(Self { room, shown })
    }

    /// All readings at once.
    pub async fn read(&self) -> Readings {
        readings(&lock(&self.room), &self.shown)
    }
}

fn readings(room: &Room, shown: &[Quantity]) -> Readings {
    let reading = |&quantity| (quantity, room.reading(quantity));
    Readings(shown.iter().map(reading).collect())
}

fn publish(context: &Context, readings: &Readings) -> Result<(), Error> {
    context.log(LogLevel::Debug, || {
        let reading =
            |(quantity, reading): &(Quantity, _)| format!("{} {reading}", quantity.name());
        let readings: Vec<String> = readings.0.iter().map(reading).collect();
        format!("<- {}", readings.join(", "))
    });
    for (quantity, reading) in &readings.0 {
        context.set(quantity.name(), reading)?;
    }
    Ok(())
}

fn lock(room: &Mutex<Room>) -> MutexGuard<'_, Room> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use driver_sdk::testkit::Module;

    use super::*;

    async fn start(settings: &str) -> Module {
        Module::start(&Sensor::DEFINITION, settings).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_readings_are_there_at_once_and_move_by_themselves() {
        let sensor = start("{}").await;
        sensor.wait_status("connected", "true").await;
        sensor.wait_status("presence", "true").await;
        let first = sensor.status("co2").unwrap();
        tokio::time::advance(Duration::from_millis(1001)).await;
        tokio::task::yield_now().await;
        assert_ne!(sensor.status("co2"), Some(first));
        for quantity in Quantity::ALL {
            let name = quantity.name();
            assert!(sensor.status(name).is_some(), "{name} is not there");
        }
        sensor.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn all_readings_are_what_was_published() {
        let sensor = start(r#"{"readings": ["pm2_5", "people_count", "co2"]}"#).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let read = sensor.call("read", "[]").await.unwrap().value;
        let status = |name| sensor.status(name).unwrap();
        let expect = format!(
            r#"{{"pm2_5":{},"people_count":{},"co2":{}}}"#,
            status("pm2_5"),
            status("people_count"),
            status("co2"),
        );
        assert_eq!(read.as_str(), expect);
        assert_eq!(sensor.status("temperature"), None);
        let line = &sensor.lines()[0].message;
        assert!(line.starts_with("<- pm2_5 "), "{line}");
        sensor.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_sensors_of_one_room_agree() {
        let every_second = start(r#"{"room": "board"}"#).await;
        let every_minute = start(r#"{"room": "board", "period_seconds": 60}"#).await;
        tokio::time::sleep(Duration::from_millis(59_500)).await;
        for quantity in Quantity::ALL {
            let name = quantity.name();
            assert_eq!(
                every_second.status(name),
                every_minute.status(name),
                "{name}"
            );
        }
        every_second.stop().await;
        every_minute.stop().await;
    }

    #[tokio::test]
    async fn a_sensor_cannot_be_told_to_hurry() {
        let error = Module::start(&Sensor::DEFINITION, r#"{"period_seconds": 0}"#).await;
        assert_eq!(
            error.unwrap_err().message(),
            "the module's settings do not fit: period_seconds: expected a whole number from 1 to 65535"
        );
    }
}
