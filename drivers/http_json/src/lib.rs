//! The driver `http_json`: any device with an HTTP API of JSON.
//!
//! The building file says which paths are read for which statuses, and which requests callers can send by which name.
//! The transport keeps the connection, the credentials and the bounds; how a value gets into a path is in `path`.

mod path;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use driver_sdk::transport::{Command, Device, REFUSED, Request, Response};
use driver_sdk::{Context, Error, JsonPointer, JsonText, StatusKey, TemplateValues, driver};

use crate::path::FixedPath;
use crate::settings::{Exchange, Settings, Source};

/// The response code of a call of a command that is not there, as for functions.
const NO_COMMAND: u16 = 404;

/// As much of a name that a caller chose as an error repeats.
const NAME_SHOWN_CHARS: usize = 100;

/// A device with an HTTP API.
pub struct HttpJson {
    device: Device<Request, Response>,
    commands: BTreeMap<String, Exchange>,
}

/// Any device with an HTTP API of JSON. The building file says what is read and what is sent.
#[driver(id = "http_json", name = "Device", uri(needed, "http", "https"))]
impl HttpJson {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        let link = settings.link(context.uri().unwrap_or_default())?;
        let readings = Arc::new(Readings::new(settings.statuses));
        let device =
            Device::over(&context, link).poll(settings.poll_seconds.duration(), move |device| {
                let (context, readings) = (context.clone(), Arc::clone(&readings));
                async move { readings.read(&context, &device).await }
            });
        Ok(Self {
            device: device.start(),
            commands: settings.commands,
        })
    }

    /// Sends a command of the building file with these values in its places, and gives what the device answered: `null` if that is no JSON.
    pub async fn send(
        &self,
        command: String,
        #[default(TemplateValues::default())] arguments: TemplateValues,
    ) -> Result<JsonText, Error> {
        let exchange = self.commands.get(&command);
        let exchange = exchange.ok_or_else(|| self.no_such_command(&command))?;
        let request = exchange.request(&arguments)?;
        // Devices do things by whatever verb, so none is sent a second time.
        let once = Command::from(request).idempotent(0);
        let answer = self.device.ask(once).await?.body()?;
        Ok(json_of(&answer.text()).unwrap_or_else(JsonText::null))
    }

    fn no_such_command(&self, name: &str) -> Error {
        let name: String = name.chars().take(NAME_SHOWN_CHARS).collect();
        let known: Vec<&str> = self.commands.keys().map(String::as_str).collect();
        let message = match known.as_slice() {
            [] => format!("there is no command '{name}': the module's settings have none"),
            known => format!(
                "there is no command '{name}'; expected one of `{}`",
                known.join("`, `")
            ),
        };
        Error::new(message).with_code(NO_COMMAND)
    }
}

impl fmt::Debug for HttpJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpJson").finish_non_exhaustive()
    }
}

/// The statuses by the path that they are read from, so that each path is asked for once.
struct Readings(BTreeMap<FixedPath, Vec<(StatusKey, JsonPointer)>>);

impl Readings {
    fn new(statuses: BTreeMap<StatusKey, Source>) -> Self {
        let mut paths: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, Source { get, pointer }) in statuses {
            paths.entry(get).or_default().push((name, pointer));
        }
        Self(paths)
    }

    /// Reads all statuses. A path that is refused leaves its statuses as they are and keeps none of the others from being read.
    async fn read(
        &self,
        context: &Context,
        device: &Device<Request, Response>,
    ) -> Result<(), Error> {
        if self.0.is_empty() {
            // Nothing is to be read, but calls need to know whether the device is there.
            let answer = device.ask(Request::get("")).await?;
            return admitted(answer).map(drop);
        }
        let mut failures = Vec::new();
        for (FixedPath(path), statuses) in &self.0 {
            let answer = admitted(device.ask(Request::get(path.as_str())).await?)?;
            let json = answer.body().and_then(|body| {
                json_of(&body.text()).ok_or_else(|| Error::new("the answer is no JSON"))
            });
            match json {
                Ok(json) => publish(context, statuses, &json),
                Err(error) => failures.push(in_words(statuses, &error)),
            }
        }
        match failures.is_empty() {
            true => Ok(()),
            false => Err(Error::new(failures.join("; "))),
        }
    }
}

fn publish(context: &Context, statuses: &[(StatusKey, JsonPointer)], json: &JsonText) {
    for (name, pointer) in statuses {
        let value = pointer.find(json).unwrap_or_else(JsonText::null);
        context.set(&name.status(), &value);
    }
}

/// What could not be read, without its path: some devices take their password in it.
fn in_words(statuses: &[(StatusKey, JsonPointer)], error: &Error) -> String {
    let names: Vec<&str> = statuses.iter().map(|(name, _)| name.as_str()).collect();
    format!("'{}' could not be read: {error}", names.join("', '"))
}

/// Refuses an answer that says the credentials are wrong: that concerns the device, and not one path.
fn admitted(answer: Response) -> Result<Response, Error> {
    match answer.status() {
        REFUSED => Err(Error::new(
            "it answers 401; `username` and `password`, or `token`, are not what it expects",
        )
        .with_code(REFUSED)),
        _ => Ok(answer),
    }
}

/// A text as JSON, if it is. Some servers put a byte order mark in front of it.
fn json_of(text: &str) -> Option<JsonText> {
    JsonText::parse(text.trim_start_matches('\u{feff}')).ok()
}
