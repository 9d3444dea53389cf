//! The driver `demo_sensor`: a room sensor that exists only in software.
//!
//! Its readings move by themselves, slowly and together: people come and go, and the air follows them.
//! They are the same after every start of a module, because the name of its room seeds them;
//! so several sensors of one room, one for people and one for the air, tell of the same room.

mod reading;
mod room;

use std::num::NonZeroU16;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sdk::serde_json::json;
use driver_sdk::{Context, Error, JsonText, Status, debug, driver, interfaces, settings};

pub use crate::reading::Readings;
use crate::reading::{Quantity, Reading};
use crate::room::Room;

/// A room sensor in software.
#[derive(Debug)]
pub struct Sensor {
    context: Context,
    settings: Settings,
    room: Mutex<Room>,
}

/// What the building file may say about a sensor.
#[settings]
#[derive(Debug)]
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
#[driver(
    id = "demo_sensor",
    name = "Sensor",
    uri(optional),
    implements(interfaces::Sensor)
)]
impl Sensor {
    /// In degrees Celsius.
    const TEMPERATURE: Status<Reading> = Status::new("temperature");
    /// The relative humidity in per cent.
    const HUMIDITY: Status<Reading> = Status::new("humidity");
    /// In parts per million.
    const CO2: Status<Reading> = Status::new("co2");
    /// Volatile organic compounds, in parts per billion.
    const VOC: Status<Reading> = Status::new("voc");
    /// Fine dust, in micrograms per cubic metre.
    const PM2_5: Status<Reading> = Status::new("pm2_5");
    /// How many people are in the room.
    const PEOPLE_COUNT: Status<Reading> = Status::new("people_count");
    /// Whether anybody is in the room.
    const PRESENCE: Status<Reading> = Status::new("presence");

    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        context.set_connected(true);
        let seed = settings.room.as_deref();
        let seed = seed.unwrap_or(context.module().as_str());
        let room = Mutex::new(Room::new(seed, settings.capacity));
        Ok(Self {
            context,
            settings,
            room,
        })
    }

    /// All readings at once.
    pub async fn read(&self) -> Readings {
        self.readings(&lock(&self.room))
    }

    #[every(Duration::from_secs(self.settings.period_seconds.get().into()))]
    async fn tell(&self) {
        let mut room = lock(&self.room);
        for _ in 0..self.settings.period_seconds.get() {
            room.step();
        }
        let readings = self.readings(&room);
        debug!(self.context, "<- {readings}");
        for (quantity, reading) in &readings.0 {
            self.context.set(&Self::status(*quantity), reading);
        }
    }

    /// A reading as PlaceOS describes a sensor.
    fn detail(&self, quantity: Quantity, reading: Reading) -> Result<JsonText, Error> {
        let module = self.context.module().as_str();
        let value = match reading {
            Reading::Whole(number) => number.into(),
            Reading::Fraction(number) => number,
            Reading::Flag(flag) => f64::from(u8::from(flag)),
        };
        let detail = json!({
            "type": quantity.name(),
            "value": value,
            "last_seen": self.context.now().as_second(),
            "mac": module,
            "id": quantity.name(),
            "name": format!("{module}: {}", quantity.name()),
            "module_id": module,
            "binding": quantity.name(),
        });
        Ok(JsonText::of(&detail)?)
    }

    fn readings(&self, room: &Room) -> Readings {
        let shown = self.settings.readings.iter();
        Readings(
            shown
                .map(|&quantity| (quantity, room.reading(quantity)))
                .collect(),
        )
    }

    fn status(quantity: Quantity) -> Status<Reading> {
        match quantity {
            Quantity::Temperature => Self::TEMPERATURE,
            Quantity::Humidity => Self::HUMIDITY,
            Quantity::Co2 => Self::CO2,
            Quantity::Voc => Self::VOC,
            Quantity::Pm2_5 => Self::PM2_5,
            Quantity::PeopleCount => Self::PEOPLE_COUNT,
            Quantity::Presence => Self::PRESENCE,
        }
    }
}

/// Each reading is a sensor, whose address is the module's id and whose id is the reading's name.
impl interfaces::Sensor for Sensor {
    async fn sensors(
        &self,
        r#type: Option<String>,
        mac: Option<String>,
        _zone_id: Option<String>,
    ) -> Result<Vec<JsonText>, Error> {
        if mac.is_some_and(|mac| mac != self.context.module().as_str()) {
            return Ok(Vec::new());
        }
        let Readings(readings) = self.readings(&lock(&self.room));
        let is_wanted = |quantity: Quantity| {
            let wanted = r#type.as_deref();
            wanted.is_none_or(|wanted| wanted == quantity.name())
        };
        let wanted = readings
            .into_iter()
            .filter(|(quantity, _)| is_wanted(*quantity));
        wanted
            .map(|(quantity, reading)| self.detail(quantity, reading))
            .collect()
    }

    async fn sensor(&self, mac: String, id: Option<String>) -> Result<Option<JsonText>, Error> {
        Ok(self.sensors(id, Some(mac), None).await?.into_iter().next())
    }
}

fn lock(room: &Mutex<Room>) -> MutexGuard<'_, Room> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use driver_sdk::serde::Serialize;
    use driver_sdk::serde_json::Value;
    use driver_sdk::testkit::Module;

    use super::*;

    /// A reading as it is on the wire.
    fn shown(sensor: &Module, quantity: Quantity) -> Option<JsonText> {
        sensor.status(&Status::new(quantity.name()))
    }

    async fn start(settings: impl Serialize) -> Module {
        Module::start(&Sensor::DEFINITION, settings).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_readings_are_there_at_once_and_move_by_themselves() {
        let sensor = start(()).await;
        sensor.wait_connected(true).await;
        sensor.wait(&Sensor::PRESENCE, &Reading::Flag(true)).await;
        let first = shown(&sensor, Quantity::Co2);
        tokio::time::advance(Duration::from_millis(1001)).await;
        tokio::task::yield_now().await;
        assert_ne!(shown(&sensor, Quantity::Co2), first);
        for quantity in Quantity::ALL {
            let name = quantity.name();
            assert!(shown(&sensor, quantity).is_some(), "{name} is not there");
        }
        sensor.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn all_readings_are_what_was_published() {
        let sensor = start(json!({"readings": ["pm2_5", "people_count", "co2"]})).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let read = sensor.call("read", ()).await.unwrap().value;
        let status = |quantity| shown(&sensor, quantity).unwrap();
        let expect = format!(
            r#"{{"pm2_5":{},"people_count":{},"co2":{}}}"#,
            status(Quantity::Pm2_5),
            status(Quantity::PeopleCount),
            status(Quantity::Co2),
        );
        assert_eq!(read.as_str(), expect);
        assert_eq!(shown(&sensor, Quantity::Temperature), None);
        let line = &sensor.lines()[0].message;
        assert!(line.starts_with("<- pm2_5 "), "{line}");
        sensor.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_sensors_of_one_room_agree() {
        let every_second = start(json!({"room": "board"})).await;
        let every_minute = start(json!({"room": "board", "period_seconds": 60})).await;
        tokio::time::sleep(Duration::from_millis(59_500)).await;
        for quantity in Quantity::ALL {
            let name = quantity.name();
            assert_eq!(
                shown(&every_second, quantity),
                shown(&every_minute, quantity),
                "{name}"
            );
        }
        every_second.stop().await;
        every_minute.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn each_reading_is_described_as_a_sensor_of_the_module() {
        let sensor = start(json!({"readings": ["people_count", "co2"]})).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let names = async |arguments: Value| {
            let sensors = sensor.call("sensors", arguments).await.unwrap();
            let sensors: Vec<Value> = sensors.to().unwrap();
            let names = sensors.iter().map(|sensor| sensor["binding"].to_string());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(json!([])).await, r#""people_count" "co2""#);
        assert_eq!(names(json!(["co2", "mod-test"])).await, r#""co2""#);
        assert_eq!(names(json!(["presence"])).await, "");
        assert_eq!(names(json!([null, "mod-other"])).await, "");
        let one = sensor
            .call("sensor", ("mod-test", "people_count"))
            .await
            .unwrap();
        let one: Value = one.to().unwrap();
        let shown = shown(&sensor, Quantity::PeopleCount).unwrap();
        assert_eq!(one["value"].as_f64(), shown.to::<f64>().ok());
        assert_eq!(
            (one["module_id"].as_str(), one["last_seen"].as_i64()),
            (Some("mod-test"), Some(1_767_603_600))
        );
        let none = sensor.call("sensor", ("mod-other",)).await.unwrap();
        assert!(none.value.is_null());
    }

    #[tokio::test]
    async fn a_sensor_cannot_be_told_to_hurry() {
        let error = Module::start(&Sensor::DEFINITION, json!({"period_seconds": 0})).await;
        assert_eq!(
            error.unwrap_err().message(),
            "the module's settings do not fit: period_seconds: expected a whole number from 1 to 65535"
        );
    }
}
