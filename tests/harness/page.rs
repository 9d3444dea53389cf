//! PlaceOS's own client library, in a Node process that looks like a page to it.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Certificate, DEADLINE, Folder, Key, Process, Stream, node_client};

/// How a page presents its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// As a desktop browser does.
    Cookie,
    /// As a framed page and a tablet do.
    Query,
}

/// How the user of a page signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// By the library, with a password that the page has.
    Password,
    /// On the login page; the library gets its token by a code.
    Code,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    process: Process,
    /// Every event so far.
    events: Vec<Value>,
    _folder: Folder,
}

impl Page {
    /// Opens a page and waits until the library has its authority and its key.
    pub(crate) async fn open(url: &str, key: Key, carrier: Carrier) -> Self {
        Self::open_trusting(None, url, key, carrier).await
    }

    /// The same for a gateway that shows this certificate.
    pub(crate) async fn open_trusting(
        certificate: Option<&Certificate>,
        url: &str,
        key: Key,
        carrier: Carrier,
    ) -> Self {
        let carrier = match carrier {
            Carrier::Cookie => "cookie",
            Carrier::Query => "query",
        };
        Self::start(certificate, &[url, key.0, carrier]).await
    }

    /// Opens a page whose user signs in, and waits until the library has its token.
    pub(crate) async fn sign_in(
        certificate: Option<&Certificate>,
        url: &str,
        way: SignIn,
        email: &str,
        password: &str,
    ) -> Self {
        let way = match way {
            SignIn::Password => "--password",
            SignIn::Code => "--code",
        };
        Self::start(certificate, &[url, way, email, password]).await
    }

    async fn start(certificate: Option<&Certificate>, arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let mut command = node_client("placeos_ts_client", "ts-client.mjs");
        command.args(arguments);
        if let Some(certificate) = certificate {
            let authorities = folder.write("authorities.pem", &certificate.chain);
            command.env("NODE_EXTRA_CA_CERTS", authorities);
        }
        let mut page = Self {
            process: Process::start("the page", command, folder.path()),
            events: Vec::new(),
            _folder: folder,
        };
        page.wait("ready", |event| event["event"] == "ready").await;
        page
    }

    /// Gives the library a command.
    pub(crate) async fn tell(&mut self, command: Value) {
        self.process.tell(&command.to_string()).await;
    }

    /// Reads events until one is as asked for, and gives it.
    pub(crate) async fn wait(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.wait_within(what, DEADLINE, is).await
    }

    pub(crate) async fn wait_within(
        &mut self,
        what: &str,
        deadline: Duration,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let from = self.events.len();
        let wait = async {
            loop {
                let event = self.next(deadline).await;
                if is(&event) {
                    return event;
                }
            }
        };
        match tokio::time::timeout(deadline, wait).await {
            Ok(event) => event,
            Err(_) => panic!(
                "{what} did not happen; the page did {:#?}",
                &self.events[from..]
            ),
        }
    }

    /// The event that answers the command with this mark, whether it is there already or comes.
    pub(crate) async fn answer(&mut self, mark: &str) -> Value {
        let is = |event: &Value| event["ref"] == mark;
        let there = self.events.iter().find(|event| is(event)).cloned();
        match there {
            Some(answer) => answer,
            None => self.wait(&format!("the answer to {mark}"), is).await,
        }
    }

    /// The events so far, which [`Self::wait`] has read.
    pub(crate) fn events(&self) -> &[Value] {
        &self.events
    }

    async fn next(&mut self, deadline: Duration) -> Value {
        let line = self.process.next_line(Stream::Out, deadline).await;
        let line = line.expect("the page ended");
        let event: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error} in the event {line}"));
        self.events.push(event.clone());
        event
    }

    /// Closes the page.
    pub(crate) async fn close(mut self) {
        self.process.say_no_more();
        let status = self.process.ended(DEADLINE).await;
        assert!(status.success(), "the page ended with {status}");
    }
}
