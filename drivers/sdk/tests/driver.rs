//! The `driver` attribute as an author meets it: what it reads off an `impl` block and how clients' calls arrive.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use driver_sdk::interfaces::{MuteLayer, Muteable, Part, Powerable};
use driver_sdk::jiff::Timestamp;
use driver_sdk::schemars::JsonSchema;
use driver_sdk::serde::{Deserialize, Serialize};
use driver_sdk::serde_json::json;
use driver_sdk::testkit::{Line, Module};
use driver_sdk::{
    Clearance, Context, Error, JsonText, LogLevel, Outcome, Seconds, Status, TimeZone, driver,
    info, settings,
};

/// How bright.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde", rename_all = "snake_case")]
#[schemars(crate = "driver_sdk::schemars")]
pub enum Mood {
    /// For talking.
    Bright,
    /// For films.
    VeryDark,
}

/// What a lamp shines on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
pub struct Area {
    id: u32,
    #[expect(dead_code, reason = "it stands in the schema")]
    mood: Option<Mood>,
}

/// A type that contains itself, so that JSON of any depth fits its shape.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "driver_sdk::serde")]
#[schemars(crate = "driver_sdk::schemars")]
pub struct Nested(Vec<Nested>);

/// All optional.
#[settings]
struct Settings {
    #[default("none".to_owned())]
    #[expect(dead_code, reason = "it can be wrong")]
    password: String,
    /// Where it listens.
    #[default]
    ports: Vec<u16>,
    #[default(1000)]
    period_milliseconds: u64,
}

/// What a lamp with an address says about itself.
#[settings]
struct Fitting {
    /// Its number on the bus.
    unit: u8,
    #[default(Seconds::new(10))]
    poll_seconds: Seconds,
    socket: Option<Socket>,
    #[default(Finish::Matt)]
    finish: Finish,
}

/// A socket of a fitting.
#[settings]
struct Socket {
    /// How wide.
    width: f64,
}

#[settings]
#[derive(Debug)]
enum Finish {
    Matt,
    VeryShiny,
}

/// A lamp at an address, whose settings can change while it runs.
#[derive(Debug)]
pub struct Fitted {
    context: Context,
}

#[driver(
    id = "fitted",
    name = "Lighting",
    uri(default = "tcp://127.0.0.1", "tcp", "tls")
)]
impl Fitted {
    const TOLD: Status<String> = Status::new("told");
    const URI: Status<Option<String>> = Status::new("uri");

    async fn start(context: Context, settings: Fitting) -> Result<Self, Error> {
        let fitted = Self { context };
        fitted.tell(&settings);
        Ok(fitted)
    }

    async fn settings_changed(&self, settings: Fitting) -> Result<(), Error> {
        self.tell(&settings);
        Ok(())
    }

    fn tell(&self, settings: &Fitting) {
        let width = settings.socket.as_ref().map(|socket| socket.width);
        let poll = settings.poll_seconds.duration();
        let told = format!("{} {poll:?} {width:?} {:?}", settings.unit, settings.finish);
        self.context.set(&Self::TOLD, &told);
        let uri = self.context.uri().map(str::to_owned);
        self.context.set(&Self::URI, &uri);
    }
}

/// The driver under test.
#[derive(Debug)]
pub struct Lamp {
    context: Context,
    ports: usize,
    period: Duration,
    turns: AtomicU32,
}

/// A lamp with every kind of function.
///
/// It has two paragraphs.
#[driver(id = "lamp", name = "Lighting", implements("Powerable", "Dimmable"))]
impl Lamp {
    /// Whether it is on.
    const POWER: Status<bool> = Status::new("power");
    /// How often it came round.
    const TURN: Status<u32> = Status::new("turn");
    const NO_STATUS: usize = 3;

    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            context,
            ports: settings.ports.len(),
            period: Duration::from_millis(settings.period_milliseconds),
            turns: AtomicU32::new(0),
        })
    }

    async fn stop(&self) {
        info!(self.context, "off");
    }

    #[every(self.period)]
    async fn turn(&self) -> Result<(), Error> {
        match self.turns.fetch_add(1, Ordering::Relaxed) + 1 {
            2 => Err(Error::new("the lamp did not answer")),
            turn => {
                self.context.set(&Self::TURN, &turn);
                Ok(())
            }
        }
    }

    /// Switches the lamp.
    pub async fn power(&self, state: bool) {
        self.context.set(&Self::POWER, &state);
    }

    /// Whether it is on.
    ///
    /// False without a lamp.
    #[name("power?")]
    pub async fn is_on(&self) -> bool {
        self.context.get(&Self::POWER).unwrap_or(false)
    }

    /// Gives back what it was called with.
    pub async fn dim(
        &self,
        level: f64,
        area: Option<Area>,
        #[default(1000)] fade_time: u32,
        #[default(Some(Mood::VeryDark))] mood: Option<Mood>,
    ) -> String {
        let area = area.map(|area| area.id);
        format!("{level} {area:?} {fade_time} {mood:?}")
    }

    /// Has names that Rust keeps for itself.
    #[support]
    pub async fn r#move(&self, r#type: JsonText) -> JsonText {
        r#type
    }

    /// Its parameters are called like what the generated code may use.
    pub async fn shadows(&self, function: u8, arguments: u8, given: u8, interface: u8) -> u32 {
        u32::from(function) + u32::from(arguments) + u32::from(given) + u32::from(interface)
    }

    /// Takes JSON of any shape.
    pub async fn nest(&self, mut inside: Nested, moods: Vec<Mood>) -> usize {
        inside.0.clear();
        inside.0.len() + moods.len()
    }

    /// Chooses its response code.
    #[admin]
    pub async fn order(&self) -> Outcome {
        Outcome {
            value: JsonText::boolean(true),
            code: 202,
        }
    }

    /// Chooses its response code also when it fails.
    pub async fn order_or_fail(&self, fail: bool) -> Result<Outcome, Error> {
        if fail {
            return Err(Error::new("sold out").with_code(410));
        }
        Ok(Outcome::of("on its way")?.with_code(202))
    }

    /// Has no parameters.
    pub async fn ports(&self) -> usize {
        self.own()
    }

    /// Is not compiled.
    #[cfg(any())]
    pub async fn left_out(&self) -> NoSuchType {}

    fn own(&self) -> usize {
        self.ports + Self::NO_STATUS - 3
    }
}

#[test]
fn the_definition_is_what_the_options_and_the_doc_comment_say() {
    let definition = Lamp::DEFINITION;
    assert_eq!(
        (definition.id, definition.module_name),
        ("lamp", "Lighting")
    );
    assert_eq!(
        definition.description,
        "A lamp with every kind of function.\n\nIt has two paragraphs."
    );
    let interface = (definition.interface)();
    assert_eq!(interface.implements, ["Powerable", "Dimmable"]);
}

#[test]
fn public_methods_are_functions_in_the_order_of_the_source() {
    let interface = (Lamp::DEFINITION.interface)();
    let functions: Vec<_> = interface
        .functions
        .iter()
        .map(|(name, function)| (name.as_str(), function.clearance))
        .collect();
    let expect = [
        ("power", Clearance::User),
        ("power?", Clearance::User),
        ("dim", Clearance::User),
        ("move", Clearance::Support),
        ("shadows", Clearance::User),
        ("nest", Clearance::User),
        ("order", Clearance::Admin),
        ("order_or_fail", Clearance::User),
        ("ports", Clearance::User),
    ];
    assert_eq!(functions, expect);
    assert_eq!(
        interface.functions["power?"].description,
        "Whether it is on.\n\nFalse without a lamp."
    );
}

#[test]
fn parameters_have_names_schemas_and_defaults() {
    let interface = (Lamp::DEFINITION.interface)();
    let check = |function: &str, expect: &[(&str, &str, Option<&str>)]| {
        let parameters: Vec<_> = interface.functions[function]
            .parameters
            .iter()
            .map(|it| {
                let default = it.default.as_ref().map(JsonText::as_str);
                (it.name.as_str(), it.schema.as_str(), default)
            })
            .collect();
        assert_eq!(parameters, expect);
    };
    check(
        "power",
        &[("state", r#"{"type":"boolean","title":"Bool"}"#, None)],
    );
    check("move", &[("type", r#"{"title":"Any"}"#, None)]);
    let mood = r#""type":"string","enum":["bright","very_dark"]"#;
    check(
        "dim",
        &[
            (
                "level",
                r#"{"type":"number","format":"double","title":"Float64"}"#,
                None,
            ),
            (
                "area",
                &format!(
                    r#"{{"type":"object","properties":{{"id":{{"type":"integer","format":"uint32","minimum":0}},"mood":{{"anyOf":[{{"description":"How bright.",{mood}}},{{"type":"null"}}]}}}},"required":["id"],"description":"What a lamp shines on.","title":"Area"}}"#
                ),
                Some("null"),
            ),
            (
                "fade_time",
                r#"{"type":"integer","format":"uint32","minimum":0,"title":"UInt32"}"#,
                Some("1000"),
            ),
            (
                "mood",
                &format!(r#"{{"description":"How bright.",{mood},"title":"Mood"}}"#),
                Some(r#""very_dark""#),
            ),
        ],
    );
}

#[tokio::test]
async fn arguments_come_by_position_or_by_name() {
    let module = start().await;
    let all = r#""7 Some(3) 20 Some(Bright)""#;
    check(&module, "dim", r#"[7, {"id": 3}, 20, "bright"]"#, all).await;
    let named = r#"{"mood": "bright", "level": 7, "fade_time": 20, "area": {"id": 3}}"#;
    check(&module, "dim", named, all).await;
    check(&module, "shadows", "[1, 2, 3, 4]", "10").await;
    check(
        &module,
        "move",
        r#"{"type": {"a": [ 1 ]}}"#,
        r#"{"a": [ 1 ]}"#,
    )
    .await;
}

#[tokio::test]
async fn an_absent_or_null_argument_is_its_default() {
    let module = start().await;
    let rest = r#""7 None 1000 Some(VeryDark)""#;
    for arguments in [
        "[7]",
        "[7, null, null, null]",
        r#"{"level": 7}"#,
        r#"{"level": 7, "area": null, "fade_time": null, "mood": null}"#,
    ] {
        check(&module, "dim", arguments, rest).await;
    }
    check(&module, "move", "[null]", "null").await;
}

#[tokio::test]
async fn a_function_without_parameters_takes_whatever_is_sent() {
    let module = start().await;
    for arguments in ["[]", "{}", "null", "[1, 2]", r#"{"a": 1}"#, "7"] {
        check(&module, "ports", arguments, "0").await;
    }
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_named() {
    let module = start().await;
    for (function, arguments, expect) in [
        (
            "power",
            "[true, 2, 3]",
            "wrong number of arguments for 'power' (given 3, expected 1)",
        ),
        ("power", "[]", "missing argument 'state' of 'power'"),
        ("power", "null", "missing argument 'state' of 'power'"),
        (
            "power",
            r#"{"state": true, "fast": 1}"#,
            "'power' has no argument 'fast'",
        ),
        (
            "power",
            r#"["secret"]"#,
            "argument 'state' of 'power': expected a boolean",
        ),
        (
            "power",
            "[null]",
            "argument 'state' of 'power': expected a boolean",
        ),
        (
            "power",
            "7",
            "the arguments of 'power' must be an array or an object",
        ),
        (
            "dim",
            r#"[7, {"id": "x"}]"#,
            "argument 'area' of 'dim': id: expected a whole number from 0 to 4294967295",
        ),
        ("dim", "[7, {}]", "argument 'area' of 'dim': missing `id`"),
        (
            "dim",
            r#"[7, null, 1, "gloomy"]"#,
            "argument 'mood' of 'dim': expected `bright` or `very_dark`",
        ),
        (
            "nest",
            r#"[[], ["bright", "x"]]"#,
            "argument 'moods' of 'nest': [1]: expected `bright` or `very_dark`",
        ),
    ] {
        let arguments = JsonText::parse(arguments).unwrap();
        let error = module.call(function, arguments).await.unwrap_err();
        assert_eq!((error.message(), error.code()), (expect, 400));
    }
    let error = module.call("own", ()).await.unwrap_err();
    let expect = "could not find function 'own'";
    assert_eq!((error.message(), error.code()), (expect, 404));
}

#[tokio::test]
async fn too_deep_an_argument_is_an_error() {
    let module = start().await;
    let deep = |levels| format!("[{}{}, []]", "[".repeat(levels), "]".repeat(levels));
    check(&module, "nest", &deep(127), "0").await;
    for levels in [128, 200_000] {
        let error = module
            .call("nest", JsonText::parse(&deep(levels)).unwrap())
            .await
            .unwrap_err();
        let message = error.message();
        assert!(
            message.ends_with("nested too deep") && message.len() < 200,
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_result_may_choose_its_response_code() {
    let module = start().await;
    for (function, arguments, expect) in [
        ("power", "[true]", ("null", 200)),
        ("order", "[]", ("true", 202)),
        ("order_or_fail", "[false]", (r#""on its way""#, 202)),
    ] {
        let arguments = JsonText::parse(arguments).unwrap();
        let outcome = module.call(function, arguments).await.unwrap();
        assert_eq!((outcome.value.as_str(), outcome.code), expect);
    }
    let error = module.call("order_or_fail", (true,)).await.unwrap_err();
    assert_eq!((error.message(), error.code()), ("sold out", 410));
}

#[tokio::test]
async fn a_renamed_function_is_called_by_its_name_on_the_wire() {
    let module = start().await;
    check(&module, "power?", "[]", "false").await;
    check(&module, "power", "[true]", "null").await;
    check(&module, "power?", "[]", "true").await;
    check(&module, "is_on", "[]", "could not find function 'is_on'").await;
}

#[tokio::test]
async fn settings_that_do_not_fit_are_named_but_not_repeated() {
    for (settings, expect) in [
        (r#"{"password": 12345}"#, "password: expected a string"),
        (
            r#"{"ports": [1, 70000]}"#,
            "ports[1]: expected a whole number from 0 to 65535",
        ),
        (
            r#"{"pasword": "hunter2"}"#,
            "pasword: is not known; expected one of `password`, `ports`, `period_milliseconds`",
        ),
    ] {
        let settings = JsonText::parse(settings).unwrap();
        let error = Module::start(&Lamp::DEFINITION, settings)
            .await
            .unwrap_err();
        assert_eq!(
            error.message(),
            format!("the module's settings do not fit: {expect}")
        );
    }
}

#[test]
fn a_configuration_tells_every_mistake_at_its_place() {
    let configuration = Fitted::DEFINITION.configuration;
    let check = |uri: Option<&str>, settings: &str, expect: &[&str]| {
        let mistakes = configuration.check(uri, &JsonText::parse(settings).unwrap());
        let told = mistakes
            .iter()
            .map(|it| format!("{}: {}", it.place, it.misfit));
        assert_eq!(told.collect::<Vec<_>>(), expect, "{settings}");
    };
    check(None, r#"{"unit": 1.0, "poll_seconds": 0.5}"#, &[]);
    check(
        Some("udp://a"),
        r#"{"poll_seconds": -1, "socket": {"width": true}, "finish": "dull", "colour": 1}"#,
        &[
            "uri: expected an address that begins with tcp:// or tls://",
            ": missing `unit`, a whole number from 0 to 255",
            "poll_seconds: expected a number of seconds, 0 or more",
            "socket.width: expected a number",
            "finish: expected `matt` or `very_shiny`",
            "colour: is not known; expected one of `unit`, `poll_seconds`, `socket`, `finish`",
        ],
    );
    check(
        None,
        r#"{"unit": 1, "socket": {"wide": 3}}"#,
        &["socket.wide: is not known; expected `width`"],
    );
    check(
        None,
        r#"{"unit": 1, "socket": {}}"#,
        &["socket: missing `width`"],
    );
    check(
        None,
        r#"{"unit": 1, "unit": 2}"#,
        &[": `unit` is there twice"],
    );
    check(None, "[1]", &[": expected an object"]);
    let none = Empty::DEFINITION.configuration;
    let mistakes = none.check(Some("tcp://a"), &JsonText::parse(r#"{"unit": 1}"#).unwrap());
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
}

/// A driver without an address and without settings.
struct Empty;

#[driver(id = "empty", name = "Empty")]
impl Empty {
    async fn start(_: Context) -> Result<Self, Error> {
        Ok(Self)
    }
}

#[test]
fn the_schema_of_settings_has_their_descriptions_and_defaults() {
    let schema = (Fitted::DEFINITION.configuration.schema)();
    let expect = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "unit": {
                "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255,
                "description": "Its number on the bus.",
            },
            "poll_seconds": {"type": "number", "format": "double", "minimum": 0, "default": 10},
            "socket": {
                "type": ["object", "null"],
                "additionalProperties": false,
                "properties": {
                    "width": {"type": "number", "format": "double", "description": "How wide."},
                },
                "required": ["width"],
                "description": "A socket of a fitting.",
            },
            "finish": {"type": "string", "enum": ["matt", "very_shiny"]},
        },
        "required": ["unit"],
        "description": "What a lamp with an address says about itself.",
        "title": "Fitting",
    });
    assert_eq!(
        schema.to::<driver_sdk::serde_json::Value>().unwrap(),
        expect
    );
}

#[tokio::test]
async fn other_settings_are_taken_while_the_module_runs() {
    let module = Module::start(&Fitted::DEFINITION, json!({"unit": 1}))
        .await
        .unwrap();
    let told = || module.status(&Fitted::TOLD).unwrap();
    assert_eq!(told(), "1 10s None Matt");
    let uri = module.status(&Fitted::URI).flatten();
    assert_eq!(uri.as_deref(), Some("tcp://127.0.0.1"));
    let settings = json!({"unit": 2, "poll_seconds": 1.5, "socket": {"width": 3}});
    module.change_settings(settings).await.unwrap();
    assert_eq!(told(), "2 1.5s Some(3.0) Matt");
    let error = module.change_settings(()).await.unwrap_err();
    assert!(error.message().contains("missing `unit`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn work_that_comes_round_goes_on_after_a_failure() {
    let module = start().await;
    module.wait(&Lamp::TURN, &1).await;
    module.wait(&Lamp::TURN, &3).await;
    let line = Line {
        level: LogLevel::Warn,
        message: "the lamp did not answer".to_owned(),
    };
    assert_eq!(module.lines(), [line]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_in_vain_tells_the_last_value() {
    let module = start().await;
    check(&module, "power", "[true]", "null").await;
    let mut waits = tokio::task::JoinSet::new();
    waits.spawn(module.wait(&Lamp::POWER, &false));
    waits.spawn(module.wait(&Status::<u8>::new("colour"), &1));
    let mut messages = Vec::new();
    while let Some(end) = waits.join_next().await {
        let panic = end.unwrap_err().into_panic();
        let message = panic.downcast_ref::<String>().unwrap();
        messages.push(message.split_once(": ").unwrap().1.to_owned());
    }
    messages.sort();
    assert_eq!(
        messages,
        [
            "the status 'colour' should be 1, but it is not there",
            "the status 'power' should be false, but it is true",
        ]
    );
}

#[tokio::test]
async fn a_module_puts_its_device_in_order_when_it_stops() {
    let module = start().await;
    module.stop().await;
    let line = Line {
        level: LogLevel::Info,
        message: "off".to_owned(),
    };
    assert_eq!(module.lines(), [line]);
}

async fn start() -> Module {
    Module::start(&Lamp::DEFINITION, ())
        .await
        .expect("the lamp starts")
}

/// Calls a function and checks the result's text, or the error's.
async fn check(module: &Module, function: &str, arguments: &str, expect: &str) {
    let json = JsonText::parse(arguments).expect("the arguments are JSON");
    let answer = match module.call(function, json).await {
        Ok(outcome) => outcome.value.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(answer, expect, "{function}{arguments}");
}

/// A lamp whose work comes by the clock.
struct Clockwork {
    context: Context,
    opens_at: Option<Timestamp>,
    settings: Times,
}

thread_local! {
    /// How many instances there are.
    static LIVING: AtomicU32 = const { AtomicU32::new(0) };
}

impl Drop for Clockwork {
    fn drop(&mut self) {
        LIVING.with(|living| living.fetch_sub(1, Ordering::Relaxed));
    }
}

/// What it does when.
#[settings]
struct Times {
    opens_at: Option<String>,
    #[default("30 2 * * *".to_owned())]
    pattern: String,
    #[default]
    timezone: TimeZone,
    /// How long a look takes; none is taken without it.
    look_seconds: Option<Seconds>,
}

#[driver(id = "clockwork", name = "Clockwork")]
impl Clockwork {
    const LOOKS: Status<Vec<i64>> = Status::new("looks");
    const RUNG: Status<Vec<i64>> = Status::new("rung");
    const OPENED: Status<i64> = Status::new("opened");
    const COUNT: Status<u32> = Status::new("count");

    async fn start(context: Context, settings: Times) -> Result<Self, Error> {
        let opens_at = settings.opens_at.as_deref().map(str::parse).transpose()?;
        LIVING.with(|living| living.fetch_add(1, Ordering::Relaxed));
        Ok(Self {
            context,
            opens_at,
            settings,
        })
    }

    #[every(self.settings.look_seconds.map(|_| Duration::from_secs(10)))]
    async fn look(&self) {
        self.note(&Self::LOOKS);
        let time = self.settings.look_seconds.unwrap_or_default();
        tokio::time::sleep(time.duration()).await;
    }

    #[every(12 h)]
    async fn count(&self) {
        let before = self.context.get(&Self::COUNT).unwrap_or(0);
        self.context.set(&Self::COUNT, &(before + 1));
    }

    #[at(self.opens_at)]
    async fn open(&self) {
        let now = self.context.now().as_second();
        self.context.set(&Self::OPENED, &now);
    }

    #[cron(&self.settings.pattern, timezone = self.settings.timezone.clone())]
    async fn ring(&self) {
        self.note(&Self::RUNG);
    }

    fn note(&self, status: &Status<Vec<i64>>) {
        let mut moments = self.context.get(status).unwrap_or_default();
        moments.push(self.context.now().as_second());
        self.context.set(status, &moments);
    }
}

/// The moments of a status as texts.
fn moments(module: &Module, status: &Status<Vec<i64>>) -> Vec<String> {
    let moments = module.status(status).unwrap_or_default().into_iter();
    moments
        .map(|second| {
            Timestamp::from_second(second)
                .expect("a moment")
                .to_string()
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn slow_turns_do_not_pile_up() {
    let plan = Module::of(&Clockwork::DEFINITION).at("2026-01-05T09:00:00Z");
    let module = plan.start(json!({"look_seconds": 25})).await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(
        moments(&module, &Clockwork::LOOKS),
        [
            "2026-01-05T09:00:00Z",
            "2026-01-05T09:00:25Z",
            "2026-01-05T09:00:50Z"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_moment_comes_once_and_one_that_is_past_never() {
    let plan = Module::of(&Clockwork::DEFINITION).at("2026-01-05T09:00:00Z");
    let soon = plan
        .clone()
        .start(json!({"opens_at": "2026-01-05T09:30:00Z"}));
    let past = plan.start(json!({"opens_at": "2026-01-05T08:59:59Z"}));
    let (soon, past) = (soon.await.unwrap(), past.await.unwrap());
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(soon.status(&Clockwork::OPENED), Some(1_767_605_400));
    assert_eq!(past.status(&Clockwork::OPENED), None);
}

#[tokio::test(start_paused = true)]
async fn a_cron_pattern_goes_by_the_clocks_of_its_zone() {
    let rung = async |from: &str, pattern: &str| {
        let settings = json!({"pattern": pattern, "timezone": "Europe/Berlin"});
        let plan = Module::of(&Clockwork::DEFINITION).at(from);
        let module = plan.start(settings).await.unwrap();
        tokio::time::sleep(Duration::from_secs(49 * 3600)).await;
        assert_eq!(module.status(&Clockwork::COUNT), Some(5), "half days begun");
        moments(&module, &Clockwork::RUNG)
    };
    // Half past two is not there on the 29th of March, when clocks go from two to three.
    assert_eq!(
        rung("2026-03-28T12:00:00Z", "30 2 * * *").await,
        ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    // And it comes twice on the 25th of October: it counts once.
    assert_eq!(
        rung("2026-10-24T12:00:00Z", "30 2 * * *").await,
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    let error = Module::start(&Clockwork::DEFINITION, json!({"pattern": "61 * * * *"})).await;
    let message = error.unwrap_err().to_string();
    assert!(
        message.starts_with("'61 * * * *' is no cron pattern"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_clock_keeps_no_instance_alive() {
    let module = Module::start(&Clockwork::DEFINITION, ()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let instances = || LIVING.with(|living| living.load(Ordering::Relaxed));
    assert_eq!(instances(), 1);
    drop(module);
    assert_eq!(instances(), 0);
}

/// A display by its interfaces.
#[derive(Debug)]
pub struct Screen(Context);

#[driver(
    id = "screen",
    name = "Display",
    implements(Powerable, Muteable, "Shiny")
)]
impl Screen {
    async fn start(context: Context) -> Result<Self, Error> {
        Ok(Self(context))
    }

    /// Brings back all, in a way of its own.
    pub async fn unmute(&self) -> String {
        "own".to_owned()
    }
}

impl Powerable for Screen {
    async fn power(&self, state: bool) -> Result<(), Error> {
        self.0.set(&Self::POWER, &state);
        Ok(())
    }
}

impl Muteable for Screen {
    async fn mute(&self, state: bool, _index: Part, layer: MuteLayer) -> Result<(), Error> {
        info!(self.0, "{state} {layer:?}");
        Ok(())
    }
}

#[test]
fn an_interface_brings_its_functions_its_statuses_and_its_name() {
    let interface = (Screen::DEFINITION.interface)();
    assert_eq!(interface.implements, ["Shiny", "Powerable", "Muteable"]);
    let functions: Vec<&str> = interface.functions.keys().map(|it| it.as_str()).collect();
    let expect = [
        "unmute",
        "power",
        "power_state",
        "mute",
        "mute_audio",
        "unmute_audio",
        "mute_video",
        "unmute_video",
    ];
    assert_eq!(functions, expect);
    let own = &interface.functions["unmute"];
    assert_eq!(own.description, "Brings back all, in a way of its own.");
    let statuses: Vec<_> = interface
        .statuses
        .iter()
        .map(|(name, status)| (name.as_str(), status.schema.as_str()))
        .collect();
    let boolean = r#"{"type":"boolean","title":"Bool"}"#;
    let expect = ["power", "audio_mute", "video_mute"].map(|name| (name, boolean));
    assert_eq!(statuses, expect);
}

#[tokio::test]
async fn functions_of_an_interface_are_called_as_the_drivers_own() {
    let module = Module::start(&Screen::DEFINITION, ()).await.unwrap();
    check(&module, "power_state", r#"["On"]"#, "null").await;
    module.wait(&Screen::POWER, &true).await;
    check(&module, "unmute", "[]", r#""own""#).await;
    check(&module, "unmute_audio", "[]", "null").await;
    let line = Line {
        level: LogLevel::Info,
        message: "false Audio".to_owned(),
    };
    assert_eq!(module.lines(), [line]);
    check(
        &module,
        "mute",
        r#"{"layer": "Smell"}"#,
        "argument 'layer' of 'mute': expected one of `Audio`, `audio`, `Video`, `video`, `AudioVideo`, `audio_video`",
    )
    .await;
}

#[test]
fn statuses_are_in_the_interface() {
    let interface = (Lamp::DEFINITION.interface)();
    let statuses: Vec<_> = interface
        .statuses
        .iter()
        .map(|(name, status)| (name.as_str(), status.description.as_str()))
        .collect();
    let expect = [
        ("power", "Whether it is on."),
        ("turn", "How often it came round."),
    ];
    assert_eq!(statuses, expect);
    assert!(Status::<u8>::named("a\nb").is_err());
}
