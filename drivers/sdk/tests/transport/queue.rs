//! The commands that wait: their order, their names, and how many there may be.

use std::time::Duration;

use driver_sdk::Error;
use driver_sdk::transport::{Command, Device, Tokens};
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::harness::{Door, Host, Peer, code};

/// A device that is connected, with a command in flight that is not answered: what is sent now waits.
struct Busy {
    host: Host,
    device: Device,
    peer: Peer<DuplexStream>,
    first: JoinHandle<Result<(), Error>>,
}

impl Busy {
    async fn new() -> Self {
        Self::with_pause(Duration::ZERO).await
    }

    async fn with_pause(pause: Duration) -> Self {
        let host = Host::new().await;
        let (mut door, link) = Door::new(Tokens::delimited("\r"));
        let device = Device::over(&host.context(), link).pause(pause).start();
        let mut peer = door.accept().await;
        peer.say("hello\r").await;
        host.wait_connected(true).await;
        let first = device.clone();
        let first = Self::spawn(async move {
            let command = Command::new("first\r").timeout(Duration::from_secs(3600));
            first.ask(command).await.map(drop)
        });
        peer.expect("first").await;
        Self {
            host,
            device,
            peer,
            first,
        }
    }

    fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        tokio::runtime::Handle::current().spawn(task)
    }

    /// Queues a command, and comes back when it waits.
    async fn queue(&self, command: Command) -> JoinHandle<Result<(), Error>> {
        let device = self.device.clone();
        let task = Self::spawn(async move { device.send(command).await });
        tokio::task::yield_now().await;
        task
    }

    async fn answer_first(&mut self) {
        self.peer.say("done\r").await;
        (&mut self.first).await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn commands_are_sent_by_priority_and_then_in_order_one_at_a_time() {
    let mut busy = Busy::new().await;
    for (line, priority) in [("b\r", 50), ("c\r", 50), ("d\r", 10), ("a\r", 90)] {
        let _waits = busy.queue(Command::new(line).priority(priority)).await;
    }
    busy.answer_first().await;
    for line in ["a", "b", "c", "d"] {
        busy.peer.expect(line).await;
    }
    assert_eq!(busy.host.connected(), ["false", "true"]);
}

#[tokio::test(start_paused = true)]
async fn a_later_command_of_the_same_name_takes_the_place_of_one_that_waits() {
    let mut busy = Busy::new().await;
    let volume = |line: &str| Command::new(line).name("volume");
    let old = busy.queue(volume("volume 10\r")).await;
    let other = busy.queue(Command::new("input\r")).await;
    let new = busy.queue(volume("volume 20\r")).await;
    let error = old.await.unwrap().unwrap_err();
    assert_eq!(error.code(), 409);
    assert!(error.message().contains("'volume'"), "{error}");
    busy.answer_first().await;
    busy.peer.expect("volume 20").await;
    busy.peer.expect("input").await;
    assert!(new.await.unwrap().is_ok() && other.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_the_next_command_and_loses_none() {
    let mut busy = Busy::new().await;
    let mut waiting = Vec::new();
    for number in 0..100 {
        waiting.push(busy.queue(Command::new(format!("{number}\r"))).await);
    }
    assert_eq!(code(busy.device.send("one too many\r").await), 429);
    busy.answer_first().await;
    for (number, call) in waiting.into_iter().enumerate() {
        busy.peer.expect(&number.to_string()).await;
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_caller_has_gone_is_not_sent() {
    let mut busy = Busy::new().await;
    let gone = busy.queue(Command::new("gone\r")).await;
    let stays = busy.queue(Command::new("stays\r")).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    busy.answer_first().await;
    busy.peer.expect("stays").await;
    stays.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_device_is_left_alone_between_two_commands() {
    let mut busy = Busy::with_pause(Duration::from_millis(100)).await;
    let _waits = busy
        .queue(Command::new("a\r").pause(Duration::from_secs(3)))
        .await;
    let _waits = busy.queue(Command::new("b\r")).await;
    busy.answer_first().await;
    let began = Instant::now();
    busy.peer.expect("a").await;
    assert_eq!(began.elapsed(), Duration::from_millis(100));
    busy.peer.expect("b").await;
    assert_eq!(began.elapsed(), Duration::from_millis(3100));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_known_by_its_look_and_all_else_goes_to_the_driver() {
    let host = Host::new().await;
    let (mut door, link) = Door::new(Tokens::delimited("\r"));
    let device = Device::over(&host.context(), link)
        .on_message(host.publisher("event"))
        .start();
    let mut peer = door.accept().await;
    peer.say("hello\r").await;
    host.wait_connected(true).await;
    let question = Command::new("power?\r").answered_by(|it| it.starts_with(b"power="));
    let (answer, ()) = tokio::join!(device.ask(question), async {
        peer.answer("power?", "key 3\rpower=on\r").await;
    });
    assert_eq!(answer.unwrap().text(), "power=on");
    assert_eq!(host.status("event").as_deref(), Some("key 3"));
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_command_is_asked_again_when_its_answer_does_not_come() {
    let mut busy = Busy::new().await;
    busy.answer_first().await;
    let question = Command::new("power?\r")
        .answered_by(|it| it.starts_with(b"power="))
        .timeout(Duration::from_secs(1))
        .idempotent(2);
    let (answer, ()) = tokio::join!(busy.device.ask(question), async {
        busy.peer.expect("power?").await;
        busy.peer.expect("power?").await;
        busy.peer.answer("power?", "power=on\r").await;
    });
    assert_eq!(answer.unwrap().text(), "power=on");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_not_idempotent_is_sent_once_however_long_the_device_is_silent() {
    let mut busy = Busy::new().await;
    busy.answer_first().await;
    let command = Command::new("toggle\r")
        .answered_by(|it| &**it == b"toggled")
        .timeout(Duration::from_secs(1));
    assert_eq!(code(busy.device.ask(command).await), 504);
    busy.device.send("next\r").await.unwrap();
    busy.peer.expect("toggle").await;
    busy.peer.expect("next").await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_when_the_connection_breaks_is_answered_at_once_and_never_sent() {
    let busy = Busy::new().await;
    let waits = busy.queue(Command::new("waits\r")).await;
    drop(busy.peer);
    let began = Instant::now();
    assert_eq!(code(busy.first.await.unwrap()), 502);
    let error = waits.await.unwrap().unwrap_err();
    assert_eq!(error.code(), 503);
    assert!(
        error.message().contains("it closed the connection"),
        "{error}"
    );
    assert_eq!(began.elapsed(), Duration::ZERO);
    busy.host.wait_connected(false).await;
}
