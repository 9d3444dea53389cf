//! The one module of a process: the gateway's requests carried out by an instance of the driver.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use driver_types::{
    FunctionName, Interface, JsonText, LogLevel, ModuleId, ModuleSink, StatusName, StatusRefused,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};

use super::outbox::Outbox;
use super::protocol::{
    self, Call, Message, Returned, SettingsChanged, Start, Started, VERSION, code, request,
};
use crate::{Context, Definition, Error, Instance, Outcome, Spawn, reading, settings};

/// Requests that are carried out at a time, twice as many as the gateway has calls in flight. Further ones wait in the pipe.
const REQUESTS_MAX: usize = 512;

/// Statuses that the module keeps, as many as the gateway does.
const STATUSES_MAX: usize = 4_096;

/// Log lines below this level are not sent: the gateway shows none of them.
const LOWEST_LEVEL: LogLevel = LogLevel::Debug;

/// How the module came to its end.
pub(super) enum Ended {
    /// stdin has ended.
    InGoodOrder,
    /// The driver panicked, which the panic's own message on stderr says.
    Panicked,
}

/// A driver that serves one gateway.
pub(super) struct Served {
    definition: Definition,
    outbox: Arc<Outbox>,
    sink: Arc<Sink>,
    tasks: Arc<Tasks>,
    instance: Option<Arc<dyn Instance>>,
}

type Work = BoxFuture<'static, Done>;

/// What a request came to.
enum Done {
    Answered(String),
    Started(Box<RawValue>, Result<Arc<dyn Instance>, Error>),
    /// It panicked, which is answered like this.
    Panicked(String),
}

impl Served {
    pub(super) fn new(definition: Definition, outbox: Arc<Outbox>) -> Self {
        Self {
            definition,
            sink: Arc::new(Sink {
                outbox: Arc::clone(&outbox),
                values: Mutex::default(),
            }),
            tasks: Arc::new(Tasks {
                panicked: Arc::default(),
            }),
            outbox,
            instance: None,
        }
    }

    /// Carries out requests until stdin ends.
    pub(super) async fn serve(mut self, mut lines: mpsc::Receiver<Vec<u8>>) -> Ended {
        let panicked = Arc::clone(&self.tasks.panicked);
        let mut working: FuturesUnordered<Work> = FuturesUnordered::new();
        loop {
            // Each arm is cancel-safe.
            tokio::select! {
                () = panicked.notified() => return Ended::Panicked,
                Some(done) = working.next(), if !working.is_empty() => match done {
                    Done::Answered(line) => self.outbox.answer(line),
                    Done::Started(id, started) => self.started(&id, started),
                    Done::Panicked(line) => {
                        self.outbox.answer(line);
                        return Ended::Panicked;
                    }
                },
                line = lines.recv(), if working.len() < REQUESTS_MAX => {
                    let Some(line) = line else {
                        return Ended::InGoodOrder;
                    };
                    working.extend(self.take(&line));
                }
            }
        }
    }

    /// Begins what a line asks for. What is no request is passed over: riser sends none but those.
    fn take(&mut self, line: &[u8]) -> Option<Work> {
        let message = Message::read(line)?;
        let (id, method) = (message.id?.to_owned(), message.method?);
        let params = message.params.map_or("{}", RawValue::get);
        let begun = match &*method {
            request::START => self.start(&id, params),
            request::CALL => self.call(&id, params),
            request::SETTINGS_CHANGED => self.settings_changed(&id, params),
            request::PING => Ok(answered(protocol::answer(&id, ()))),
            request::STOP => Ok(self.stop(&id)),
            _ => {
                let message = format!("there is no method {:?}", reading::short(&method));
                let line = protocol::failure(&id, code::METHOD_NOT_FOUND, message);
                return Some(answered(line));
            }
        };
        Some(begun.unwrap_or_else(|error| answered(failed(&id, &error))))
    }

    fn start(&mut self, id: &RawValue, params: &str) -> Result<Work, Error> {
        let start: Start<'_> = params_of(params)?;
        if start.protocol != VERSION {
            return Err(Error::new(format_args!(
                "this driver speaks version {VERSION} of the protocol, and not {}; build it with the driver kit of this gateway",
                start.protocol
            )));
        }
        if self.instance.is_some() {
            return Err(Error::new("the module runs already"));
        }
        let module = ModuleId::new(&start.module)?;
        let configuration = &self.definition.configuration;
        let mistakes = configuration.check(start.uri.as_deref(), &start.settings);
        if !mistakes.is_empty() {
            let mistakes: Vec<String> = mistakes.iter().map(settings::in_words).collect();
            return Err(Error::new(format_args!(
                "the module's settings do not fit: {}",
                mistakes.join("; ")
            )));
        }
        let context = Context::new(
            module,
            start.uri.as_deref(),
            start.settings,
            Arc::clone(&self.sink) as Arc<dyn ModuleSink>,
            Arc::clone(&self.tasks) as Arc<dyn Spawn>,
        );
        let begin = self.definition.start;
        let (id, panic_id) = (id.to_owned(), id.to_owned());
        let starting = async move {
            let started = begin(context).await;
            Done::Started(id, started)
        };
        Ok(caught(panic_id, starting))
    }

    fn started(&mut self, id: &RawValue, started: Result<Arc<dyn Instance>, Error>) {
        let line = match started {
            Ok(instance) => {
                self.instance = Some(instance);
                let answer = Started {
                    description: self.definition.description.to_owned(),
                    interface: (&(self.definition.interface)()).into(),
                    on_settings_change: self.definition.configuration.on_change.into(),
                };
                protocol::answer(id, answer)
            }
            Err(error) => failed(id, &error),
        };
        self.outbox.answer(line);
    }

    fn call(&self, id: &RawValue, params: &str) -> Result<Work, Error> {
        let call: Call<'_> = params_of(params)?;
        let function = FunctionName::new(&call.function)?;
        let instance = Arc::clone(self.running()?);
        let (id, panic_id) = (id.to_owned(), id.to_owned());
        let calling = async move {
            let result = instance.call(&function, &call.arguments).await;
            let line = match result {
                Ok(Outcome { value, code }) => protocol::answer(&id, Returned { value, code }),
                Err(error) => failed(&id, &error),
            };
            Done::Answered(line)
        };
        Ok(caught(panic_id, calling))
    }

    fn settings_changed(&self, id: &RawValue, params: &str) -> Result<Work, Error> {
        let SettingsChanged { settings } = params_of(params)?;
        let instance = Arc::clone(self.running()?);
        let (id, panic_id) = (id.to_owned(), id.to_owned());
        let changing = async move {
            let line = match instance.settings_changed(&settings) {
                None => {
                    let error = Error::new("it has to be started again for other settings");
                    failed(&id, &error)
                }
                Some(changing) => match changing.await {
                    Ok(()) => protocol::answer(&id, ()),
                    Err(error) => failed(&id, &error),
                },
            };
            Done::Answered(line)
        };
        Ok(caught(panic_id, changing))
    }

    fn stop(&self, id: &RawValue) -> Work {
        let instance = self.instance.clone();
        let (id, panic_id) = (id.to_owned(), id.to_owned());
        let stopping = async move {
            if let Some(instance) = instance {
                instance.stop().await;
            }
            Done::Answered(protocol::answer(&id, ()))
        };
        caught(panic_id, stopping)
    }

    fn running(&self) -> Result<&Arc<dyn Instance>, Error> {
        let running = self.instance.as_ref();
        running.ok_or_else(|| Error::new("the module has not been started"))
    }
}

fn params_of<'a, T: Deserialize<'a>>(params: &'a str) -> Result<T, Error> {
    reading::cut(params)
}

fn answered(line: String) -> Work {
    Box::pin(std::future::ready(Done::Answered(line)))
}

fn failed(id: &RawValue, error: &Error) -> String {
    protocol::failure(id, i64::from(error.code()), error.message())
}

/// The same work, which ends the module in good order when it panics.
fn caught(id: Box<RawValue>, work: impl Future<Output = Done> + Send + 'static) -> Work {
    Box::pin(AssertUnwindSafe(work).catch_unwind().map(move |done| {
        done.unwrap_or_else(|_| {
            let error = Error::new("the driver crashed and is being restarted");
            Done::Panicked(failed(&id, &error))
        })
    }))
}

/// The tasks of the driver, which run beside its calls and end with the process.
struct Tasks {
    panicked: Arc<Notify>,
}

impl Spawn for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let panicked = Arc::clone(&self.panicked);
        drop(Handle::current().spawn(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                panicked.notify_one();
            }
        }));
    }
}

/// Takes what the module says.
struct Sink {
    outbox: Arc<Outbox>,
    values: Mutex<HashMap<StatusName, JsonText>>,
}

impl ModuleSink for Sink {
    fn set_status(&self, name: &StatusName, value: Option<JsonText>) -> Result<(), StatusRefused> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !values.contains_key(name);
        if is_new && value.is_some() && values.len() >= STATUSES_MAX {
            return Err(StatusRefused(format!(
                "the status '{name}' is one too many (a module keeps {STATUSES_MAX} statuses at most)"
            )));
        }
        if values.get(name) == value.as_ref() {
            return Ok(());
        }
        match &value {
            Some(value) => values.insert(name.clone(), value.clone()),
            None => values.remove(name),
        };
        // Under the lock: two threads that set one status must not be written in the other order.
        self.outbox
            .status(name, value.unwrap_or_else(JsonText::null));
        Ok(())
    }

    fn signal_status(&self, name: &StatusName) {
        self.outbox.signal(name);
    }

    fn status(&self, name: &StatusName) -> Option<JsonText> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(name).cloned()
    }

    fn wants_line(&self, level: LogLevel) -> bool {
        level >= LOWEST_LEVEL
    }

    fn line(&self, level: LogLevel, message: String) {
        self.outbox.line(level, &message);
    }

    fn interface_changed(&self, interface: Interface) {
        let offer: protocol::Offer = (&interface).into();
        let method = protocol::notification::INTERFACE;
        self.outbox.answer(protocol::notification(method, offer));
    }

    fn may_act(&self) -> bool {
        // The gateway ends the process of a module that may not.
        true
    }
}
