//! Mosquitto, and a client of paho-mqtt that publishes and listens beside the module.

use driver_sdk::serde_json::{self, Value, json};
use test_support::{
    Certificate, DEADLINE, Folder, Process, Stream, free_port, python_client, within,
};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{Duration, sleep};

/// A user that the broker with a password file knows.
pub(crate) const USER: (&str, &str) = ("riser", "correct horse");

/// A Mosquitto with a folder of its own. It keeps nothing when it ends.
pub(crate) struct Broker {
    pub(crate) port: u16,
    /// The user and the password that its clients give, if any.
    login: &'static [&'static str],
    folder: Folder,
    pub(crate) process: Process,
}

/// Whom the broker lets in, and how.
#[derive(Clone, Copy)]
pub(crate) enum Door<'a> {
    Open,
    Password,
    Tls(&'a Certificate),
}

impl Broker {
    pub(crate) async fn start(door: Door<'_>) -> Self {
        Self::start_at(free_port(), door).await
    }

    pub(crate) async fn start_at(port: u16, door: Door<'_>) -> Self {
        let folder = Folder::new();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let mut login: &[&str] = &[];
        let more = match door {
            Door::Open => "allow_anonymous true\n".to_owned(),
            Door::Password => {
                let (user, password) = USER;
                let mut make = Command::new("mosquitto_passwd");
                make.args(["-b", "-c", &file("passwords"), user, password]);
                let made = make.status().await.expect("mosquitto_passwd is installed");
                assert!(made.success());
                login = &[USER.0, USER.1];
                let passwords = file("passwords");
                format!("allow_anonymous false\npassword_file {passwords}\n")
            }
            Door::Tls(certificate) => {
                folder.write("chain.pem", &certificate.chain);
                folder.write("key.pem", &certificate.key);
                let (chain, key) = (file("chain.pem"), file("key.pem"));
                format!("allow_anonymous true\ncertfile {chain}\nkeyfile {key}\n")
            }
        };
        // As root it would become a user who cannot read the test's files.
        let config = format!("user root\npersistence false\nlistener {port} 127.0.0.1\n{more}");
        let config = folder.write("mosquitto.conf", &config);
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(config);
        let process = Process::start("mosquitto", command, folder.path());
        let broker = Self {
            port,
            login,
            folder,
            process,
        };
        broker.wait_listening().await;
        broker
    }

    pub(crate) fn uri(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Ends it at once. What it kept is lost.
    pub(crate) async fn kill(mut self) {
        self.process.signal("KILL").await;
        self.process.ended(DEADLINE).await;
    }

    /// A client beside the module.
    pub(crate) async fn client(&self) -> Client {
        let mut command = python_client("paho", "client.py");
        command.arg(self.port.to_string());
        command.args(self.login);
        let mut process = Process::start("a paho client", command, self.folder.path());
        let ready = process.next_line(Stream::Out, DEADLINE).await;
        assert_eq!(ready.as_deref(), Some("ready"));
        Client(process)
    }

    async fn wait_listening(&self) {
        let knocking = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        within(DEADLINE, || "Mosquitto to listen".to_owned(), knocking).await;
    }
}

/// A client of another make.
pub(crate) struct Client(Process);

impl Client {
    pub(crate) async fn publish(&mut self, topic: &str, payload: &str) {
        self.tell(json!({"topic": topic, "payload": payload})).await;
    }

    pub(crate) async fn retain(&mut self, topic: &str, payload: &str) {
        self.tell(json!({"topic": topic, "payload": payload, "retain": true}))
            .await;
    }

    pub(crate) async fn tell(&mut self, order: Value) {
        self.0.tell(&order.to_string()).await;
    }

    /// Waits for the next message at a topic: its payload and whether the broker had kept it.
    pub(crate) async fn message(&mut self, topic: &str) -> (String, bool) {
        let next = async {
            loop {
                let line = self.0.next_line(Stream::Out, DEADLINE).await;
                let line = line.expect("the client listens");
                let message: Value = serde_json::from_str(&line).expect("it is JSON");
                if message["topic"] == topic {
                    let payload = message["payload"].as_str().expect("it is text").to_owned();
                    return (payload, message["retain"] == true);
                }
            }
        };
        within(DEADLINE, || format!("a message at {topic}"), next).await
    }
}
