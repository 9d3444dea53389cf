//! The driver `virtual`: a soft module whose statuses and behaviour clients choose.
//!
//! Apps use it for values that no device has, tests and demos use it to make a module do anything: publish fast, answer late, fail, crash.

mod number;
mod reporter;

use std::num::NonZeroU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver_sdk::{Context, Error, JsonText, LogLevel, Status, driver, settings, warn};

use crate::number::Number;
use crate::reporter::Reporter;

/// The longest burst: about ten seconds of publishing, so that no caller keeps the module busy for ever.
const BURST_MAX: u64 = 10_000_000;

/// How many values of a burst are published before others on the same thread have their turn: some tens of microseconds.
const BURST_TURN: u64 = 64;

/// The longest sleep, a day: each holds one of the module's calls in flight.
const SLEEP_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A soft module.
#[derive(Debug)]
pub struct Virtual {
    context: Context,
    /// Held while a status is written, so that an increment on one thread does not undo a write on another.
    writing: Mutex<()>,
    /// Who is told what the module does.
    reporter: Option<Reporter>,
    /// How often that is told by itself.
    beat: Option<Duration>,
}

/// What the building file may say about a soft module. What else is there is the apps' own.
#[settings(open)]
struct Settings {
    /// Where each thing that the module does is told, as `tcp://HOST:PORT`, before it is done.
    report: Option<String>,
    /// After how many milliseconds it tells again that it runs.
    beat: Option<NonZeroU64>,
}

/// A module without a device: clients set its statuses and choose what its calls do.
#[driver(id = "virtual", name = "Virtual", uri(optional))]
impl Virtual {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        let Settings { report, beat } = settings;
        let reporter = match report {
            Some(uri) => {
                let reporter = Reporter::new(context.module().clone(), &uri)?;
                reporter.say("start").await?;
                Some(reporter)
            }
            None => None,
        };
        context.set_connected(true);
        Ok(Self {
            context,
            writing: Mutex::default(),
            beat: beat.map(|beat| Duration::from_millis(beat.get())),
            reporter,
        })
    }

    async fn stop(&self) {
        if let Err(error) = self.report("stop").await {
            warn!(self.context, "{error}");
        }
    }

    /// Publishes any JSON value as a status. `null` removes the status.
    pub async fn set(&self, name: String, value: JsonText) -> Result<(), Error> {
        self.report("set").await?;
        let _writing = self.writing();
        self.context.try_set(&Status::named(&name)?, &value)
    }

    /// Removes a status.
    pub async fn remove(&self, name: String) -> Result<(), Error> {
        self.report("remove").await?;
        let _writing = self.writing();
        self.context.remove(&Status::<JsonText>::named(&name)?);
        Ok(())
    }

    /// Publishes a status again although it has not changed.
    pub async fn signal(&self, name: String) -> Result<(), Error> {
        self.report("signal").await?;
        self.context.signal(&Status::<JsonText>::named(&name)?);
        Ok(())
    }

    /// Gives the value of a status, `null` without one.
    pub async fn get(&self, name: String) -> Result<Option<JsonText>, Error> {
        self.context.try_get(&Status::named(&name)?)
    }

    /// Gives the value back.
    pub async fn echo(&self, value: JsonText) -> JsonText {
        value
    }

    /// Adds to a status that is a number and gives the sum. A status that is not there counts as 0.
    pub async fn increment(
        &self,
        name: String,
        #[default(Number::Whole(1))] by: Number,
    ) -> Result<Number, Error> {
        self.report("increment").await?;
        let _writing = self.writing();
        let status = Status::named(&name)?;
        let now = self.context.try_get(&status)?.unwrap_or(Number::Whole(0));
        let sum = now.plus(by).ok_or_else(|| {
            Error::new(format_args!("the status '{name}' cannot grow any further"))
        })?;
        self.context.try_set(&status, &sum)?;
        Ok(sum)
    }

    /// Publishes 1, 2, 3 … up to the count as fast as it can.
    pub async fn burst(&self, name: String, count: u64) -> Result<(), Error> {
        if count > BURST_MAX {
            return Err(Error::new(format_args!(
                "a burst has at most {BURST_MAX} values"
            )));
        }
        self.report("burst").await?;
        let status = Status::named(&name)?;
        for value in 1..=count {
            {
                let _writing = self.writing();
                self.context.try_set(&status, &value)?;
            }
            if value % BURST_TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Answers after this time.
    pub async fn sleep(&self, milliseconds: u64) -> Result<(), Error> {
        let time = Duration::from_millis(milliseconds);
        if time > SLEEP_MAX {
            return Err(Error::new(format_args!(
                "a sleep has at most {} milliseconds",
                SLEEP_MAX.as_millis()
            )));
        }
        tokio::time::sleep(time).await;
        Ok(())
    }

    /// Fails with this message.
    pub async fn fail(&self, message: String) -> Result<(), Error> {
        Err(Error::new(message))
    }

    /// Panics, as a driver with a mistake in it does.
    pub async fn crash(&self) {
        panic!("crash was called");
    }

    /// Writes a log line.
    pub async fn log(&self, level: LogLevel, message: String) {
        self.context.log(level, || message);
    }

    /// Does nothing, for support staff and administrators.
    #[support]
    pub async fn support_only(&self) {}

    /// Does nothing, for administrators.
    #[admin]
    pub async fn admin_only(&self) {}

    #[every(self.beat)]
    async fn beat(&self) -> Result<(), Error> {
        self.report("beat").await
    }

    /// Tells what is about to be done, where the settings ask for it.
    async fn report(&self, what: &str) -> Result<(), Error> {
        match &self.reporter {
            Some(reporter) => reporter.say(what).await,
            None => Ok(()),
        }
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use driver_sdk::Clearance;
    use driver_sdk::serde_json::json;
    use driver_sdk::testkit::{Line, Module};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn start() -> Module {
        Module::start(&Virtual::DEFINITION, ()).await.unwrap()
    }

    fn named(name: &'static str) -> Status<JsonText> {
        Status::new(name)
    }

    fn json_text(text: &str) -> JsonText {
        JsonText::parse(text).unwrap()
    }

    /// Calls a function and checks the result's text, or the error's.
    async fn check(module: &Module, function: &str, arguments: &str, expect: &str) {
        let json = JsonText::parse(arguments).unwrap();
        let answer = match module.call(function, json).await {
            Ok(outcome) => outcome.value.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(answer, expect, "{function}{arguments}");
    }

    #[tokio::test]
    async fn a_new_module_is_connected() {
        start().await.wait_connected(true).await;
    }

    #[tokio::test]
    async fn a_status_is_set_removed_and_read() {
        let module = start().await;
        check(&module, "get", r#"["scene"]"#, "null").await;
        check(&module, "set", r#"["scene", "lecture"]"#, "null").await;
        module
            .wait(&named("scene"), &json_text(r#""lecture""#))
            .await;
        check(&module, "get", r#"{"name": "scene"}"#, r#""lecture""#).await;
        check(&module, "set", r#"["scene", null]"#, "null").await;
        module.wait_removed(&named("scene")).await;
        check(&module, "set", r#"["scene", 1]"#, "null").await;
        check(&module, "remove", r#"["scene"]"#, "null").await;
        module.wait_removed(&named("scene")).await;
    }

    #[tokio::test]
    async fn json_stays_byte_for_byte() {
        let module = start().await;
        let value = r#"{"b":1.0, "a" : "\u0041", "b":[ 12345678901234567890123 ]}"#;
        check(&module, "echo", &format!("[ {value} ]"), value).await;
        check(&module, "set", &format!(r#"["raw",{value}]"#), "null").await;
        assert_eq!(module.status(&named("raw")), Some(json_text(value)));
        check(&module, "get", r#"["raw"]"#, value).await;
    }

    #[tokio::test]
    async fn very_deep_json_is_carried() {
        let module = start().await;
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        check(&module, "echo", &format!("[{deep}]"), &deep).await;
        check(&module, "set", &format!(r#"["deep",{deep}]"#), "null").await;
        assert_eq!(module.status(&named("deep")), Some(json_text(&deep)));
    }

    #[tokio::test]
    async fn a_signal_publishes_what_has_not_changed() {
        let module = start().await;
        check(&module, "set", r#"["scene", 1]"#, "null").await;
        check(&module, "set", r#"["scene", 1]"#, "null").await;
        check(&module, "signal", r#"["scene"]"#, "null").await;
        check(&module, "signal", r#"["nothing"]"#, "null").await;
        assert_eq!(published(&module, "scene"), ["1", "1"]);
    }

    #[tokio::test]
    async fn increment_counts_and_keeps_whole_numbers_whole() {
        let module = start().await;
        check(&module, "increment", r#"["visits"]"#, "1").await;
        check(&module, "increment", r#"["visits", 41]"#, "42").await;
        check(&module, "increment", r#"["visits", -43]"#, "-1").await;
        check(&module, "increment", r#"["visits", 0.5]"#, "-0.5").await;
        module.wait(&named("visits"), &json_text("-0.5")).await;
    }

    #[tokio::test]
    async fn increment_refuses_what_cannot_grow() {
        let module = start().await;
        check(&module, "set", r#"["scene", "lecture"]"#, "null").await;
        let expect = "the status 'scene': expected a number";
        check(&module, "increment", r#"["scene"]"#, expect).await;
        check(&module, "set", r#"["visits", 9223372036854775807]"#, "null").await;
        let expect = "the status 'visits' cannot grow any further";
        check(&module, "increment", r#"["visits"]"#, expect).await;
        let expect = "argument 'by' of 'increment': expected a number";
        check(&module, "increment", r#"["visits", "2"]"#, expect).await;
    }

    #[tokio::test]
    async fn increment_past_64_bits_is_refused_and_changes_nothing() {
        let module = start().await;
        for large in ["9223372036854775808", "1180591620717411303424"] {
            check(&module, "set", &format!(r#"["n", {large}]"#), "null").await;
            let expect = "the status 'n': expected a whole number from -9223372036854775808 to 9223372036854775807, or one with a point";
            check(&module, "increment", r#"["n"]"#, expect).await;
            check(&module, "get", r#"["n"]"#, large).await;
        }
        check(&module, "set", r#"["n", 9007199254740993]"#, "null").await;
        let expect = "the status 'n' cannot grow any further";
        check(&module, "increment", r#"["n", 0.5]"#, expect).await;
        check(&module, "increment", r#"["n"]"#, "9007199254740994").await;
    }

    #[tokio::test]
    async fn a_whole_number_with_a_point_is_taken_where_one_is_read() {
        let module = start().await;
        check(&module, "burst", r#"["n", 3.0]"#, "null").await;
        module.wait(&named("n"), &json_text("3")).await;
        check(&module, "burst", r#"{"name": "n", "count": 2e0}"#, "null").await;
        module.wait(&named("n"), &json_text("2")).await;
        let expect =
            "argument 'count' of 'burst': expected a whole number from 0 to 18446744073709551615";
        for count in ["1.5", "18446744073709551616", "18446744073709551616.0"] {
            check(&module, "burst", &format!(r#"["n", {count}]"#), expect).await;
        }
        let settings = Module::start(&Virtual::DEFINITION, json!({"beat": 60000.0})).await;
        assert!(settings.is_ok());
    }

    #[tokio::test]
    async fn a_burst_publishes_each_number_once_and_in_order() {
        let module = start().await;
        check(&module, "burst", r#"["n", 1000]"#, "null").await;
        let expect: Vec<String> = (1..=1000).map(|n| n.to_string()).collect();
        assert_eq!(published(&module, "n"), expect);
    }

    #[tokio::test]
    async fn a_burst_leaves_time_for_other_calls() {
        let module = start().await;
        let burst = module.call("burst", ("n", 100_000));
        tokio::select! {
            biased;
            _ = burst => panic!("the burst did not give way"),
            answer = module.call("get", ("n",)) => {
                assert_eq!(answer.unwrap().value.as_str(), "64");
            }
        }
    }

    #[tokio::test]
    async fn what_would_never_end_is_refused() {
        let module = start().await;
        let expect = "a burst has at most 10000000 values";
        check(&module, "burst", r#"["n", 10000001]"#, expect).await;
        let expect = "a sleep has at most 86400000 milliseconds";
        check(&module, "sleep", "[86400001]", expect).await;
        let expect = "argument 'milliseconds' of 'sleep': expected a whole number from 0 to 18446744073709551615";
        check(&module, "sleep", "[-1]", expect).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_answers_after_its_time() {
        let module = start().await;
        let asleep = tokio::time::Instant::now();
        check(&module, "sleep", "[1500]", "null").await;
        assert_eq!(asleep.elapsed(), Duration::from_millis(1500));
    }

    #[tokio::test]
    async fn it_fails_and_crashes_on_demand() {
        let module = start().await;
        check(&module, "fail", r#"["out of paper"]"#, "out of paper").await;
        check(&module, "crash", "[]", "panicked: crash was called").await;
    }

    #[tokio::test]
    async fn it_logs_at_every_level_by_name() {
        let module = start().await;
        check(&module, "log", r#"["notice", "hello"]"#, "null").await;
        let line = Line {
            level: LogLevel::Notice,
            message: "hello".to_owned(),
        };
        assert_eq!(module.lines(), [line]);
    }

    #[test]
    fn the_restricted_functions_say_so() {
        let interface = (Virtual::DEFINITION.interface)();
        let restricted: Vec<_> = interface
            .functions
            .iter()
            .filter(|(_, function)| function.clearance > Clearance::User)
            .map(|(name, function)| (name.as_str(), function.clearance))
            .collect();
        let expect = [
            ("support_only", Clearance::Support),
            ("admin_only", Clearance::Admin),
        ];
        assert_eq!(restricted, expect);
    }

    #[tokio::test]
    async fn what_it_does_is_reported_and_waits_for_the_answer() {
        let (report, listener) = listener().await;
        let settings = json!({"report": report, "beat": 1});
        let mut taken = Vec::new();
        let take = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            while !taken.ends_with(&["beat".to_owned(), "beat".to_owned()]) {
                taken.push(take_report(&mut stream).await);
                stream.write_all(b"ok\n").await.unwrap();
            }
            stream
        };
        let start = Module::start(&Virtual::DEFINITION, settings);
        let (module, mut stream) = tokio::join!(start, take);
        let module = module.unwrap();
        assert_eq!(taken[0], "start");

        let set = module.call("set", ("power", true));
        let answer = async {
            while take_report(&mut stream).await != "set" {
                stream.write_all(b"ok\n").await.unwrap();
            }
            assert_eq!(
                module.status(&named("power")),
                None,
                "set before it was taken"
            );
            stream.write_all(b"no\n").await.unwrap();
        };
        let (refused, ()) = tokio::join!(set, answer);
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("was not taken"), "{error}");
        assert_eq!(module.status(&named("power")), None);
    }

    #[tokio::test]
    async fn a_module_that_cannot_report_does_not_start() {
        let (report, listener) = listener().await;
        drop(listener);
        for report in [report.as_str(), "127.0.0.1:9000"] {
            let settings = json!({"report": report});
            let started = Module::start(&Virtual::DEFINITION, settings).await;
            assert!(started.is_err(), "{report}");
        }
    }

    /// A place to report to, and its address.
    async fn listener() -> (String, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (format!("tcp://{address}"), listener)
    }

    /// What the next report says is done.
    async fn take_report(stream: &mut BufReader<TcpStream>) -> String {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let head = format!(
            r#"{{"process":{},"module":"mod-test","what":""#,
            std::process::id()
        );
        let what = line.trim_end().strip_prefix(&head).unwrap();
        what.strip_suffix(r#""}"#).unwrap().to_owned()
    }

    fn published(module: &Module, name: &str) -> Vec<String> {
        let publications = module.publications().into_iter();
        publications
            .filter(|publication| publication.name == name)
            .map(|publication| publication.value.unwrap_or_default())
            .collect()
    }
}
