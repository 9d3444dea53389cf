//! A Radicale with a calendar, a foreign client of it, and the driver beside both.

use std::path::PathBuf;

use driver_bookings::Bookings;
use driver_sdk::testkit::Module;
use driver_sdk::{Error, JsonText, Status};
use serde_json::{Value, json};
use test_support::{
    Certificate, DEADLINE, Folder, Process, Stream, free_port, python_client, python_module,
};

/// Ten past nine on a Monday in Berlin. The module's clock goes on from here.
pub(crate) const NOW: &str = "2026-01-12T08:10:00Z";

/// A server with the calendar `/board/room/`.
pub(crate) struct Radicale {
    pub(crate) folder: Folder,
    pub(crate) port: u16,
    pub(crate) process: Process,
}

impl Radicale {
    /// One with an empty calendar, and a client of it.
    pub(crate) async fn start() -> (Self, Client) {
        let folder = Folder::new();
        let port = free_port();
        folder.write("users", "board:secret\n");
        folder.write("config", &config(&folder, port, ""));
        let process = Self::process(folder.path().join("config"), &folder).await;
        let server = Self {
            folder,
            port,
            process,
        };
        let mut client = Client::start(&server);
        client.ask(json!({"do": "make"})).await;
        (server, client)
    }

    /// One with TLS and an empty calendar. No client of it is needed: the calendar stands in its folder before it starts.
    pub(crate) async fn with_tls(certificate: &Certificate) -> Self {
        let folder = Folder::new();
        let port = free_port();
        folder.write("users", "board:secret\n");
        let calendar = folder.path().join("storage/collection-root/board/room");
        std::fs::create_dir_all(&calendar).unwrap();
        std::fs::write(calendar.join(".Radicale.props"), r#"{"tag": "VCALENDAR"}"#).unwrap();
        let chain = folder.write("chain.pem", &certificate.chain);
        let key = folder.write("key.pem", &certificate.key);
        let tls = format!(
            "ssl = True\ncertificate = {}\nkey = {}\n",
            chain.display(),
            key.display()
        );
        folder.write("config", &config(&folder, port, &tls));
        let process = Self::process(folder.path().join("config"), &folder).await;
        Self {
            folder,
            port,
            process,
        }
    }

    async fn process(config: PathBuf, folder: &Folder) -> Process {
        let mut command = python_module("radicale", "radicale");
        command.arg("--config").arg(config);
        let process = Process::start("Radicale", command, folder.path());
        process.logged("Radicale server ready", DEADLINE).await;
        process
    }

    /// Starts it again after its end, with what it had.
    pub(crate) async fn start_again(&mut self) {
        let config = self.folder.path().join("config");
        self.process = Self::process(config, &self.folder).await;
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/board/room/", self.port)
    }

    /// The driver on this calendar, once it is connected.
    pub(crate) async fn module(&self, poll_seconds: f64) -> Module {
        let module = begin(&self.uri(), settings(poll_seconds)).await.unwrap();
        module.wait_connected(true).await;
        module
    }
}

/// What Radicale is told: where it listens, and how, and where its users and calendars are.
fn config(folder: &Folder, port: u16, listening: &str) -> String {
    let at = |name| folder.path().join(name).display().to_string();
    let (users, storage) = (at("users"), at("storage"));
    format!(
        "[server]\nhosts = 127.0.0.1:{port}\n{listening}[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {storage}\n[logging]\nlevel = info\n"
    )
}

/// The library `caldav`.
pub(crate) struct Client(Process);

impl Client {
    fn start(server: &Radicale) -> Self {
        let url = format!("http://127.0.0.1:{}/", server.port);
        let mut command = python_client("radicale", "client.py");
        command.args([&url, "board", "secret", "room"]);
        Self(Process::start("client.py", command, server.folder.path()))
    }

    pub(crate) async fn ask(&mut self, request: Value) -> Value {
        self.0.tell(&request.to_string()).await;
        let line = self.0.next_line(Stream::Out, DEADLINE).await;
        let reply: Value = serde_json::from_str(&line.expect("the client answers")).unwrap();
        assert_eq!(reply.get("error"), None, "{request}");
        reply["answer"].clone()
    }

    pub(crate) async fn save(&mut self, text: &str) {
        self.ask(json!({"do": "save", "text": text})).await;
    }

    /// The iCalendar texts of all entries.
    pub(crate) async fn texts(&mut self) -> Vec<String> {
        let texts = self.ask(json!({"do": "texts"})).await;
        serde_json::from_value(texts).unwrap()
    }

    /// The titles and times of what is on between two moments, as the client expands it.
    pub(crate) async fn search(&mut self, start: &str, end: &str) -> Value {
        self.ask(json!({"do": "search", "start": start, "end": end}))
            .await
    }
}

/// The settings of the driver.
pub(crate) fn settings(poll_seconds: f64) -> Value {
    json!({
        "username": "board",
        "password": "secret",
        "poll_seconds": poll_seconds,
        "calendar_id": "board@example.test",
        "timezone": "Europe/Berlin",
        "room_name": "Board Room",
    })
}

/// The driver on a calendar that need not be there.
pub(crate) async fn begin(uri: &str, settings: Value) -> Result<Module, Error> {
    let plan = Module::of(&Bookings::DEFINITION).uri(uri).at(NOW);
    plan.start(settings).await
}

pub(crate) async fn call(
    module: &Module,
    function: &str,
    arguments: Value,
) -> Result<Value, Error> {
    let arguments = JsonText::of(&arguments)?;
    let outcome = module.call(function, arguments).await?;
    Ok(serde_json::from_str(outcome.value.as_str()).unwrap())
}

/// A status; `null` when it is not there.
pub(crate) fn status(module: &Module, name: &'static str) -> Value {
    module
        .status(&Status::<Value>::new(name))
        .unwrap_or_default()
}

/// Reads the calendar and gives the ids and times of its meetings, in universal time.
pub(crate) async fn meetings(module: &Module) -> Vec<String> {
    let events = call(module, "poll_events", json!([])).await.unwrap();
    assert_eq!(status(module, "bookings"), events);
    let time = |seconds: &Value| {
        let moment = jiff::Timestamp::from_second(seconds.as_i64().unwrap()).unwrap();
        moment.strftime("%d %H:%M").to_string()
    };
    let events = events.as_array().unwrap().iter();
    events
        .map(|event| {
            let (start, end) = (time(&event["event_start"]), time(&event["event_end"]));
            format!("{} {start} {end}", event["title"].as_str().unwrap())
        })
        .collect()
}

/// A moment in epoch seconds.
pub(crate) fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// An iCalendar text with one meeting.
pub(crate) fn event(uid: &str, title: &str, lines: &str) -> String {
    let text = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//other//EN\nBEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\nSUMMARY:{title}\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n"
    );
    text.replace('\n', "\r\n")
}
