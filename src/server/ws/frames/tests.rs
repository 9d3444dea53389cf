//! The reader against tables of good and bad input, and against any input in any split.

mod fuzz;

use proptest::prelude::*;

use super::*;
use crate::dialects::{DialectKind, Out};

/// The limit that the tables are written for.
const MAX_BYTES: usize = 300;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

// Good and bad input.

#[test]
fn whole_messages_of_every_size_are_read() {
    for size in [0, 1, 2, 125, 126, 127, 255, 256, MAX_BYTES] {
        let letters = "x".repeat(size);
        check(&text(&letters), &[Event::text(&letters)], Ok(()));
        let binary = Event::binary(letters.as_bytes());
        check(&frame(BINARY, letters.as_bytes()), &[binary], Ok(()));
    }
    for size in [65_535, 65_536, 70_000] {
        let letters = "ä".repeat(size / 2) + &"x".repeat(size % 2);
        let mut reader = FrameReader::new(size);
        let (events, outcome) = read_all(&mut reader, &text(&letters), &[size / 3, 17]);
        assert_eq!((events, outcome), (vec![Event::text(&letters)], Ok(())));
    }
}

#[test]
fn control_frames_are_read_between_and_inside_messages() {
    let longest = vec![0xff; 125];
    check(&frame(PING, b""), &[Event::ping(b"")], Ok(()));
    check(&frame(PING, &longest), &[Event::ping(&longest)], Ok(()));
    check(&frame(PONG, &longest), &[Event::pong(&longest)], Ok(()));
    check(
        &[part(TEXT, b"p"), frame(PING, b"a"), last(b"ing")].concat(),
        &[Event::ping(b"a"), Event::text("ping")],
        Ok(()),
    );
    check(
        &[part(BINARY, b"\xff"), frame(PONG, b"a"), last(b"\xff")].concat(),
        &[Event::pong(b"a"), Event::binary(b"\xff\xff")],
        Ok(()),
    );
    check(
        &[part(TEXT, b"p"), frame(CLOSE, b""), last(b"ing")].concat(),
        &[Event::Close(None), Event::text("ping")],
        Ok(()),
    );
}

#[test]
fn fragments_make_one_message_wherever_they_are_cut() {
    let word = "Größe € 🛗";
    for cut in 0..=word.len() {
        let (start, end) = word.as_bytes().split_at(cut);
        check(
            &[part(TEXT, start), last(end)].concat(),
            &[Event::text(word)],
            Ok(()),
        );
        check(
            &[
                part(TEXT, start),
                part(CONTINUATION, b""),
                frame(PING, start),
                last(end),
            ]
            .concat(),
            &[Event::ping(start), Event::text(word)],
            Ok(()),
        );
    }
    check(
        &[part(TEXT, b""), part(CONTINUATION, b""), last(b"")].concat(),
        &[Event::text("")],
        Ok(()),
    );
}

#[test]
fn reserved_bits_and_opcodes_are_refused_by_the_first_byte() {
    for opcode in [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] {
        for bits in 1..8 {
            check(
                &[0x80 | bits << 4 | opcode],
                &[],
                Err(CloseReason::ProtocolError),
            );
        }
    }
    for opcode in (3..8).chain(11..16) {
        check(&[0x80 | opcode], &[], Err(CloseReason::ProtocolError));
        check(&[opcode], &[], Err(CloseReason::ProtocolError));
    }
}

#[test]
fn a_frame_without_a_mask_is_refused_by_the_second_byte() {
    for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
        for length in [0, 5, 125] {
            check(
                &[0x80 | opcode, length],
                &[],
                Err(CloseReason::ProtocolError),
            );
        }
    }
}

#[test]
fn a_control_frame_is_short_and_whole() {
    for opcode in [CLOSE, PING, PONG] {
        check(&[opcode], &[], Err(CloseReason::ProtocolError));
        for length in [126, 127] {
            check(
                &[0x80 | opcode, 0x80 | length],
                &[],
                Err(CloseReason::ProtocolError),
            );
        }
    }
}

#[test]
fn a_length_takes_the_fewest_bytes_that_hold_it() {
    for length in [0_u16, 1, 125] {
        let head = [&[0x81, 0xfe][..], &length.to_be_bytes(), &MASK].concat();
        check(&head, &[], Err(CloseReason::ProtocolError));
    }
    for length in [0_u64, 125, 126, 65_535, 1 << 63, u64::MAX] {
        let head = [&[0x81, 0xff][..], &length.to_be_bytes(), &MASK].concat();
        check(&head, &[], Err(CloseReason::ProtocolError));
    }
}

#[test]
fn a_fragment_out_of_turn_is_refused() {
    let refused = Err(CloseReason::ProtocolError);
    check(&last(b"x"), &[], refused);
    check(&part(CONTINUATION, b""), &[], refused);
    check(
        &[text("x"), last(b"x")].concat(),
        &[Event::text("x")],
        refused,
    );
    check(
        &[part(TEXT, b"x"), last(b"y"), last(b"z")].concat(),
        &[Event::text("xy")],
        refused,
    );
    for (first, second) in [
        (TEXT, TEXT),
        (TEXT, BINARY),
        (BINARY, TEXT),
        (BINARY, BINARY),
    ] {
        check(
            &[part(first, b"x"), frame(second, b"x")].concat(),
            &[],
            refused,
        );
        check(
            &[part(first, b"x"), part(second, b"x")].concat(),
            &[],
            refused,
        );
    }
}

#[test]
fn what_is_too_large_is_refused_by_what_its_head_declares() {
    let refused = Err(CloseReason::MessageTooLarge);
    for opcode in [TEXT, BINARY] {
        for length in [MAX_BYTES + 1, 65_536, 1 << 30, usize::MAX >> 1] {
            check(&head(opcode, true, length), &[], refused);
            check(&head(opcode, false, length), &[], refused);
        }
        for (before, more) in [(1, MAX_BYTES), (MAX_BYTES, 1), (10, usize::MAX >> 1)] {
            let start = part(opcode, &vec![b'x'; before]);
            check(
                &[start, head(CONTINUATION, true, more)].concat(),
                &[],
                refused,
            );
        }
    }
    let full = "x".repeat(MAX_BYTES);
    check(
        &[part(TEXT, full.as_bytes()), last(b"")].concat(),
        &[Event::text(&full)],
        Ok(()),
    );
    let pings = frame(PING, &[b'y'; 125]).repeat(4);
    let (start, end) = full.as_bytes().split_at(10);
    let mut expected = vec![Event::ping(&[b'y'; 125]); 4];
    expected.push(Event::text(&full));
    check(
        &[part(TEXT, start), pings, last(end)].concat(),
        &expected,
        Ok(()),
    );
}

#[test]
fn text_that_is_no_utf_8_is_refused_as_soon_as_it_shows() {
    let refused = Err(CloseReason::InvalidText);
    let bad: &[&[u8]] = &[
        b"\x80",
        b"\xbf",
        b"\xc0",
        b"\xc1",
        b"\xc3\x28",
        b"\xe0\x9f",
        b"\xe2\x82\x28",
        b"\xe2\xe2",
        b"\xed\xa0",
        b"\xed\xbf",
        b"\xf0\x8f",
        b"\xf0\x9f\x9b\x28",
        b"\xf4\x90",
        b"\xf5",
        b"\xfe",
        b"\xff",
    ];
    for bad in bad {
        let data = [b"Gr\xc3\xb6\xc3\x9fe ", *bad].concat();
        check(&frame(TEXT, &data), &[], refused);
        check(&part(TEXT, &data), &[], refused);
        let unfinished = &frame(TEXT, &[&data[..], &[b'x'; 90]].concat())[..6 + data.len()];
        check(unfinished, &[], refused);
        check(
            &[part(TEXT, &data[..8]), part(CONTINUATION, &data[8..])].concat(),
            &[],
            refused,
        );
        check(&frame(BINARY, &data), &[Event::binary(&data)], Ok(()));
    }
}

#[test]
fn text_that_ends_inside_a_character_is_refused_at_its_end() {
    let refused = Err(CloseReason::InvalidText);
    for cut in [
        &b"\xc3"[..],
        b"\xe2",
        b"\xe2\x82",
        b"\xf0",
        b"\xf0\x9f",
        b"x\xf0\x9f\x9b",
    ] {
        check(&frame(TEXT, cut), &[], refused);
        check(&[part(TEXT, b"x"), last(cut)].concat(), &[], refused);
        check(&[part(TEXT, cut), last(b"")].concat(), &[], refused);
        check(&part(TEXT, cut), &[], Ok(()));
    }
    check(
        &[frame(TEXT, b"\xe2\x82"), frame(TEXT, b"\xac")].concat(),
        &[],
        refused,
    );
}

#[test]
fn a_close_has_no_payload_or_a_code_that_may_be_sent_and_a_text() {
    let closed = |payload: &[u8], outcome: Result<Option<u16>, CloseReason>| {
        let events: Vec<_> = outcome.into_iter().map(Event::Close).collect();
        check(&frame(CLOSE, payload), &events, outcome.map(|_| ()));
    };
    closed(b"", Ok(None));
    closed(b"\x03", Err(CloseReason::ProtocolError));
    closed(b"\x03\xe8", Ok(Some(1000)));
    closed("\u{3}è".as_bytes(), Err(CloseReason::ProtocolError));
    closed(&[&[0x03, 0xe8][..], &[b'x'; 123]].concat(), Ok(Some(1000)));
    closed(b"\x03\xe8\xff", Err(CloseReason::InvalidText));
    closed(b"\x03\xe8Gr\xc3", Err(CloseReason::InvalidText));
    for code in 0..=u16::MAX {
        let allowed = match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Ok(Some(code)),
            _ => Err(CloseReason::ProtocolError),
        };
        assert_eq!(close_code(&code.to_be_bytes()), allowed, "the code {code}");
    }
}

#[test]
fn an_idle_reader_holds_little() {
    let mut reader = FrameReader::new(1 << 20);
    let large = "x".repeat(1 << 20);
    let bytes = [text(&large), text("short"), frame(PING, &[b'y'; 125])].concat();
    let (events, outcome) = read_all(&mut reader, &bytes, &[1000]);
    assert_eq!((events.len(), outcome), (3, Ok(())));
    let held = reader.data.capacity() + reader.control.capacity();
    assert!(held <= KEEP_BYTES, "it holds {held} bytes");
}

// What we write.

#[test]
fn a_head_is_as_short_as_it_can_be() {
    let head_of = |bytes| {
        let mut out = Vec::new();
        write_head(&mut out, OpCode::Text, bytes);
        out
    };
    assert_eq!(head_of(0), [0x81, 0]);
    assert_eq!(head_of(125), [0x81, 125]);
    assert_eq!(head_of(126), [0x81, 126, 0, 126]);
    assert_eq!(head_of(65_535), [0x81, 126, 0xff, 0xff]);
    assert_eq!(head_of(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
}

#[test]
fn a_close_frame_is_one_that_a_client_accepts() {
    let said = |kind: &DialectKind, reason| {
        let (mut texts, mut steps) = (Vec::new(), Vec::new());
        kind.goodbye(reason, &mut Out::new(&mut texts, seal_text, &mut steps))
    };
    let closings = DialectKind::ALL
        .iter()
        .flat_map(|kind| CloseReason::ALL.map(|reason| (reason, said(kind, reason))));
    for (reason, close) in closings {
        // A lost client gets no close frame.
        let Some(close) = close else {
            continue;
        };
        let mut out = Vec::new();
        write_close(&mut out, close);
        let [0x88, length, payload @ ..] = out.as_slice() else {
            panic!("{out:?} is no close frame");
        };
        assert_eq!(usize::from(*length), payload.len());
        assert!(payload.len() <= CONTROL_MAX_BYTES, "{reason:?} is too long");
        assert_eq!(close_code(payload), Ok(Some(close.code)));
    }
}

#[test]
fn a_sealed_message_is_what_a_frame_of_it_is() {
    for bytes in [0, 1, 125, 126, 65_535, 65_536] {
        let text = vec![b'x'; bytes];
        let (mut sealed, mut written) = (b"before".to_vec(), b"before".to_vec());
        sealed.extend_from_slice(&text);
        seal_text(&mut sealed, 6);
        write_frame(&mut written, OpCode::Text, &text);
        assert!(sealed == written, "{bytes} bytes");
    }
}

// Any input.

proptest! {
    #[test]
    fn any_split_of_valid_frames_gives_the_same_messages(
        traffic in traffic(),
        splits in splits(),
    ) {
        let Traffic { bytes, events } = traffic;
        let mut reader = FrameReader::new(usize::MAX);
        let (got, outcome) = read_all(&mut reader, &bytes, &splits);
        prop_assert_eq!(outcome, Ok(()));
        prop_assert_eq!(got, events);
    }

    #[test]
    fn a_pause_at_any_message_loses_nothing(
        traffic in traffic(),
        splits in splits(),
        pauses in prop::collection::vec(any::<bool>(), 1..8),
    ) {
        let Traffic { bytes, events } = traffic;
        let mut reader = FrameReader::new(usize::MAX);
        let (got, outcome) = read_with_pauses(&mut reader, &bytes, &splits, &pauses);
        prop_assert_eq!(outcome, Ok(()));
        prop_assert_eq!(got, events);
    }

    /// Broken input too means one thing only: the same messages, and the same end.
    #[test]
    fn any_split_of_broken_frames_gives_the_same_end(
        bytes in broken_traffic(),
        splits in splits(),
        pauses in prop::collection::vec(any::<bool>(), 1..8),
    ) {
        let whole = read_all(&mut FrameReader::new(MAX_BYTES), &bytes, &[]);
        let split = read_with_pauses(&mut FrameReader::new(MAX_BYTES), &bytes, &splits, &pauses);
        prop_assert_eq!(split, whole);
    }

    /// Every read is followed by a look at what the reader holds: see [`read_with_pauses`].
    #[test]
    fn no_input_makes_it_panic_or_hold_more_than_the_limit(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            broken_traffic(),
        ],
        splits in splits(),
        max_bytes in 0_usize..500,
    ) {
        let mut reader = FrameReader::new(max_bytes);
        let (events, _) = read_all(&mut reader, &bytes, &splits);
        for event in events {
            if let Event::Text(text) = event {
                prop_assert!(text.len() <= max_bytes);
            }
        }
    }

    #[test]
    fn unmasking_does_not_depend_on_where_it_is_interrupted(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        mask in any::<[u8; 4]>(),
        at in any::<prop::sample::Index>(),
    ) {
        let expected = masked(&bytes, mask);
        let at = at.index(bytes.len() + 1);
        let mut got = bytes;
        let (start, end) = got.split_at_mut(at);
        unmask(start, mask, 0);
        unmask(end, mask, at);
        prop_assert_eq!(got, expected);
    }
}

/// Valid frames, and what they mean.
#[derive(Debug, Clone)]
struct Traffic {
    bytes: Vec<u8>,
    events: Vec<Event>,
}

/// Messages in any number of fragments with control frames between them, and control frames by themselves.
fn traffic() -> impl Strategy<Value = Traffic> {
    let item = prop_oneof![
        3 => message(any_text().prop_map(Content::Text)),
        1 => message(any_bytes(0..400).prop_map(Content::Binary)),
        2 => control_frame(),
    ];
    prop::collection::vec(item, 0..6).prop_map(|items| {
        let mut all = Traffic {
            bytes: Vec::new(),
            events: Vec::new(),
        };
        for item in items {
            all.bytes.extend(item.bytes);
            all.events.extend(item.events);
        }
        all
    })
}

#[derive(Debug, Clone)]
enum Content {
    Text(String),
    Binary(Vec<u8>),
}

fn message(content: impl Strategy<Value = Content>) -> impl Strategy<Value = Traffic> {
    // Where it is cut, and the control frames at each cut.
    let cut = (
        any::<prop::sample::Index>(),
        prop::collection::vec(control_frame(), 0..3),
        any::<[u8; 4]>(),
    );
    let cuts = prop::collection::vec(cut, 0..5);
    (content, cuts, any::<[u8; 4]>()).prop_map(|(content, cuts, last_mask)| {
        let (opcode, data, event) = match content {
            Content::Text(text) => (TEXT, text.clone().into_bytes(), Event::Text(text)),
            Content::Binary(data) => (BINARY, data.clone(), Event::Binary(data)),
        };
        let mut cuts: Vec<_> = cuts
            .into_iter()
            .map(|(at, controls, mask)| (at.index(data.len() + 1), controls, mask))
            .collect();
        cuts.sort_by_key(|(at, ..)| *at);
        let (mut bytes, mut events) = (Vec::new(), Vec::new());
        let mut from = 0;
        let mut opcode = opcode;
        for (to, controls, mask) in cuts {
            bytes.extend(masked_frame(opcode, false, &data[from..to], mask));
            for control in controls {
                bytes.extend(control.bytes);
                events.extend(control.events);
            }
            (from, opcode) = (to, CONTINUATION);
        }
        bytes.extend(masked_frame(opcode, true, &data[from..], last_mask));
        events.push(event);
        Traffic { bytes, events }
    })
}

fn control_frame() -> impl Strategy<Value = Traffic> {
    let control = |opcode, payload: &[u8], mask, event| Traffic {
        bytes: masked_frame(opcode, true, payload, mask),
        events: vec![event],
    };
    let payload = || (any_bytes(0..126), any::<[u8; 4]>());
    let code = prop_oneof![1000_u16..1004, 1007_u16..1015, 3000_u16..5000];
    let reason = prop::collection::vec(any::<char>(), 0..30).prop_map(String::from_iter);
    prop_oneof![
        4 => payload().prop_map(move |(payload, mask)| {
            control(PING, &payload, mask, Event::Ping(payload.clone()))
        }),
        4 => payload().prop_map(move |(payload, mask)| {
            control(PONG, &payload, mask, Event::pong(&payload))
        }),
        // The reader leaves it to the connection to stop at it.
        1 => (code, reason, any::<[u8; 4]>()).prop_map(move |(code, reason, mask)| {
            let payload = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
            control(CLOSE, &payload, mask, Event::Close(Some(code)))
        }),
    ]
}

/// Text of any characters, short for the most part, and now and then beyond where the length takes another form.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::collection::vec(any::<char>(), 0..60).prop_map(String::from_iter),
        4 => prop::collection::vec(any::<char>(), 60..200).prop_map(String::from_iter),
        1 => (any::<char>(), 16_000_usize..66_000).prop_map(|(letter, count)| {
            std::iter::repeat_n(letter, count).collect()
        }),
    ]
}

fn any_bytes(size: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), size)
}

/// Valid frames with some bytes changed, taken out or put in, and frames whose heads say anything.
fn broken_traffic() -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<prop::sample::Index>(), any::<u8>(), 0_u8..3);
    let damaged =
        (traffic(), prop::collection::vec(damage, 1..4)).prop_map(|(traffic, damages)| {
            let mut bytes = traffic.bytes;
            bytes.truncate(2_000);
            for (at, byte, how) in damages {
                let at = at.index(bytes.len() + 1);
                match how {
                    0 => bytes.insert(at, byte),
                    _ if at == bytes.len() => {}
                    1 => bytes[at] = byte,
                    _ => drop(bytes.remove(at)),
                }
            }
            bytes
        });
    // Opcodes that exist and no reserved bits, for the most part, so that what comes later is reached.
    let opcode = prop_oneof![
        20 => prop::sample::select(vec![CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG]),
        1 => 0_u8..128,
    ];
    let payload = prop_oneof![
        3 => any_text().prop_map(String::into_bytes),
        1 => any_bytes(0..130),
    ];
    let frame = (opcode, any::<bool>(), payload, any::<[u8; 4]>())
        .prop_map(|(opcode, fin, payload, mask)| masked_frame(opcode, fin, &payload, mask));
    let odd = prop::collection::vec(frame, 0..6).prop_map(|frames| frames.concat());
    prop_oneof![damaged, odd]
}

/// The sizes of the inputs, used again from the first when they are through.
fn splits() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![4 => 1_usize..16, 2 => 1_usize..300, 1 => 1_usize..70_000];
    prop::collection::vec(size, 1..8)
}

// Helpers.

/// What the reader hands out, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
}

impl Event {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    fn binary(data: &[u8]) -> Self {
        Self::Binary(data.to_vec())
    }

    fn ping(payload: &[u8]) -> Self {
        Self::Ping(payload.to_vec())
    }

    fn pong(payload: &[u8]) -> Self {
        Self::Pong(payload.to_vec())
    }
}

impl From<Inbound<'_>> for Event {
    fn from(inbound: Inbound<'_>) -> Self {
        match inbound {
            Inbound::Text(text) => Self::text(text),
            Inbound::Binary(data) => Self::binary(data),
            Inbound::Ping(payload) => Self::ping(payload),
            Inbound::Pong(payload) => Self::pong(payload),
            Inbound::Close(code) => Self::Close(code),
        }
    }
}

/// Reads the bytes at once, one by one, and cut in two at every place; with pauses and without.
#[track_caller]
fn check(bytes: &[u8], events: &[Event], outcome: Result<(), CloseReason>) {
    let expected = (events.to_vec(), outcome);
    let cuts = (1..bytes.len()).map(|at| vec![at, bytes.len()]);
    for splits in [vec![], vec![1]].into_iter().chain(cuts) {
        for pauses in [&[false][..], &[true], &[true, false]] {
            let mut reader = FrameReader::new(MAX_BYTES);
            let got = read_with_pauses(&mut reader, bytes, &splits, pauses);
            assert_eq!(
                got, expected,
                "in inputs of {splits:?} with pauses {pauses:?}"
            );
        }
    }
}

fn read_all(
    reader: &mut FrameReader,
    bytes: &[u8],
    splits: &[usize],
) -> (Vec<Event>, Result<(), CloseReason>) {
    read_with_pauses(reader, bytes, splits, &[false])
}

/// Gives the reader inputs of these sizes, and asks it to pause after a message when it is the turn of a `true`.
/// What it holds is looked at after every read.
fn read_with_pauses(
    reader: &mut FrameReader,
    bytes: &[u8],
    splits: &[usize],
    pauses: &[bool],
) -> (Vec<Event>, Result<(), CloseReason>) {
    let mut events = Vec::new();
    let mut sizes = splits.iter().copied().cycle();
    let mut pauses = pauses.iter().copied().cycle();
    let mut left = bytes;
    while !left.is_empty() {
        let size = sizes.next().unwrap_or(left.len()).min(left.len());
        let (input, later) = left.split_at(size);
        left = later;
        let mut input = input.to_vec();
        let mut at = 0;
        // Also when all is used: the pause may have come at the last byte.
        loop {
            let mut paused = false;
            let used = reader.read(&mut input[at..], |inbound| {
                assert!(!paused, "it goes on after it was asked to pause");
                events.push(inbound.into());
                paused = pauses.next().unwrap_or(false);
                if paused { Flow::Pause } else { Flow::Continue }
            });
            assert_holds_no_more_than_it_may(reader);
            match used {
                Ok(used) => at += used,
                Err(reason) => return (events, Err(reason)),
            }
            if !paused {
                assert_eq!(at, input.len(), "it stopped without being asked to");
                break;
            }
        }
    }
    (events, Ok(()))
}

#[track_caller]
fn assert_holds_no_more_than_it_may(reader: &FrameReader) {
    let FrameReader {
        max_bytes,
        data,
        control,
        ..
    } = reader;
    assert!(data.len() <= *max_bytes, "{} bytes of data", data.len());
    // A vector that grows takes at most twice what it needs.
    let room = max_bytes.saturating_mul(2).max(KEEP_BYTES);
    assert!(data.capacity() <= room, "room for {}", data.capacity());
    assert!(
        control.len() <= CONTROL_MAX_BYTES,
        "{} bytes of control",
        control.len()
    );
}

fn text(content: &str) -> Vec<u8> {
    frame(TEXT, content.as_bytes())
}

/// A whole message, or a control frame.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    masked_frame(opcode, true, payload, MASK)
}

/// A fragment that is not the last.
fn part(opcode: u8, payload: &[u8]) -> Vec<u8> {
    masked_frame(opcode, false, payload, MASK)
}

/// The last fragment.
fn last(payload: &[u8]) -> Vec<u8> {
    frame(CONTINUATION, payload)
}

fn masked_frame(opcode: u8, fin: bool, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = head_with(opcode, fin, payload.len(), mask);
    bytes.extend(masked(payload, mask));
    bytes
}

/// A head whose payload does not follow.
fn head(opcode: u8, fin: bool, length: usize) -> Vec<u8> {
    head_with(opcode, fin, length, MASK)
}

/// As a client writes it: by hand, so that a mistake in [`write_head`] is not made twice.
fn head_with(opcode: u8, fin: bool, length: usize, mask: [u8; 4]) -> Vec<u8> {
    let mut head = vec![if fin { 0x80 | opcode } else { opcode }];
    if let Ok(short @ 0..=125) = u8::try_from(length) {
        head.push(0x80 | short);
    } else if let Ok(medium) = u16::try_from(length) {
        head.push(0x80 | 126);
        head.extend(medium.to_be_bytes());
    } else {
        head.push(0x80 | 127);
        head.extend((length as u64).to_be_bytes());
    }
    head.extend(mask);
    head
}

fn masked(payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let pairs = payload.iter().zip(mask.iter().cycle());
    pairs.map(|(byte, mask)| byte ^ mask).collect()
}
