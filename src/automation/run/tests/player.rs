//! Drives runs for tests: answers what they want, and writes it down.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::automation::run::{Answer, Around, Failure, Goal, Procedures, Progress, Run, Want};
use crate::automation::{Bounds, Program};
use crate::expressions::{Refusal, Value, Windows};
use crate::model::{Collection, JsonText, Procedure, ProcedureId, Value as Content, Values};

pub(super) fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

/// A procedure with these parameters, apart by spaces, and these steps.
pub(super) fn procedure(parameters: &str, steps: &str) -> Arc<Program> {
    let parameters = parameters
        .split_whitespace()
        .map(|name| name.to_owned().into());
    let values = Values::none()
        .with("id", Content::Text("main".into()))
        .with("parameters", Content::Texts(parameters.collect()))
        .with("steps", Content::Json(steps.to_owned().into()));
    let procedure = Procedure::build(values).unwrap();
    Arc::new(Program::of_procedure(&procedure).unwrap())
}

/// Answers what a run wants, and writes it down.
pub(super) struct Player {
    pub(super) procedures: BTreeMap<&'static str, Arc<Program>>,
    pub(super) now: Duration,
    /// What was wanted, each with the moment in milliseconds.
    pub(super) seen: Vec<String>,
    pub(super) open: VecDeque<Want>,
    pub(super) turns: usize,
}

impl Procedures for BTreeMap<&'static str, Arc<Program>> {
    fn find(&self, id: &ProcedureId) -> Option<Arc<Program>> {
        self.get(id.as_str()).cloned()
    }
}

impl Windows for Player {
    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, Refusal> {
        match (function, arguments) {
            ("status", [Value::Text(path)]) if path.contains("hidden") => {
                Err(Refusal("you may not see it".to_owned()))
            }
            ("status", [Value::Text(path)]) => Ok(Value::from(format!("at {path}"))),
            _ => Ok(Value::from(u64::try_from(self.now.as_millis()).unwrap())),
        }
    }
}

impl Player {
    pub(super) fn new() -> Self {
        Self {
            procedures: BTreeMap::new(),
            now: Duration::from_secs(1000),
            seen: Vec::new(),
            open: VecDeque::new(),
            turns: 0,
        }
    }

    pub(super) fn with(mut self, id: &'static str, parameters: &str, steps: &str) -> Self {
        self.procedures.insert(id, procedure(parameters, steps));
        self
    }

    pub(super) fn around(&self) -> Around<'_> {
        Around {
            windows: self,
            procedures: &self.procedures,
            now: self.now,
        }
    }

    pub(super) fn begin(&self, main: &Program, args: Option<&str>) -> Result<Run, Failure> {
        let (args, event) = (args.map(json), Value::of_json(&json(r#"{"hook":"h"}"#)));
        Run::new(main, args.as_ref(), event, Bounds::default(), self.now)
    }

    /// Drives a run to its end.
    pub(super) fn play(&mut self, run: &mut Run) -> Result<JsonText, Failure> {
        let mut progress = run.go(&self.around());
        loop {
            self.turns += 1;
            progress = match progress {
                Progress::Done(result) => return result,
                Progress::Goes(wants) => {
                    self.note(wants);
                    run.go(&self.around())
                }
                Progress::Waits(wants) => {
                    self.note(wants);
                    let want = self
                        .open
                        .pop_front()
                        .expect("a run that waits wants something");
                    let answer = self.answer_to(&want.goal);
                    run.answer(want.id, answer, &self.around())
                }
            };
        }
    }

    fn note(&mut self, wants: Vec<Want>) {
        for want in wants {
            let text = match &want.goal {
                Goal::Call { path, args } => {
                    let args = args.as_ref().map_or("nothing", JsonText::as_str);
                    format!("{path} {args}")
                }
                Goal::Wait(span) => format!("wait {}", span.as_millis()),
                Goal::Publish { name, data } => format!("publish {name} {data}"),
                Goal::Notify(notice) => format!(
                    "notify {}: {} {:?} {:?} {}",
                    notice.service, notice.message, notice.title, notice.link, notice.level
                ),
            };
            self.seen.push(text);
            self.open.push_back(want);
        }
    }

    /// A function `fail` fails, another has its name as its result.
    pub(super) fn answer_to(&mut self, goal: &Goal) -> Answer {
        match goal {
            Goal::Call { path, .. } => {
                let function = path.target().function.as_str();
                match function {
                    "fail" => Err("it is off".to_owned()),
                    _ => Ok(JsonText::of(function).unwrap()),
                }
            }
            Goal::Wait(span) => {
                self.now += *span;
                Ok(JsonText::null())
            }
            Goal::Publish { .. } | Goal::Notify(_) => Ok(JsonText::null()),
        }
    }

    pub(super) fn run(
        &mut self,
        parameters: &str,
        steps: &str,
        args: Option<&str>,
    ) -> Result<String, String> {
        let main = procedure(parameters, steps);
        let result = self
            .begin(&main, args)
            .and_then(|mut run| self.play(&mut run));
        match result {
            Ok(json) => Ok(json.as_str().to_owned()),
            Err(failure) => Err(failure.to_string()),
        }
    }
}
