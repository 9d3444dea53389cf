//! Whether people are in the room, by its sensors: the statuses `people_count`, `presence`, `sensor_name` and `sensor_stale`.
//!
//! A sensor is a module of the room that implements `Sensor`, as PlaceOS looks for it: one that counts people goes before one that sees them,
//! and one that has not been heard of for too long counts as none. Its status is followed; which sensor it is, is looked for again
//! when the room has other modules and once a minute, since a sensor grows old without saying so.
//! The calendar has no part in it.

use std::time::Duration;

use driver_sdk::interfaces::Sensor as _;
use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::Deserialize;
use driver_sdk::serde_json::Value;
use driver_sdk::{
    Context, Error, Follow, JsonText, ModuleSlot, Status, StatusName, SystemDescription, debug,
};
use jiff::SignedDuration;
use tokio::time::sleep;

/// How often the sensor is looked for again.
const SEARCH_PERIOD: Duration = Duration::from_secs(60);

/// The same while there is none that can be relied on: a module that starts again is there within seconds.
const SEARCH_SOON: Duration = Duration::from_secs(10);

/// Which sensors of a room count, and how fresh they have to be.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// The address of the sensor; any without one.
    pub(crate) mac: Option<String>,
    /// How long a sensor may not have been heard of.
    pub(crate) stale_after: SignedDuration,
}

/// How many people the sensor counts.
pub(crate) const PEOPLE_COUNT: Status<Option<f64>> = Status::new("people_count");
/// Whether the sensor sees anyone.
pub(crate) const PRESENCE: Status<Option<bool>> = Status::new("presence");
/// What the sensor is called.
pub(crate) const SENSOR_NAME: Status<Option<String>> = Status::new("sensor_name");
/// Whether the sensor has not been heard of for too long.
pub(crate) const SENSOR_STALE: Status<Option<bool>> = Status::new("sensor_stale");

/// What a sensor measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    PeopleCount,
    Presence,
}

impl Quantity {
    /// Those that are looked for, the better one first.
    const ALL: [Self; 2] = [Self::PeopleCount, Self::Presence];

    /// Its name among PlaceOS's types of sensors.
    fn name(self) -> &'static str {
        match self {
            Self::PeopleCount => "people_count",
            Self::Presence => "presence",
        }
    }
}

/// A sensor as its module describes it. What is not looked at is left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
struct Detail {
    /// The module that publishes its value.
    module_id: Option<String>,
    /// The status with the value; behind each `->` a key within it.
    binding: Option<String>,
    name: Option<String>,
    /// When it was heard of last, in epoch seconds.
    last_seen: Option<i64>,
}

/// A sensor that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    quantity: Quantity,
    name: Option<String>,
    module: ModuleSlot,
    status: StatusName,
    /// Where in the status the value is.
    keys: Vec<String>,
}

/// What a search came to.
#[derive(Debug, PartialEq, Eq)]
enum Search {
    Found(Found),
    /// There are sensors, and none that can be relied on.
    Stale,
    Nothing,
}

/// Publishes who is in the room, as long as its module runs.
pub(crate) async fn watch(context: Context, rules: Rules) {
    let Ok(mut modules) = context.system().follow_modules() else {
        // Only where there are no other modules at all, as in a test.
        return;
    };
    let mut followed: Option<(Found, Follow<Option<JsonText>>)> = None;
    loop {
        let searching = search(&context, &rules);
        tokio::pin!(searching);
        let search = loop {
            // A module that takes its time to answer holds up no value.
            tokio::select! {
                search = &mut searching => break search,
                (sensor, value) = next(&mut followed) => publish(&context, &sensor, value),
            }
        };
        let period = match search {
            Search::Stale => SEARCH_SOON,
            Search::Found(_) | Search::Nothing => SEARCH_PERIOD,
        };
        let found = match search {
            Search::Found(found) => {
                context.set(&SENSOR_STALE, &Some(false));
                context.set(&SENSOR_NAME, &found.name);
                Some(found)
            }
            Search::Stale => {
                context.set(&SENSOR_STALE, &Some(true));
                context.set(&SENSOR_NAME, &None);
                None
            }
            Search::Nothing => {
                context.set(&SENSOR_STALE, &None);
                context.set(&SENSOR_NAME, &None);
                None
            }
        };
        if found.as_ref() != followed.as_ref().map(|(sensor, _)| sensor) {
            context.set(&PEOPLE_COUNT, &None);
            context.set(&PRESENCE, &None);
            followed = found.and_then(|sensor| {
                let follow = follow(&context, &sensor);
                let follow = follow.inspect_err(|error| debug!(context, "{error}"));
                Some((sensor, follow.ok()?))
            });
        }
        let again = sleep(period);
        tokio::pin!(again);
        loop {
            tokio::select! {
                () = &mut again => break,
                told = modules.next() => match told {
                    Some(()) => break,
                    None => return,
                },
                (sensor, value) = next(&mut followed) => publish(&context, &sensor, value),
            }
        }
    }
}

/// Looks for the sensor that counts.
async fn search(context: &Context, rules: &Rules) -> Search {
    let room = context.system();
    let (sensors, description) = match (room.implementing("Sensor").await, room.describe().await) {
        (Ok(sensors), Ok(description)) => (sensors, description),
        (Err(error), _) | (_, Err(error)) => {
            debug!(context, "the room's sensors are not known: {error}");
            return Search::Nothing;
        }
    };
    let mut nothing = Search::Nothing;
    for quantity in Quantity::ALL {
        for module in &sensors {
            let kind = Some(quantity.name().to_owned());
            let details = match module.sensors(kind, rules.mac.clone(), None).await {
                Ok(details) => details,
                Err(error) => {
                    debug!(context, "{error}");
                    nothing = Search::Stale;
                    continue;
                }
            };
            for detail in details {
                let Ok(detail) = detail.to::<Detail>() else {
                    debug!(context, "{module} describes a sensor in another form");
                    continue;
                };
                let is_stale = is_stale(context, rules, detail.last_seen);
                match found(quantity, detail, &description) {
                    Some(_) if is_stale => nothing = Search::Stale,
                    Some(found) => return Search::Found(found),
                    None => {}
                }
            }
        }
    }
    nothing
}

/// A sensor that cannot say when it was heard of is taken at its word.
fn is_stale(context: &Context, rules: &Rules, last_seen: Option<i64>) -> bool {
    let now = context.now().as_second();
    let limit = rules.stale_after.as_secs();
    last_seen.is_some_and(|seen| now.saturating_sub(seen) >= limit)
}

/// What of a sensor is to be followed; nothing when its module does not stand in the room.
fn found(quantity: Quantity, detail: Detail, room: &SystemDescription) -> Option<Found> {
    let id = detail.module_id?;
    let mut modules = room.modules.iter();
    let module = modules.find(|module| module.id.as_str() == id)?;
    let binding = detail.binding?;
    let mut parts = binding.split("->");
    let status = StatusName::new(parts.next()?).ok()?;
    Some(Found {
        quantity,
        name: detail.name,
        module: module.slot.clone(),
        status,
        keys: parts.map(str::to_owned).collect(),
    })
}

fn follow(context: &Context, sensor: &Found) -> Result<Follow<Option<JsonText>>, Error> {
    let status = Status::named(sensor.status.as_str())?;
    context.system().at(sensor.module.clone()).follow(&status)
}

/// The next value of the followed sensor; waits for ever without one.
async fn next(
    followed: &mut Option<(Found, Follow<Option<JsonText>>)>,
) -> (Found, Option<JsonText>) {
    if let Some((sensor, follow)) = followed
        && let Some(value) = follow.next().await
    {
        return (sensor.clone(), value);
    }
    std::future::pending().await
}

fn publish(context: &Context, sensor: &Found, value: Option<JsonText>) {
    let number = value.and_then(|value| {
        let value: Value = value.to().ok()?;
        number_in(&value, &sensor.keys)
    });
    let presence = number.map(|number| number > 0.0);
    match sensor.quantity {
        Quantity::PeopleCount => context.set(&PEOPLE_COUNT, &number),
        Quantity::Presence => {}
    }
    context.set(&PRESENCE, &presence);
}

/// The number that stands in a value behind these keys; true is 1.
fn number_in(value: &Value, keys: &[String]) -> Option<f64> {
    let value = keys.iter().try_fold(value, |value, key| value.get(key))?;
    match value.as_bool() {
        Some(state) => Some(f64::from(u8::from(state))),
        None => value.as_f64(),
    }
}
