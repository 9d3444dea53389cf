//! The room's calendar on a Radicale, and a foreign client that writes into it.
//!
//! It is separate because it is a server with a folder of its own; what the driver makes of a calendar is tested in its crate.

use driver_sdk::jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::harness::{DEADLINE, Folder, Process, Stream, python_client};
use test_support::python_module;

pub(super) const PASSWORD: &str = "calendar-secret";

/// A Radicale with the calendar `/board/room/`, which it keeps when it ends.
pub(super) struct Calendar {
    folder: Folder,
    port: u16,
    /// `None` while it is unplugged.
    server: Option<Process>,
    client: Option<Process>,
}

impl Calendar {
    /// One that is empty.
    pub(super) async fn start(port: u16) -> Self {
        let folder = Folder::new();
        folder.write("users", &format!("board:{PASSWORD}\n"));
        let config = format!(
            "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {storage}\n",
            users = folder.path().join("users").display(),
            storage = folder.path().join("storage").display(),
        );
        folder.write("config", &config);
        let mut calendar = Self {
            folder,
            port,
            server: None,
            client: None,
        };
        calendar.plug().await;
        calendar.ask(json!({"do": "make"})).await;
        calendar
    }

    pub(super) async fn plug(&mut self) {
        let mut command = python_module("radicale", "radicale");
        command
            .arg("--config")
            .arg(self.folder.path().join("config"));
        let server = Process::start("Radicale", command, self.folder.path());
        server.logged("Radicale server ready", DEADLINE).await;
        self.server = Some(server);
        let mut command = python_client("radicale", "client.py");
        let url = format!("http://127.0.0.1:{}/", self.port);
        command.args([&url, "board", PASSWORD, "room"]);
        let client = Process::start("a caldav client", command, self.folder.path());
        self.client = Some(client);
    }

    pub(super) async fn unplug(&mut self) {
        self.client = None;
        let mut server = self.server.take().expect("it is plugged in");
        server.signal("KILL").await;
        server.ended(DEADLINE).await;
    }

    /// Sends the server a signal by name, such as `STOP`.
    pub(super) async fn signal(&self, name: &str) {
        let server = self.server.as_ref().expect("it is plugged in");
        server.signal(name).await;
    }

    /// A foreign client books the room from ten minutes ago for an hour.
    pub(super) async fn book(&mut self, uid: &str, title: &str) {
        let now = Timestamp::now();
        let time = |moment: Timestamp| moment.strftime("%Y%m%dT%H%M%SZ").to_string();
        let (start, end) = (time(now - 10.minutes()), time(now + 50.minutes()));
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//other//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:{start}\r\nSUMMARY:{title}\r\nDTSTART:{start}\r\nDTEND:{end}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        self.ask(json!({"do": "save", "text": text})).await;
    }

    /// The foreign client takes a booking back.
    pub(super) async fn cancel(&mut self, uid: &str) {
        self.ask(json!({"do": "remove", "uid": uid})).await;
    }

    /// What the foreign client reads: the iCalendar texts of all entries.
    pub(super) async fn texts(&mut self) -> String {
        let texts = self.ask(json!({"do": "texts"})).await;
        texts.to_string()
    }

    async fn ask(&mut self, request: Value) -> Value {
        let client = self.client.as_mut().expect("it is plugged in");
        client.tell(&request.to_string()).await;
        let line = client.next_line(Stream::Out, DEADLINE).await;
        let line = line.expect("the client answers");
        let reply: Value = serde_json::from_str(&line).expect("the client answers in JSON");
        assert_eq!(reply.get("error"), None, "{request}");
        reply["answer"].clone()
    }
}
