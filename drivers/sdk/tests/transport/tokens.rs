//! How bytes become messages: split, joined, cut, too long, and not at all what is expected.

use std::time::Duration;

use driver_sdk::LogLevel;
use driver_sdk::transport::{ByteOrder, Device, Length, Tokens};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::harness::{Door, Host};

/// The messages that these packets become, each sent a millisecond after the one before; the device hangs up after the last.
async fn messages(tokens: Tokens, packets: &[&[u8]]) -> Vec<Vec<u8>> {
    let (messages, _) = run(tokens, packets).await;
    messages
}

/// The messages, and the warnings in the log.
async fn run(tokens: Tokens, packets: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<String>) {
    let host = Host::new().await;
    let (mut door, link) = Door::new(tokens);
    let (sender, mut received) = mpsc::channel(10_000);
    let _device = Device::over(&host.context(), link)
        .on_message(move |message| sender.try_send(message.into_bytes()).unwrap())
        .start();
    let mut peer = door.accept().await;
    for packet in packets {
        peer.mutter(packet).await;
        sleep(Duration::from_millis(1)).await;
    }
    drop(peer);
    let mut messages = Vec::new();
    while let Ok(Some(message)) = timeout(Duration::from_secs(2), received.recv()).await {
        messages.push(message);
    }
    (messages, host.lines(LogLevel::Warn))
}

#[tokio::test(start_paused = true)]
async fn a_delimiter_is_found_wherever_packets_are_split() {
    let cr_lf = || Tokens::delimited("\r\n");
    let cases: &[&[&[u8]]] = &[
        &[b"one\r\ntwo\r\n"],
        &[b"one\r", b"\ntwo\r\n"],
        &[b"o", b"n", b"e", b"\r", b"\n", b"two", b"\r\n"],
        &[b"\r\none\r\n\r\ntwo\r\n"],
    ];
    for packets in cases {
        assert_eq!(messages(cr_lf(), packets).await, [b"one", b"two"]);
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_delimiter_is_part_of_a_message() {
    let found = messages(Tokens::delimited("\r\n"), &[b"a\rb\r\r\n"]).await;
    assert_eq!(found, [b"a\rb\r"]);
}

#[tokio::test(start_paused = true)]
async fn lines_end_in_whichever_way_the_device_likes() {
    let found = messages(Tokens::lines(), &[b"a\rb\nc\r\n", b"\nd\r"]).await;
    assert_eq!(found, [b"a", b"b", b"c", b"d"]);
}

#[tokio::test(start_paused = true)]
async fn a_length_is_read_in_the_order_of_its_bytes() {
    let length = |order| Length {
        offset: 1,
        bytes: 2,
        order,
        uncounted: 3,
    };
    let big = Tokens::length_prefixed(length(ByteOrder::BigEndian));
    let found = messages(big, &[b"x\x00", b"\x02hi", b"y\x00\x01!z\x00\x00"]).await;
    assert_eq!(found, [&b"x\x00\x02hi"[..], b"y\x00\x01!", b"z\x00\x00"]);
    let little = Tokens::length_prefixed(length(ByteOrder::LittleEndian));
    let found = messages(little, &[b"x\x02\x00hi"]).await;
    assert_eq!(found, [b"x\x02\x00hi"]);
}

#[tokio::test(start_paused = true)]
async fn a_function_of_the_driver_finds_messages() {
    let braces = Tokens::found_by(|bytes| Some(bytes.iter().position(|it| *it == b'}')? + 1));
    let found = messages(braces, &[b"{a", b"}{b}{"]).await;
    assert_eq!(found, [b"{a}", b"{b}"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_without_an_end_is_dropped_with_one_warning_and_the_next_one_is_read() {
    let flood = vec![b'x'; 10_000];
    let packets: &[&[u8]] = &[&flood, &flood, &flood, b"xx\r", b"fine\r"];
    let (found, warnings) = run(Tokens::delimited("\r").max_bytes(100), packets).await;
    assert_eq!(found, [b"fine"]);
    let dropped = |line: &&String| line.contains("longer than allowed");
    assert_eq!(warnings.iter().filter(dropped).count(), 1, "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_and_has_its_end_in_the_same_packet_is_dropped_too() {
    let mut packet = vec![b'x'; 101];
    packet.extend_from_slice(b"\rfine\r");
    let found = messages(Tokens::delimited("\r").max_bytes(100), &[&packet]).await;
    assert_eq!(found, [b"fine"]);
}

#[tokio::test(start_paused = true)]
async fn a_length_past_the_bound_ends_the_connection_with_a_clear_word() {
    let length = Length {
        offset: 0,
        bytes: 8,
        order: ByteOrder::BigEndian,
        uncounted: 8,
    };
    let (found, warnings) = run(Tokens::length_prefixed(length), &[&[0xff; 9]]).await;
    assert!(found.is_empty());
    assert!(warnings[0].contains("longer than allowed"), "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn a_last_line_without_its_delimiter_counts_when_the_device_hangs_up() {
    let found = messages(Tokens::delimited("\r"), &[b"one\rtwo"]).await;
    assert_eq!(found, [b"one", b"two"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_without_its_delimiter_counts_after_a_silence_where_the_driver_says_so() {
    let tokens = Tokens::delimited("\r").or_silence(Duration::from_millis(100));
    let host = Host::new().await;
    let (mut door, link) = Door::new(tokens);
    let _device = Device::over(&host.context(), link)
        .on_message(host.publisher("last"))
        .start();
    let mut peer = door.accept().await;
    peer.say("pow").await;
    sleep(Duration::from_millis(50)).await;
    peer.say("er=on").await;
    host.wait_status("last", "power=on").await;
}

#[tokio::test(start_paused = true)]
async fn names_in_latin_1_are_read_as_such_and_utf_8_as_utf_8() {
    let host = Host::new().await;
    let (mut door, link) = Door::new(Tokens::delimited("\r"));
    let _device = Device::over(&host.context(), link)
        .on_message(host.publisher("name"))
        .start();
    let mut peer = door.accept().await;
    peer.say(b"B\xfcro\r").await;
    host.wait_status("name", "B\u{fc}ro").await;
    peer.say("Café\r").await;
    host.wait_status("name", "Café").await;
}

#[tokio::test(start_paused = true)]
async fn any_bytes_at_all_end_no_task_and_keep_no_more_than_the_bound() {
    let mut noise = Vec::new();
    let mut state: u32 = 1;
    for _ in 0..50_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push(state.to_be_bytes()[0]);
    }
    let length = Length {
        offset: 1,
        bytes: 2,
        order: ByteOrder::LittleEndian,
        uncounted: 3,
    };
    let rules = [
        Tokens::delimited("\r\n"),
        Tokens::delimited(""),
        Tokens::lines(),
        Tokens::packets(),
        Tokens::length_prefixed(length),
        Tokens::found_by(|bytes| Some(usize::from(*bytes.first()?))),
    ];
    for tokens in rules {
        let packets: Vec<&[u8]> = noise.chunks(777).collect();
        for message in messages(tokens.max_bytes(512), &packets).await {
            assert!(message.len() <= 4 * 1024 + 512);
        }
    }
}
