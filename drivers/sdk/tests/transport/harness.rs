//! A module without a function, and devices that the test plays.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use driver_sdk::serde_json::json;
use driver_sdk::testkit::Module;
use driver_sdk::transport::{Connection, Link, Message, Tokens};
use driver_sdk::{Context, Error, LogLevel, Status, driver};
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, duplex,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a wait lasts before the test fails: no time at all with a paused clock.
const DEADLINE: Duration = Duration::from_secs(120);

tokio::task_local! {
    /// Where a module that starts leaves its context for the test.
    static STARTED: RefCell<Option<Context>>;
}

/// A driver that leaves all to the test.
struct Empty;

#[driver(id = "empty", name = "Empty")]
impl Empty {
    async fn start(context: Context) -> Result<Self, Error> {
        STARTED.with(|started| *started.borrow_mut() = Some(context));
        Ok(Self)
    }
}

/// A module of the test's. Its tasks end when it is dropped.
pub(crate) struct Host {
    module: Module,
    context: Context,
}

impl Host {
    pub(crate) async fn new() -> Self {
        let starting = async {
            let module = Module::start(&Empty::DEFINITION, json!({})).await.unwrap();
            (module, STARTED.with(|started| started.take()))
        };
        let (module, context) = STARTED.scope(RefCell::new(None), starting).await;
        let context = context.expect("the module has started");
        Self { module, context }
    }

    pub(crate) fn context(&self) -> Context {
        self.context.clone()
    }

    pub(crate) async fn wait_connected(&self, connected: bool) {
        self.module.wait_connected(connected).await;
    }

    /// Waits for a status that is this text.
    pub(crate) async fn wait_status(&self, name: &'static str, text: &str) {
        let status = Status::<String>::new(name);
        self.module.wait(&status, &text.to_owned()).await;
    }

    pub(crate) async fn wait_line(&self, part: &str) {
        self.module.wait_line(part).await;
    }

    /// The text of a status.
    pub(crate) fn status(&self, name: &'static str) -> Option<String> {
        self.context.get(&Status::new(name))
    }

    /// Publishes messages as the text of a status.
    pub(crate) fn publisher(
        &self,
        name: &'static str,
    ) -> impl Fn(Message) + Send + Sync + Clone + use<> {
        let context = self.context.clone();
        move |message| context.set(&Status::new(name), &message.text())
    }

    /// Every value that `connected` has had.
    pub(crate) fn connected(&self) -> Vec<String> {
        let all = self.module.publications().into_iter();
        let connected = all.filter(|it| it.name == "connected");
        connected.filter_map(|it| it.value).collect()
    }

    pub(crate) fn lines(&self, level: LogLevel) -> Vec<String> {
        let lines = self.module.lines().into_iter();
        let lines = lines.filter(|line| line.level == level);
        lines.map(|line| line.message).collect()
    }

    /// Stops the module, as a host does.
    pub(crate) async fn stop(&self) {
        self.module.stop().await;
    }
}

/// Where the test waits for the module's connections.
pub(crate) struct Door {
    opened: mpsc::Receiver<DuplexStream>,
    is_shut: Arc<AtomicBool>,
}

impl Door {
    /// A link in memory, and the other side of it.
    pub(crate) fn new(tokens: Tokens) -> (Self, impl Link) {
        let (sender, opened) = mpsc::channel(16);
        let is_shut = Arc::new(AtomicBool::new(false));
        let shut = Arc::clone(&is_shut);
        let link = move || {
            let (sender, tokens) = (sender.clone(), tokens.clone());
            let is_shut = shut.load(Ordering::SeqCst);
            async move {
                if is_shut {
                    return Err(Error::new("it refuses connections"));
                }
                let (near, far) = duplex(1024 * 1024);
                sender.send(far).await?;
                Ok(Connection::bytes(near, &tokens))
            }
        };
        let door = Self { opened, is_shut };
        (door, link)
    }

    /// From now on nothing can connect.
    pub(crate) fn shut(&self) {
        self.is_shut.store(true, Ordering::SeqCst);
    }

    pub(crate) fn open(&self) {
        self.is_shut.store(false, Ordering::SeqCst);
    }

    /// The next connection of the module.
    pub(crate) async fn accept(&mut self) -> Peer<DuplexStream> {
        let opened = timeout(DEADLINE, self.opened.recv()).await;
        Peer::new(opened.expect("no connection came").unwrap())
    }
}

/// The device's side of one connection. Dropping it hangs up.
pub(crate) struct Peer<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// The next line, which ends with a carriage return; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let reading = timeout(DEADLINE, self.0.read_until(b'\r', &mut line)).await;
        match reading.expect("nothing was sent") {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(String::from_utf8(line).unwrap().trim_end().to_owned()),
        }
    }

    pub(crate) async fn expect(&mut self, line: &str) {
        assert_eq!(self.line().await.as_deref(), Some(line));
    }

    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// Says it to a module that may have hung up.
    pub(crate) async fn mutter(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
        let _ = self.0.flush().await;
    }

    /// Answers one line.
    pub(crate) async fn answer(&mut self, line: &str, bytes: impl AsRef<[u8]>) {
        self.expect(line).await;
        self.say(bytes).await;
    }
}

/// The code of the error that a call has ended with.
#[track_caller]
pub(crate) fn code<T: Debug>(result: Result<T, Error>) -> u16 {
    result.expect_err("it should fail").code()
}
