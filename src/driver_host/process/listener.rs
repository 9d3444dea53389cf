//! What a process says on its stdout, and what it leads to: answers, statuses, log lines, and requests about other modules.
//!
//! Nothing that it says is trusted: what is no message, or one that does not fit, is passed over with a warning.

use std::sync::Arc;

use driver_sdk::process::protocol::{
    self, LINE_MAX_BYTES, Line, Message, Offer, Signal, Status, code, notification, system,
};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::AsyncRead;

use super::limits::LOG_LINE_MAX_BYTES;
use super::lines::{Lines, LongLines, Read};
use super::log::{ModuleLog, shown};
use super::peer::Peer;
use super::requests::Requests;
use crate::driver_host::{CallScope, ModuleSink};
use crate::model::{Interface, InvalidId, JsonText, Misfit, StatusName};

/// Why nothing more is heard of a process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// It has closed its stdout, as it does when it ends.
    Closed,
    /// A line was too long; it says so in words.
    TooLong(String),
}

/// Hears one process.
pub(super) struct Listener {
    pub(super) peer: Arc<Peer>,
    pub(super) sink: Arc<dyn ModuleSink>,
    pub(super) log: Arc<ModuleLog>,
    /// What it asks about other modules.
    pub(super) requests: Requests,
    /// What the statuses are to be that came in the lines that are at hand: the latest value of each.
    pub(super) statuses: IndexMap<StatusName, Option<JsonText>>,
}

impl Listener {
    /// Takes what comes until stdout ends, and says why it did.
    pub(super) async fn run(mut self, stdout: impl AsyncRead + Unpin) -> Silence {
        let mut lines = Lines::new(stdout, LINE_MAX_BYTES, LongLines::Refused);
        loop {
            let read = lines.next().await;
            match read {
                Ok(Read::Line(line) | Read::CutLine(line)) => self.take(&line).await,
                Ok(Read::TooLong(line)) => {
                    self.publish();
                    return Silence::TooLong(format!(
                        "it wrote a line of more than {LINE_MAX_BYTES} bytes to stdout, which begins with {:?}",
                        shown(&line)
                    ));
                }
                Ok(Read::End) | Err(_) => {
                    self.publish();
                    return Silence::Closed;
                }
            }
            if lines.is_drained() {
                self.publish();
            }
        }
    }

    async fn take(&mut self, line: &[u8]) {
        let Some(message) = Message::read(line) else {
            if !line.trim_ascii().is_empty() {
                self.log.stray(line);
            }
            return;
        };
        let is_status = message.method.as_deref() == Some(notification::STATUS);
        if !is_status {
            // What was set before is published before.
            self.publish();
        }
        match (&message.method, message.id) {
            (Some(method), None) => self.notified(method, message.params),
            (Some(method), Some(id)) => {
                let params = message.params.map_or("{}", RawValue::get);
                if let Some(asked) = self.requests.read(method, params) {
                    self.requests.begin(id, asked, line.len()).await;
                    return;
                }
                let reason = format!("riser has no method {:?}", shown(method.as_bytes()));
                self.log.warn("request", || {
                    format!("the driver asked for what there is not: {reason}")
                });
                let line = || protocol::failure(id, code::METHOD_NOT_FOUND, reason);
                self.peer.say(line).await;
            }
            (None, Some(id)) => {
                let answer = match message.error {
                    Some(failure) => Err(failure),
                    None => Ok(message
                        .result
                        .map_or_else(JsonText::null, JsonText::from_raw)),
                };
                let is_known = serde_json::from_str(id.get())
                    .is_ok_and(|id: u64| self.peer.answered(id, answer));
                if !is_known {
                    self.log.warn("answer", || {
                        format!(
                            "the driver answered a request that riser did not make, {}",
                            shown(id.get().as_bytes())
                        )
                    });
                }
            }
            // A message has one of them.
            (None, None) => {}
        }
    }

    fn notified(&mut self, method: &str, params: Option<&RawValue>) {
        let params = params.map_or("{}", RawValue::get);
        let taken = match method {
            notification::STATUS => self.status(params),
            notification::SIGNAL => self.signal(params),
            notification::LOG => self.line(params),
            notification::INTERFACE => self.interface(params),
            system::notification::UNFOLLOW => self.requests.unfollow(params),
            _ => {
                self.log.warn("notification", || {
                    format!(
                        "the driver sent the notification {:?}, which riser does not know",
                        shown(method.as_bytes())
                    )
                });
                return;
            }
        };
        if let Err(reason) = taken {
            self.log.warn("params", || {
                format!("a notification {method:?} of the driver was passed over: {reason}")
            });
        }
    }

    fn status(&mut self, params: &str) -> Result<(), String> {
        let Status { name, value } = read(params)?;
        let name = named(&name)?;
        let value = (!value.is_null()).then_some(value);
        self.statuses.insert(name, value);
        Ok(())
    }

    /// Publishes what was set, as part of the call that the process carries out if there is one alone.
    fn publish(&mut self) {
        if self.statuses.is_empty() {
            return;
        }
        let Self {
            statuses,
            sink,
            log,
            peer,
            ..
        } = self;
        CallScope::within(peer.chain_of_only_call(), || {
            for (name, value) in statuses.drain(..) {
                if let Err(refused) = sink.set_status(&name, value) {
                    log.warn("refused", || {
                        format!("the status '{name}' was not published: {refused}")
                    });
                }
            }
        });
    }

    fn signal(&self, params: &str) -> Result<(), String> {
        let Signal { name } = read(params)?;
        let name = named(&name)?;
        CallScope::within(self.peer.chain_of_only_call(), || {
            self.sink.signal_status(&name);
        });
        Ok(())
    }

    fn line(&self, params: &str) -> Result<(), String> {
        let Line { level, message } = read(params)?;
        let mut message = message.into_owned();
        if message.len() > LOG_LINE_MAX_BYTES {
            let end = message.floor_char_boundary(LOG_LINE_MAX_BYTES);
            message.truncate(end);
            message.push('…');
        }
        self.log.line(level, message);
        Ok(())
    }

    fn interface(&self, params: &str) -> Result<(), String> {
        let offer: Offer = read(params)?;
        let interface: Result<Interface, InvalidId> = offer.try_into();
        let interface = interface.map_err(|error| error.to_string())?;
        self.sink.interface_changed(interface);
        Ok(())
    }
}

/// Takes the lines of stderr until it ends.
pub(super) async fn read_stderr(stderr: impl AsyncRead + Unpin, log: Arc<ModuleLog>) {
    let mut lines = Lines::new(stderr, LOG_LINE_MAX_BYTES, LongLines::Cut);
    loop {
        match lines.next().await {
            Ok(Read::Line(line)) => log.stderr(&line, false),
            Ok(Read::CutLine(line) | Read::TooLong(line)) => log.stderr(&line, true),
            Ok(Read::End) | Err(_) => return,
        }
    }
}

/// Reads what a driver sent. The error repeats nothing of it.
pub(super) fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|_| {
        // A second look, which keeps track of the place: it costs too much for what fits.
        let mut deserializer = serde_json::Deserializer::from_str(json);
        match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Err(error) => {
                let misfit = Misfit::of(error.inner());
                match error.path().to_string().as_str() {
                    "." | "" => misfit.to_string(),
                    path => format!("{}: {misfit}", shown(path.as_bytes())),
                }
            }
            Ok(_) => "not valid JSON".to_owned(),
        }
    })
}

fn named(name: &str) -> Result<StatusName, String> {
    StatusName::new(name).map_err(|error| error.to_string())
}
