//! Any bytes a client may send: they are read the same in every split, and nothing larger than a message may be is ever kept.

use super::*;
use crate::model::fuzz::fuzz;

#[test]
fn fuzz_frames() {
    let corpus = [
        text("ping"),
        [part(TEXT, b"p"), frame(PING, b"a"), last("in€g".as_bytes())].concat(),
        [frame(BINARY, &[0xff; 130]), frame(PONG, b"")].concat(),
        [frame(PING, &[7; 125]), frame(CLOSE, &[3, 232, b'x'])].concat(),
        text(&"x".repeat(MAX_BYTES)),
        frame(TEXT, &[b'x'; 70_000]),
        vec![0x81, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4],
    ];
    let words = [
        "\0",
        "\u{1}",
        "~",
        "\u{7f}",
        "\u{1}\u{7e}\u{1}\0",
        "€",
        "xxxx",
    ];
    fuzz(&corpus, &words, |input| {
        let mut reader = FrameReader::new(MAX_BYTES);
        let whole = read_all(&mut reader, input, &[input.len().max(1)]);
        let kept = reader.data.capacity() + reader.control.capacity();
        assert!(kept <= 4 * MAX_BYTES + KEEP_BYTES, "{kept} bytes are kept");
        for event in &whole.0 {
            let size = match event {
                Event::Text(text) => text.len(),
                Event::Binary(data) | Event::Ping(data) | Event::Pong(data) => data.len(),
                Event::Close(_) => 0,
            };
            assert!(size <= MAX_BYTES, "a message of {size} bytes");
        }
        let pieces = read_all(&mut FrameReader::new(MAX_BYTES), input, &[1, 7, 64]);
        assert_eq!(pieces, whole);
    });
}
