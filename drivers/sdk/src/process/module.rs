//! The one module of a process: the gateway's requests carried out by an instance of the driver.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use driver_types::{
    CallResult, ChannelName, Followed, FunctionName, Interface, JsonText, LogLevel, ModuleCall,
    ModuleId, ModulePlace, ModuleSink, RequestFailed, StatusName, StatusRefused, SystemDescription,
    SystemRef,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, FuturesUnordered, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};

use super::outbox::Outbox;
use super::protocol::system::{self, CallModule, Describe, Described, Publish, Read, Value};
use super::protocol::{
    self, Call, Message, Returned, SettingsChanged, Start, Started, VERSION, code, request,
};
use super::requests::{self, Requests};
use crate::{Context, Definition, Error, Instance, Outcome, Spawn, reading, settings};

/// Requests that are carried out at a time, twice as many as the gateway has calls in flight. Past it a call is refused:
/// waiting in the pipe it would hold up the answers that the others may wait for.
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
                requests: Arc::new(Requests::new(Arc::clone(&outbox))),
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
                line = lines.recv() => {
                    let Some(line) = line else {
                        return Ended::InGoodOrder;
                    };
                    working.extend(self.take(&line, working.len()));
                }
            }
        }
    }

    /// Begins what a line asks for, beside so many requests, or takes what it tells. What is no message is passed over: riser sends none.
    fn take(&mut self, line: &[u8], under_way: usize) -> Option<Work> {
        let message = Message::read(line)?;
        let params = message.params.map_or("{}", RawValue::get);
        let requests = &self.sink.requests;
        let (id, method) = match (message.id, message.method) {
            (Some(id), Some(method)) => (id.to_owned(), method),
            (None, Some(method)) => {
                requests.notified(&method, params);
                return None;
            }
            (Some(id), None) => {
                let result = message
                    .result
                    .map_or_else(JsonText::null, JsonText::from_raw);
                let answer = message.error.map_or(Ok(result), Err);
                requests.answered(number(id)?, answer);
                return None;
            }
            // A message has one of them.
            (None, None) => return None,
        };
        let begun = match &*method {
            request::CALL if under_way >= REQUESTS_MAX => {
                let message =
                    format!("the module works on {REQUESTS_MAX} calls; this one did not run");
                Err(Error::new(message).with_code(RequestFailed::BUSY))
            }
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
        let (number, id, panic_id) = (number(id), id.to_owned(), id.to_owned());
        let calling = async move {
            let result = instance.call(&function, &call.arguments);
            let result = match number {
                Some(number) => requests::within(number, result).await,
                None => result.await,
            };
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

/// The id of a request as a number, which all of the gateway's are, and this side's too.
fn number(id: &RawValue) -> Option<u64> {
    serde_json::from_str(id.get()).ok()
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

/// Takes what the module says, and asks for it.
struct Sink {
    requests: Arc<Requests>,
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

    fn describe_system(
        &self,
        system: &SystemRef,
    ) -> BoxFuture<'static, Result<SystemDescription, RequestFailed>> {
        let method = system::request::DESCRIBE_SYSTEM;
        let answer = self
            .requests
            .ask::<Described>(method, Describe::from(system));
        Box::pin(async move {
            answer.await?.try_into().map_err(|invalid| {
                let why = format!("the gateway's description cannot be used: {invalid}");
                RequestFailed::new(Error::DEFAULT_CODE, why)
            })
        })
    }

    fn read_status(
        &self,
        module: &ModulePlace,
        status: &StatusName,
    ) -> BoxFuture<'static, Result<Option<JsonText>, RequestFailed>> {
        let params = Read {
            module: module.into(),
            status: status.as_str().to_owned(),
        };
        let method = system::request::READ_STATUS;
        let answer = self.requests.ask::<Value>(method, params);
        Box::pin(async move {
            let Value { value } = answer.await?;
            Ok((!value.is_null()).then_some(value))
        })
    }

    fn call_module(
        &self,
        call: ModuleCall,
    ) -> BoxFuture<'static, Result<CallResult, RequestFailed>> {
        let params = CallModule {
            module: (&call.module).into(),
            function: call.function.as_str().to_owned(),
            arguments: call.arguments,
            // The gateway keeps the chain of each call that it made.
            call: requests::call(),
        };
        let method = system::request::CALL_MODULE;
        let answer = self.requests.ask::<Returned>(method, params);
        Box::pin(async move {
            let Returned { value, code } = answer.await?;
            Ok(CallResult { value, code })
        })
    }

    fn follow(&self, what: Followed) -> Result<BoxStream<'static, JsonText>, RequestFailed> {
        self.requests.follow(&what)
    }

    fn publish(&self, channel: &ChannelName, message: JsonText) -> Result<(), RequestFailed> {
        let channel = channel.as_str().to_owned();
        let params = Publish { channel, message };
        self.requests.tell(system::request::PUBLISH, params)
    }
}
