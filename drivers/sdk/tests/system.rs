//! Other modules, as a driver finds, calls and follows them, in the rooms of the test kit.

use std::sync::Mutex;

use driver_sdk::interfaces::{LightingArea, LightingLevel, Powerable};
use driver_sdk::serde_json::{Value, json};
use driver_sdk::testkit::{Line, Module, Room, StandIn};
use driver_sdk::{
    Context, Error, Follow, JsonText, LogLevel, ModuleRef, RequestFailed, Status, driver,
};
use tokio::time::Instant;

/// Logic that does with other modules what a test tells it.
#[derive(Debug)]
pub struct Logic {
    context: Context,
}

/// What a follow of `level` has said so far.
const SEEN: Status<Vec<Option<f64>>> = Status::new("seen");

const LEVEL: Status<f64> = Status::new("level");

/// Logic for tests.
#[driver(id = "logic", name = "Logic", implements("Thinking"))]
impl Logic {
    async fn start(context: Context) -> Result<Self, Error> {
        Ok(Self { context })
    }

    /// The modules of a system.
    pub async fn names(&self, system: Option<String>) -> Result<Vec<String>, Error> {
        let system = match system {
            Some(id) => self.context.system_by_id(&id)?,
            None => self.context.system(),
        };
        let modules = system.modules().await?;
        Ok(modules.iter().map(ToString::to_string).collect())
    }

    /// The modules that can do something.
    pub async fn find(&self, what: String) -> Result<Vec<String>, Error> {
        let modules = self.context.system().implementing(&what).await?;
        Ok(modules.iter().map(ToString::to_string).collect())
    }

    /// How many modules have a name, and whether the first and the second are there.
    pub async fn count(&self, name: String) -> Result<(usize, bool, bool), Error> {
        let system = self.context.system();
        let count = system.count(&name).await?;
        Ok((
            count,
            system.exists(&name, 1).await?,
            system.exists(&name, 2).await?,
        ))
    }

    /// Calls a function of a module.
    pub async fn tell(
        &self,
        slot: String,
        function: String,
        arguments: JsonText,
    ) -> Result<JsonText, Error> {
        let module = self.context.system().at(slot.parse()?);
        Ok(module.call(&function, arguments).await?.value)
    }

    /// What a module's level is.
    pub async fn level_of(&self, slot: String) -> Result<Option<f64>, Error> {
        self.context.system().at(slot.parse()?).status(&LEVEL).await
    }

    /// Notes what a module's level is from here on.
    pub async fn follow_level(&self, slot: String) -> Result<(), Error> {
        let follow = self.context.system().at(slot.parse()?).follow(&LEVEL)?;
        self.note(follow, |level| level);
        Ok(())
    }

    /// Notes the messages of a channel.
    pub async fn listen(&self, channel: String) -> Result<(), Error> {
        let messages: Follow<f64> = self.context.subscribe(&channel)?;
        self.note(messages, Some);
        Ok(())
    }

    /// Sends a message to a channel.
    pub async fn shout(&self, channel: String, message: JsonText) -> Result<(), Error> {
        self.context.publish(&channel, &message)
    }

    fn note<T: Send + 'static>(&self, mut follow: Follow<T>, seen: fn(T) -> Option<f64>) {
        let context = self.context.clone();
        self.context.spawn(async move {
            while let Some(next) = follow.next().await {
                let mut all = context.get(&SEEN).unwrap_or_default();
                all.push(seen(next));
                context.set(&SEEN, &all);
            }
        });
    }
}

/// A module that never answers, and whose way to the gateway the test keeps.
#[derive(Debug)]
pub struct Silent;

static KEPT: Mutex<Option<Context>> = Mutex::new(None);

/// Silence for tests.
#[driver(id = "silent", name = "Silent")]
impl Silent {
    async fn start(context: Context) -> Result<Self, Error> {
        *KEPT.lock().expect("no test panicked") = Some(context);
        Ok(Self)
    }

    /// Never ends.
    pub async fn wait(&self) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test(start_paused = true)]
async fn modules_are_found_by_name_and_by_what_they_can_do() {
    let room = Room::new("sys-1");
    let logic = logic(&room).await;
    let first = screen("Display").join(&room);
    let second = StandIn::named("Display").implements("Shiny").join(&room);
    check(
        &logic,
        "names",
        json!([]),
        r#"["Logic_1","Display_1","Display_2"]"#,
    )
    .await;
    check(&logic, "find", json!(["Thinking"]), r#"["Logic_1"]"#).await;
    check(&logic, "find", json!(["Shiny"]), r#"["Display_2"]"#).await;
    check(&logic, "find", json!(["volume"]), r#"["Display_1"]"#).await;
    check(&logic, "find", json!(["Vol"]), "[]").await;
    check(&logic, "count", json!(["Display"]), "[2,true,true]").await;
    drop(first);
    check(&logic, "count", json!(["Display"]), "[1,true,false]").await;
    check(&logic, "find", json!(["Shiny"]), r#"["Display_1"]"#).await;
    drop(second);
    check(&logic, "count", json!(["Display"]), "[0,false,false]").await;
}

#[tokio::test(start_paused = true)]
async fn an_interface_is_called_by_its_trait_and_its_status_followed_by_its_constant() {
    let room = Room::new("sys-1");
    let power = |context: &Context, (state,): (bool,)| {
        context.set(&ModuleRef::POWER, &state);
        Ok(())
    };
    let level = |_: &Context, (area,): (Option<LightingArea>,)| Ok(area.map(|_| 40));
    let _lamp = StandIn::named("Lamp")
        .function("power", &["state"], power)
        .function("lighting_level?", &["area"], level)
        .join(&room);
    let plan = Module::of(&Silent::DEFINITION).in_room(&room);
    let _silent = plan.start(()).await.unwrap();
    let context = KEPT.lock().unwrap().take().unwrap();
    let lamp = context.system().get("Lamp", 1).unwrap();
    let mut is_on = lamp.follow(&ModuleRef::POWER).unwrap();
    lamp.power(true).await.unwrap();
    assert_eq!(is_on.next().await, Some(Some(true)));
    let level = lamp.lighting_level(Some(LightingArea::default())).await;
    assert_eq!(level.unwrap().value.as_str(), "40");
    let failed = lamp.set_lighting(true, None, 0).await.unwrap_err();
    assert_eq!(
        (failed.code(), failed.message()),
        (
            404,
            "Lamp_1.set_lighting: could not find function 'set_lighting'"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn another_system_is_reached_by_its_id() {
    let room = Room::new("sys-1");
    let logic = logic(&room).await;
    let there = room.beside("sys-2");
    let _display = screen("Display").join(&there);
    check(&logic, "names", json!(["sys-2"]), r#"["Display_1"]"#).await;
    let missing = logic.call("names", ("sys-3",)).await.unwrap_err();
    assert_eq!(missing.message(), "could not find system sys-3");
    assert_eq!(missing.code(), RequestFailed::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_the_result_and_an_error_names_module_and_function() {
    let room = Room::new("sys-1");
    let logic = logic(&room).await;
    let display = screen("Display").join(&room);
    check(&logic, "tell", json!(["Display_1", "volume", [40]]), "40").await;
    assert_eq!(display.calls()[0].arguments, "[40]");
    for (slot, function, message, code) in [
        ("Display", "volume", "Display_1.volume: too loud", 409),
        (
            "Display",
            "dance",
            "Display_1.dance: could not find function 'dance'",
            404,
        ),
        (
            "Display_2",
            "volume",
            "Display_2.volume: could not find module",
            404,
        ),
    ] {
        let failed = logic
            .call("tell", (slot, function, (101,)))
            .await
            .unwrap_err();
        assert_eq!((failed.message(), failed.code()), (message, code));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_leads_back_to_itself_ends_with_an_error_that_shows_the_way() {
    let room = Room::new("sys-1");
    let one = logic(&room).await;
    let _two = logic(&room).await;
    let around = (
        "Logic_2",
        "tell",
        ("Logic_1", "tell", ("Logic_2", "names", ())),
    );
    let failed = one.call("tell", around).await.unwrap_err();
    assert_eq!(failed.code(), RequestFailed::CIRCLE);
    assert_eq!(
        failed.message(),
        "Logic_2.tell: Logic_1.tell: the call goes in a circle: mod-1.tell -> mod-2.tell -> mod-1.tell; the call did not run"
    );
    // Through another function of the same module a call may come back.
    let back = ("Logic_2", "tell", ("Logic_1", "names", ()));
    check(&one, "tell", json!(back), r#"["Logic_1","Logic_2"]"#).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_ends_after_two_minutes() {
    let room = Room::new("sys-1");
    let logic = logic(&room).await;
    let plan = Module::of(&Silent::DEFINITION).in_room(&room);
    let _silent = plan.start(()).await.unwrap();
    let began = Instant::now();
    let failed = logic
        .call("tell", ("Silent", "wait", ()))
        .await
        .unwrap_err();
    assert_eq!(failed.code(), RequestFailed::UNANSWERED);
    assert_eq!(began.elapsed().as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn a_follow_goes_on_through_a_remap_and_a_restart() {
    let room = Room::new("sys-1");
    let logic = logic(&room).await;
    let one = screen("Display").join(&room);
    let two = screen("Display").join(&room);
    one.set(&LEVEL, &1.0);
    two.set(&LEVEL, &2.0);
    logic.call("follow_level", ("Display_1",)).await.unwrap();
    logic.wait(&SEEN, &vec![Some(1.0)]).await;
    one.set(&LEVEL, &1.5);
    logic.wait(&SEEN, &vec![Some(1.0), Some(1.5)]).await;

    room.remap(&[&logic, &two, &one]);
    logic
        .wait(&SEEN, &vec![Some(1.0), Some(1.5), Some(2.0)])
        .await;
    assert_eq!(level_of(&logic, "Display_2").await, "1.5");
    room.remap(&[&logic]);
    let gone = vec![Some(1.0), Some(1.5), Some(2.0), None];
    logic.wait(&SEEN, &gone).await;

    drop(two);
    let again = screen("Display").join(&room);
    assert_eq!(level_of(&logic, "Display_1").await, "null");
    again.set(&LEVEL, &3.0);
    logic.wait(&SEEN, &[gone, vec![Some(3.0)]].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_type_counts_as_gone_and_is_a_warning() {
    let room = Room::new("sys-1");
    let logic = logic(&room).await;
    let display = screen("Display").join(&room);
    display.set(&LEVEL, &1.0);
    logic.call("follow_level", ("Display_1",)).await.unwrap();
    logic.wait(&SEEN, &vec![Some(1.0)]).await;
    display.set(&Status::new("level"), "loud");
    logic.wait(&SEEN, &vec![Some(1.0), None]).await;
    let warning = Line {
        level: LogLevel::Warn,
        message: "the value of Display_1/level was not taken: expected a number".to_owned(),
    };
    assert_eq!(logic.lines(), [warning]);
    let failed = logic.call("level_of", ("Display",)).await.unwrap_err();
    assert_eq!(failed.message(), "Display_1/level: expected a number");
}

#[tokio::test(start_paused = true)]
async fn a_message_reaches_all_who_subscribe_to_its_channel() {
    let room = Room::new("sys-1");
    let (one, two) = (logic(&room).await, logic(&room.beside("sys-2")).await);
    for (module, channel) in [(&one, "doors"), (&two, "doors"), (&two, "floors")] {
        module.call("listen", (channel,)).await.unwrap();
    }
    one.call("shout", ("doors", 1.0)).await.unwrap();
    one.wait(&SEEN, &vec![Some(1.0)]).await;
    two.wait(&SEEN, &vec![Some(1.0)]).await;
    one.call("shout", ("doors", "open")).await.unwrap();
    one.call("shout", ("floors", 2.0)).await.unwrap();
    two.wait(&SEEN, &vec![Some(1.0), Some(2.0)]).await;
    let warning = "a message of the channel 'doors' was not taken: expected a number";
    assert_eq!(one.lines()[0].message, warning);
    assert_eq!(one.status(&SEEN), Some(vec![Some(1.0)]));
}

#[tokio::test(start_paused = true)]
async fn what_a_module_asked_of_others_ends_with_it() {
    let room = Room::new("sys-1");
    let plan = Module::of(&Silent::DEFINITION).in_room(&room);
    let silent = plan.start(()).await.unwrap();
    let display = screen("Display").join(&room);
    let other = Module::of(&Silent::DEFINITION)
        .in_room(&room)
        .named("Other");
    let context = KEPT.lock().unwrap().take().unwrap();
    let _other = other.start(()).await.unwrap();
    display.set(&LEVEL, &1.0);

    let system = context.system();
    let mut level = system.get("Display", 1).unwrap().follow(&LEVEL).unwrap();
    let mut messages: Follow<f64> = context.subscribe("doors").unwrap();
    assert_eq!(level.next().await, Some(Some(1.0)));
    let call = system.get("Other", 1).unwrap().call("wait", ());
    silent.stop().await;
    assert_eq!(level.next().await, None);
    assert_eq!(messages.next().await, None);
    assert_eq!(call.await.unwrap_err().code(), RequestFailed::UNANSWERED);
    let modules = system.modules().await.unwrap();
    assert_eq!(modules.len(), 2, "it has left the room");
}

#[tokio::test(start_paused = true)]
async fn a_module_that_stands_in_no_system_is_told_so() {
    let logic = Module::start(&Logic::DEFINITION, ()).await.unwrap();
    let alone = "the module stands in no system; a test starts it in a `Room`";
    let failed = logic.call("names", ()).await.unwrap_err();
    assert_eq!((failed.message(), failed.code()), (alone, 404));
}

async fn logic(room: &Room) -> Module {
    let plan = Module::of(&Logic::DEFINITION).in_room(room);
    plan.start(()).await.expect("it starts")
}

/// A module that is loud up to 100.
fn screen(name: &str) -> StandIn {
    StandIn::named(name).function("volume", &["level"], |_, (level,): (u32,)| match level {
        0..=100 => Ok(level),
        _ => Err(Error::new("too loud").with_code(409)),
    })
}

async fn level_of(logic: &Module, slot: &str) -> String {
    let level = logic.call("level_of", (slot,)).await;
    let level = level.expect("the level can be read");
    level.value.to_string()
}

async fn check(logic: &Module, function: &str, arguments: Value, expect: &str) {
    let answer = logic.call(function, arguments).await;
    let answer = answer.map(|answer| answer.value.to_string());
    assert_eq!(answer.as_deref(), Ok(expect), "{function}");
}
