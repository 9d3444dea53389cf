//! The room as one, beside modules that are made of closures.

use std::time::Duration;

use driver_room_logic::RoomLogic;
use driver_sdk::interfaces::Powerable;
use driver_sdk::serde_json::{Value, json};
use driver_sdk::testkit::{Line, Module, Room, StandIn};
use driver_sdk::{Context, Error, LogLevel, Status, driver};

const BOOKED: Status<bool> = Status::new("booked");
const PRESENCE: Status<bool> = Status::new("presence");

#[tokio::test(start_paused = true)]
async fn every_module_with_power_is_switched_and_every_wake_is_called_when_the_room_goes_on() {
    let room = Room::new("sys-1");
    let display = device("Display").join(&room);
    let wall = device("Display").join(&room);
    let pc = StandIn::named("PC").function("wake", &[], |_, _: Value| Ok(()));
    let pc = pc.join(&room);
    let both = device("Player").function("wake", &[], |_, _: Value| Ok(()));
    let both = both.join(&room);
    // It says its power and does not take one.
    let meter = StandIn::named("Meter").function("power", &[], |_, _: Value| Ok(4.2));
    let meter = meter.join(&room);
    let picky = StandIn::named("Picky").function("power", &["state", "zone"], |_, _: Value| Ok(()));
    let picky = picky.join(&room);
    let logic = logic(&room, json!({})).await;

    logic.call("power", (true,)).await.unwrap();
    assert_eq!(calls(&display), ["power [true]"]);
    assert_eq!(calls(&wall), ["power [true]"]);
    assert_eq!(calls(&pc), ["wake null"]);
    assert_eq!(calls(&both), ["wake null", "power [true]"]);
    logic.wait(&RoomLogic::POWER, &true).await;
    logic.call("power_state", ("Off",)).await.unwrap();
    assert_eq!(calls(&display), ["power [true]", "power [false]"]);
    assert_eq!(calls(&pc), ["wake null"]);
    assert_eq!(calls(&meter), [""; 0]);
    assert_eq!(calls(&picky), [""; 0]);
    logic.wait(&RoomLogic::POWER, &false).await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_named_and_keeps_nobody_else_from_being_switched() {
    let room = Room::new("sys-1");
    let broken = || {
        let fails = |_: &Context, _: (bool,)| Err::<(), _>(Error::new("no answer"));
        StandIn::named("Display").function("power", &["state"], fails)
    };
    let _first = broken().join(&room);
    let lamp = device("Lamp").join(&room);
    let _second = broken().join(&room);
    let logic = logic(&room, json!({})).await;
    let failed = logic.call("power", (true,)).await.unwrap_err();
    assert_eq!(
        failed.message(),
        "2 of 3 modules could not be switched: Display_1.power: no answer; Display_2.power: no answer"
    );
    assert_eq!(lamp.status(&RoomLogic::POWER), Some(true));
    logic.wait(&RoomLogic::POWER, &true).await;
}

#[tokio::test(start_paused = true)]
async fn two_logics_of_one_room_do_not_switch_each_other() {
    let room = Room::new("sys-1");
    let lamp = device("Lamp").join(&room);
    let (one, two) = (logic(&room, json!({})).await, logic(&room, json!({})).await);
    one.call("power", (true,)).await.unwrap();
    assert_eq!(calls(&lamp), ["power [true]"]);
    assert_eq!(calls(&two), [""; 0]);
    assert_eq!(calls(&one), ["power [true]"]);
    two.wait(&RoomLogic::POWER, &true).await;
    lamp.set(&RoomLogic::POWER, &false);
    two.wait(&RoomLogic::POWER, &false).await;
}

#[tokio::test(start_paused = true)]
async fn a_module_that_leads_back_to_the_room_is_named_and_the_call_ends() {
    let room = Room::new("sys-1");
    let logic = logic(&room, json!({})).await;
    let plan = Module::of(&Echo::DEFINITION).in_room(&room);
    let _echo = plan.start(()).await.unwrap();
    let failed = logic.call("power", (true,)).await.unwrap_err();
    let expect = "1 of 1 modules could not be switched: Echo_1.power: Room_1.power: the call goes in a circle: mod-1.power -> mod-2.power -> mod-1.power; the call did not run";
    assert_eq!(failed.message(), expect);
}

#[tokio::test(start_paused = true)]
async fn the_room_goes_on_with_a_booking_and_off_some_time_after_it() {
    let room = Room::new("sys-1");
    let bookings = StandIn::named("Bookings").join(&room);
    let lamp = device("Lamp").join(&room);
    let logic = logic(&room, json!({"follow_bookings": true})).await;
    bookings.set(&BOOKED, &false);
    settle().await;
    assert_eq!(calls(&lamp), [""; 0]);
    bookings.set(&BOOKED, &true);
    logic.wait(&RoomLogic::POWER, &true).await;
    // A person may switch it as they like meanwhile.
    logic.call("power", (false,)).await.unwrap();
    logic.call("power", (true,)).await.unwrap();
    pass(3_600).await;
    logic.wait(&RoomLogic::POWER, &true).await;
    bookings.set(&BOOKED, &false);
    pass(899).await;
    assert_eq!(logic.status(&RoomLogic::POWER), Some(true));
    pass(2).await;
    assert_eq!(logic.status(&RoomLogic::POWER), Some(false));
    assert_eq!(calls(&lamp).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_room_goes_on_with_presence_and_stays_on_while_any_source_is_true() {
    let room = Room::new("sys-1");
    let (door, desk) = (presence(&room), presence(&room));
    let lamp = device("Lamp").join(&room);
    let sources = ["Presence_1/presence", "Presence_2/presence"];
    let logic = logic(&room, json!({"presence": sources, "off_after_seconds": 2})).await;
    door.set(&PRESENCE, &true);
    logic.wait(&RoomLogic::POWER, &true).await;
    desk.set(&PRESENCE, &true);
    door.set(&PRESENCE, &false);
    pass(10).await;
    assert_eq!(logic.status(&RoomLogic::POWER), Some(true));
    desk.set(&PRESENCE, &false);
    pass(1).await;
    desk.set(&PRESENCE, &true);
    pass(10).await;
    assert_eq!(logic.status(&RoomLogic::POWER), Some(true));
    // A sensor that is gone is nobody's presence.
    drop(desk);
    pass(3).await;
    assert_eq!(logic.status(&RoomLogic::POWER), Some(false));
    assert_eq!(calls(&lamp).last().unwrap(), "power [false]");
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_on_without_anyone_goes_off_and_a_device_that_a_person_switches_stays() {
    let room = Room::new("sys-1");
    let _sensor = presence(&room);
    let settings = json!({"presence": ["Presence/presence"], "off_after_seconds": 2});
    let lamp = device("Lamp").join(&room);
    let logic = logic(&room, settings).await;
    logic.call("power", (true,)).await.unwrap();
    pass(3).await;
    assert_eq!(lamp.status(&RoomLogic::POWER), Some(false));
    lamp.call("power", (true,)).await.unwrap();
    pass(100).await;
    assert_eq!(logic.status(&RoomLogic::POWER), Some(true));
    // One that is found to be on was left so, as after a restart of the gateway.
    let other = device("Lamp").join(&room);
    other.set(&RoomLogic::POWER, &true);
    pass(3).await;
    assert_eq!(logic.status(&RoomLogic::POWER), Some(false));
}

#[tokio::test(start_paused = true)]
async fn a_room_that_follows_nothing_never_goes_off_by_itself() {
    let room = Room::new("sys-1");
    let _lamp = device("Lamp").join(&room);
    let logic = logic(&room, json!({"off_after_seconds": 1})).await;
    logic.call("power", (true,)).await.unwrap();
    pass(86_400).await;
    assert_eq!(logic.status(&RoomLogic::POWER), Some(true));
}

#[tokio::test(start_paused = true)]
async fn modules_that_come_go_and_change_places_are_looked_up_anew_at_each_turn() {
    let room = Room::new("sys-1");
    let sensor = presence(&room);
    let settings = json!({"presence": ["Presence_1/presence"], "off_after_seconds": 1});
    let logic = logic(&room, settings).await;
    let one = device("Lamp").join(&room);
    sensor.set(&PRESENCE, &true);
    logic.wait(&RoomLogic::POWER, &true).await;
    let two = device("Lamp").join(&room);
    room.remap(&[&two, &logic, &sensor]);
    logic.wait(&RoomLogic::POWER, &false).await;
    logic.call("power", (true,)).await.unwrap();
    assert_eq!(calls(&one), ["power [true]"]);
    assert_eq!(calls(&two), ["power [true]"]);
    logic.wait(&RoomLogic::POWER, &true).await;
    let again = presence(&room);
    drop(sensor);
    again.set(&PRESENCE, &true);
    pass(10).await;
    assert_eq!(logic.status(&RoomLogic::POWER), Some(true));
    again.set(&PRESENCE, &false);
    pass(2).await;
    assert_eq!(calls(&two).last().unwrap(), "power [false]");
}

#[tokio::test(start_paused = true)]
async fn a_sensor_that_changes_its_mind_all_the_time_has_one_turn_at_a_time_by_what_is_true_then() {
    let room = Room::new("sys-1");
    let sensor = presence(&room);
    let slow = Module::of(&Slow::DEFINITION).in_room(&room);
    let slow = slow.start(()).await.unwrap();
    let settings = json!({"presence": ["Presence_1/presence"]});
    let _logic = logic(&room, settings).await;
    for _ in 0..100 {
        sensor.set(&PRESENCE, &true);
        settle().await;
        sensor.set(&PRESENCE, &false);
        settle().await;
    }
    assert_eq!(calls(&slow), ["power [true]"]);
    pass(11).await;
    assert_eq!(calls(&slow), ["power [true]"], "whoever came has gone");
    sensor.set(&PRESENCE, &true);
    settle().await;
    sensor.set(&PRESENCE, &false);
    settle().await;
    sensor.set(&PRESENCE, &true);
    pass(11).await;
    assert_eq!(calls(&slow), ["power [true]"; 3]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_by_itself_is_a_warning() {
    let room = Room::new("sys-1");
    let sensor = presence(&room);
    let fails = |_: &Context, _: (bool,)| Err::<(), _>(Error::new("no answer"));
    let broken = StandIn::named("Display").function("power", &["state"], fails);
    let broken = broken.join(&room);
    let logic = logic(&room, json!({"presence": ["Presence_1/presence"]})).await;
    sensor.set(&PRESENCE, &true);
    settle().await;
    let line = |level, message: &str| Line {
        level,
        message: message.to_owned(),
    };
    assert_eq!(
        logic.lines(),
        [
            line(LogLevel::Info, "the room is in use and goes on"),
            line(
                LogLevel::Warn,
                "1 of 1 modules could not be switched: Display_1.power: no answer"
            ),
        ]
    );
    assert_eq!(calls(&broken).len(), 1, "nothing is tried twice");
}

#[tokio::test(start_paused = true)]
async fn a_presence_that_names_no_status_is_refused() {
    for wrong in [
        "Presence_1",
        "Presence_0/presence",
        "/presence",
        "Presence/",
    ] {
        let settings = json!({"presence": [wrong]});
        let room = Room::new("sys-1");
        let plan = Module::of(&RoomLogic::DEFINITION).in_room(&room);
        let error = plan.start(settings).await.unwrap_err();
        assert_eq!(
            error.message(),
            "the module's settings do not fit: presence[0]: expected a status of a module of the room, such as `Presence_1/presence`"
        );
    }
}

/// A device that takes its time.
#[derive(Debug)]
pub struct Slow;

/// A device that takes its time.
#[driver(id = "slow", name = "Slow")]
impl Slow {
    async fn start(_context: Context) -> Result<Self, Error> {
        Ok(Self)
    }

    /// Takes ten seconds.
    pub async fn power(&self, state: bool) {
        let _either = state;
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}

/// A module that hands on to the room what the room tells it.
#[derive(Debug)]
pub struct Echo(Context);

/// A module that hands on to the room what the room tells it.
#[driver(id = "echo", name = "Echo")]
impl Echo {
    async fn start(context: Context) -> Result<Self, Error> {
        Ok(Self(context))
    }

    /// Hands it on.
    pub async fn power(&self, state: bool) -> Result<(), Error> {
        self.0.system().get("Room", 1)?.power(state).await
    }
}

async fn logic(room: &Room, settings: Value) -> Module {
    let plan = Module::of(&RoomLogic::DEFINITION).in_room(room);
    plan.start(settings).await.expect("it starts")
}

/// A module that is switched on and off.
fn device(name: &str) -> StandIn {
    let power = |context: &Context, (state,): (bool,)| {
        context.set(&RoomLogic::POWER, &state);
        Ok(())
    };
    StandIn::named(name).function("power", &["state"], power)
}

fn presence(room: &Room) -> Module {
    StandIn::named("Presence").join(room)
}

/// The calls that a module got, each as a text.
fn calls(module: &Module) -> Vec<String> {
    let calls = module.calls().into_iter();
    calls
        .map(|call| format!("{} {}", call.function, call.arguments))
        .collect()
}

/// Lets all tasks do what they have to do now.
async fn settle() {
    pass(0).await;
}

/// Lets so many seconds pass, and what falls due in them happen.
async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds) + Duration::from_millis(1)).await;
}
