//! When a device is connected, and what happens when it is not any more.

use std::sync::Arc;
use std::time::Duration;

use driver_sdk::transport::{AWAY, Command, Device, DeviceBuilder, Link, REFUSED, Tokens};
use driver_sdk::{Error, LogLevel};
use tokio::io::DuplexStream;
use tokio::time::{Instant, sleep};

use crate::harness::{Door, Host, Peer, code};

const MINUTE: Duration = Duration::from_secs(60);

/// A device that is polled each minute with `?`, whose answer is the status `power`.
fn device(host: &Host) -> (Door, DeviceBuilder) {
    let (door, link) = Door::new(Tokens::delimited("\r"));
    let power = host.publisher("power");
    let device = Device::over(&host.context(), link).poll(MINUTE, move |device| {
        let power = power.clone();
        async move {
            power(device.ask("?\r").await?);
            Ok(())
        }
    });
    (door, device)
}

/// The same, started and connected: it has answered its first poll with `on`.
async fn answered(host: &Host) -> (Door, Device, Peer<DuplexStream>) {
    let (mut door, device) = device(host);
    let device = device.start();
    let mut peer = door.accept().await;
    peer.answer("?", "on\r").await;
    host.wait_connected(true).await;
    (door, device, peer)
}

#[tokio::test(start_paused = true)]
async fn a_device_is_connected_when_it_has_answered_and_all_is_read() {
    let host = Host::new().await;
    let (mut door, device) = device(&host);
    let _device = device.start();
    let mut peer = door.accept().await;
    peer.expect("?").await;
    assert_eq!(host.connected(), ["false"]);
    peer.say("on\r").await;
    host.wait_connected(true).await;
    assert_eq!(host.status("power").as_deref(), Some("on"));
}

// Who starts a module that has said nothing takes it for connected: for a moment a page showed a device that nobody had reached.
#[tokio::test(start_paused = true)]
async fn a_device_is_said_not_to_be_connected_before_the_start_of_its_module_is_over() {
    let host = Host::new().await;
    let (_door, device) = device(&host);
    let _device = device.start();
    // Nothing has been awaited since, so this was said by the start itself.
    assert_eq!(host.connected(), ["false"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_to_a_device_that_is_not_there_fails_at_once_and_says_why() {
    let host = Host::new().await;
    let (door, device) = device(&host);
    door.shut();
    let device = device.start();
    host.wait_line("it refuses connections").await;
    let began = Instant::now();
    let error = device.ask("on\r").await.unwrap_err();
    assert_eq!(error.code(), 503);
    assert_eq!(
        error.message(),
        "the device is not connected: it refuses connections"
    );
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_cannot_be_reached_is_tried_after_one_second_and_then_up_to_every_ten() {
    let waits = waits_between_attempts(Error::new("no route"), 7).await;
    assert_eq!(waits, [1, 2, 4, 8, 10, 10, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_password_is_tried_ever_more_rarely_up_to_once_a_minute() {
    let waits = waits_between_attempts(Error::new("wrong password").with_code(REFUSED), 9).await;
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}

async fn waits_between_attempts(error: Error, count: usize) -> Vec<u64> {
    let host = Host::new().await;
    let (attempts, mut attempted) = tokio::sync::mpsc::channel(1);
    let link = move || {
        let (attempts, error) = (attempts.clone(), error.clone());
        async move {
            attempts.send(Instant::now()).await?;
            Err(error)
        }
    };
    let _device: Device = Device::over(&host.context(), link).start();
    let mut last = attempted.recv().await.unwrap();
    let mut waits = Vec::new();
    while waits.len() < count {
        let next = attempted.recv().await.unwrap();
        waits.push((next - last).as_secs());
        last = next;
    }
    waits
}

#[tokio::test(start_paused = true)]
async fn a_password_that_on_connected_sees_refused_is_said_in_the_log_and_leaves_the_device_unconnected()
 {
    let host = Host::new().await;
    let (mut door, device) = device(&host);
    let _device = device
        .on_connected(|device| async move {
            match device.ask("login secret\r").await?.text().as_str() {
                "welcome" => Ok(()),
                _ => Err(Error::new("the projector refuses the password").with_code(REFUSED)),
            }
        })
        .start();
    let mut peer = door.accept().await;
    let began = Instant::now();
    // It hangs up behind its answer, as projectors do.
    peer.answer("login secret", "no\r").await;
    drop(peer);
    host.wait_line("the projector refuses the password").await;
    for wait in [1, 3, 7] {
        let mut peer = door.accept().await;
        assert_eq!(began.elapsed().as_secs(), wait);
        peer.answer("login secret", "no\r").await;
    }
    assert_eq!(host.connected(), ["false"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_under_a_command_is_lost_and_the_command_is_not_sent_again() {
    let host = Host::new().await;
    let (mut door, device, mut peer) = answered(&host).await;
    let call = tokio::join!(device.ask("open\r"), async {
        peer.expect("open").await;
        drop(peer);
    });
    let error = call.0.unwrap_err();
    assert_eq!(error.code(), 502);
    assert!(error.message().contains("may have run it"), "{error}");
    host.wait_connected(false).await;
    assert_eq!(host.status("power").as_deref(), Some("on"));
    // The poll is all that comes.
    let mut peer = door.accept().await;
    peer.answer("?", "off\r").await;
    host.wait_connected(true).await;
    host.wait_status("power", "off").await;
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_command_is_sent_again_when_its_connection_breaks() {
    let host = Host::new().await;
    let (mut door, device, mut peer) = answered(&host).await;
    let call = device.ask(Command::new("input?\r").idempotent(1));
    let (answer, ()) = tokio::join!(call, async {
        peer.expect("input?").await;
        drop(peer);
        let mut peer = door.accept().await;
        peer.answer("input?", "hdmi\r").await;
        // It stays there until the answer has been read.
        drop(door);
    });
    assert_eq!(answer.unwrap().text(), "hdmi");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_closes_an_idle_connection_is_not_lost() {
    let host = Host::new().await;
    let (mut door, device, peer) = answered(&host).await;
    drop(peer);
    sleep(Duration::from_secs(1)).await;
    let (answer, ()) = tokio::join!(device.ask("input?\r"), async {
        door.accept().await.answer("input?", "hdmi\r").await;
    });
    assert_eq!(answer.unwrap().text(), "hdmi");
    assert_eq!(host.connected(), ["false", "true"]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_closes_the_connection_after_each_answer_is_polled_to_the_end() {
    let host = Host::new().await;
    let (mut door, link) = Door::new(Tokens::delimited("\r"));
    let lamp = host.publisher("lamp");
    let _device = Device::over(&host.context(), link)
        .poll(MINUTE, move |device| {
            let lamp = lamp.clone();
            async move {
                let question = |line| Command::new(line).idempotent(1);
                device.ask(question("power?\r")).await?;
                device.ask(question("input?\r")).await?;
                lamp(device.ask(question("lamp?\r")).await?);
                Ok(())
            }
        })
        .start();
    let serving = async {
        loop {
            let mut peer = door.accept().await;
            let line = peer.line().await.unwrap();
            peer.say(format!("{line}\r")).await;
        }
    };
    tokio::select! {
        () = serving => {}
        () = host.wait_status("lamp", "lamp?") => {}
    }
    host.wait_connected(true).await;
    assert_eq!(host.connected(), ["false", "true"]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_gone_after_an_idle_close_is_seen_to_be_gone_within_five_seconds() {
    let host = Host::new().await;
    let (mut door, _device, peer) = answered(&host).await;
    let began = Instant::now();
    door.shut();
    drop(peer);
    host.wait_connected(false).await;
    assert!(began.elapsed() <= Duration::from_secs(5));
    door.open();
    door.accept().await.answer("?", "off\r").await;
    host.wait_status("power", "off").await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_owes_an_answer_for_five_seconds_is_not_connected_and_keeps_its_statuses() {
    let host = Host::new().await;
    let (_door, device, _peer) = answered(&host).await;
    let began = Instant::now();
    let call = device.ask(Command::new("x\r").timeout(Duration::from_secs(2)));
    assert_eq!(code(call.await), 504);
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    host.wait_connected(false).await;
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert_eq!(host.status("power").as_deref(), Some("on"));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_takes_connections_and_says_nothing_is_never_connected() {
    let host = Host::new().await;
    let (mut door, device) = device(&host);
    let _device = device.start();
    let mut peers = Vec::new();
    while peers.len() < 4 {
        peers.push(door.accept().await);
    }
    assert_eq!(host.connected(), ["false"]);
    assert_eq!(
        host.lines(LogLevel::Warn),
        ["the device is not connected: it does not answer; it is tried again"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_command_with_a_longer_timeout_gives_the_device_so_long() {
    let host = Host::new().await;
    let (_door, device, mut peer) = answered(&host).await;
    let call = device.ask(Command::new("warm up\r").timeout(Duration::from_secs(30)));
    let (answer, ()) = tokio::join!(call, async {
        peer.expect("warm up").await;
        sleep(Duration::from_secs(20)).await;
        peer.say("warm\r").await;
    });
    assert_eq!(answer.unwrap().text(), "warm");
    assert_eq!(host.connected(), ["false", "true"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_connection_filters_out_is_no_sign_of_life() {
    let host = Host::new().await;
    let (mut door, link) = Door::new(Tokens::delimited("\r"));
    let link = Arc::new(link);
    let filtered = move || {
        let link = Arc::clone(&link);
        async move { Ok(link.open().await?.filter(|it| it.starts_with(b"="))) }
    };
    let device = Device::over(&host.context(), filtered).start();
    let mut peer = door.accept().await;
    peer.say("noise\r=hello\r").await;
    host.wait_connected(true).await;
    let asked = Instant::now();
    let noise = async {
        peer.expect("?").await;
        for _ in 0..60 {
            peer.mutter("noise\r").await;
            sleep(Duration::from_secs(1)).await;
        }
    };
    let asking = async {
        assert_eq!(code(device.ask("?\r").await), 504);
        host.wait_connected(false).await;
        assert_eq!(asked.elapsed(), Duration::from_secs(5));
    };
    tokio::join!(noise, asking);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_not_taken_for_that_of_the_next_command() {
    let host = Host::new().await;
    let (mut door, device, mut late) = answered(&host).await;
    let slow = device.ask(Command::new("a\r").timeout(Duration::from_secs(1)));
    assert_eq!(code(slow.await), 504);
    let (answer, ()) = tokio::join!(device.ask("b\r"), async {
        late.mutter("answer to a\r").await;
        door.accept().await.answer("b", "answer to b\r").await;
    });
    assert_eq!(answer.unwrap().text(), "answer to b");
}

#[tokio::test(start_paused = true)]
async fn what_the_device_says_by_itself_makes_it_connected_and_reaches_the_driver() {
    let host = Host::new().await;
    let (mut door, link) = Door::new(Tokens::delimited("\r"));
    let _device = Device::over(&host.context(), link)
        .on_message(host.publisher("key"))
        .start();
    let mut peer = door.accept().await;
    peer.say("pressed 3\r").await;
    host.wait_connected(true).await;
    host.wait_status("key", "pressed 3").await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_never_answers_is_connected_when_its_connection_is_open() {
    let host = Host::new().await;
    let (mut door, link) = Door::new(Tokens::packets());
    let device = Device::over(&host.context(), link).never_answers().start();
    let mut peer = door.accept().await;
    host.wait_connected(true).await;
    device.send("wake\r").await.unwrap();
    peer.expect("wake").await;
}

#[tokio::test(start_paused = true)]
async fn a_poll_comes_round_in_its_period() {
    let host = Host::new().await;
    let (mut door, device) = device(&host);
    let _device = device.start();
    let mut peer = door.accept().await;
    peer.answer("?", "on\r").await;
    let began = Instant::now();
    for power in ["off", "on"] {
        peer.answer("?", format!("{power}\r")).await;
        host.wait_status("power", power).await;
    }
    assert_eq!(began.elapsed(), 2 * MINUTE);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_fails_is_said_once_and_the_device_stays_connected() {
    let host = Host::new().await;
    let (mut door, link) = Door::new(Tokens::delimited("\r"));
    let _device = Device::over(&host.context(), link)
        .poll(Duration::from_secs(1), |device| async move {
            let answer = device.ask("?\r").await?;
            Err(Error::new(format!("'{}' is no power", answer.text())))
        })
        .start();
    let mut peer = door.accept().await;
    for _ in 0..3 {
        peer.answer("?", "maybe\r").await;
    }
    host.wait_connected(true).await;
    assert_eq!(host.lines(LogLevel::Warn), ["'maybe' is no power"]);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_hears_that_the_device_is_away_makes_it_unconnected_until_it_is_back() {
    let host = Host::new().await;
    let (mut door, device) = device(&host);
    let _device = device
        .poll(Duration::from_secs(10), |device| async move {
            match device.ask("?\r").await?.text().as_str() {
                "no device" => Err(Error::new("the gateway cannot reach it").with_code(AWAY)),
                _ => Ok(()),
            }
        })
        .start();
    let mut peer = door.accept().await;
    peer.answer("?", "on\r").await;
    host.wait_connected(true).await;
    peer.answer("?", "no device\r").await;
    host.wait_connected(false).await;
    host.wait_line("the gateway cannot reach it").await;
    let mut peer = door.accept().await;
    peer.answer("?", "no device\r").await;
    let mut peer = door.accept().await;
    assert_eq!(host.connected(), ["false", "true", "false"]);
    peer.answer("?", "on\r").await;
    host.wait_connected(true).await;
}

#[tokio::test(start_paused = true)]
async fn when_the_module_stops_every_call_is_answered() {
    let host = Host::new().await;
    let (_door, device, mut peer) = answered(&host).await;
    let (first, second, ()) = tokio::join!(device.ask("a\r"), device.ask("b\r"), async {
        peer.expect("a").await;
        host.stop().await;
    });
    assert_eq!((code(first), code(second)), (503, 503));
    assert_eq!(code(device.ask("c\r").await), 503);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_takes_no_bytes_is_given_up() {
    let host = Host::new().await;
    let (_door, device, _peer) = answered(&host).await;
    let error = device.send(vec![0; 4 * 1024 * 1024]).await.unwrap_err();
    assert_eq!(error.code(), 502);
    assert!(error.message().starts_with("it takes no more bytes"));
    host.wait_connected(false).await;
}
