//! Reads a process's output line by line, with a bound on the length of a line and on how often the process is listened to.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::time::{Instant, sleep_until};

use super::limits::{READ_BYTES, READS_MAX, READS_PERIOD};

/// What becomes of a line that is longer than the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LongLines {
    /// It ends the reading.
    Refused,
    /// What is over is left out.
    Cut,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A line without its end.
    Line(Vec<u8>),
    /// The beginning of a line that was cut.
    CutLine(Vec<u8>),
    /// A line that is too long, whose beginning this is; nothing more can be read.
    TooLong(Vec<u8>),
    /// The output has ended.
    End,
}

/// The lines of an output.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    is_cut: bool,
    max_bytes: usize,
    long: LongLines,
    pace: Pace,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(output: R, max_bytes: usize, long: LongLines) -> Self {
        Self {
            reader: BufReader::with_capacity(READ_BYTES, output),
            line: Vec::new(),
            is_cut: false,
            max_bytes,
            long,
            pace: Pace::new(),
        }
    }

    /// Whether the next line has not come completely yet.
    pub(super) fn is_drained(&self) -> bool {
        !self.reader.buffer().contains(&b'\n')
    }

    /// Waits for the next line. A last one without an end counts.
    pub(super) async fn next(&mut self) -> io::Result<Read> {
        loop {
            if self.reader.buffer().is_empty() {
                self.pace.wait().await;
            }
            let there = self.reader.fill_buf().await?;
            if there.is_empty() {
                return Ok(match self.line.is_empty() {
                    true => Read::End,
                    false => self.take_line(),
                });
            }
            let end = there.iter().position(|byte| *byte == b'\n');
            let part = &there[..end.unwrap_or(there.len())];
            let room = self.max_bytes - self.line.len();
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let is_over = part.len() > room;
            let taken = end.map_or(there.len(), |end| end + 1);
            self.reader.consume(taken);
            self.is_cut |= is_over;
            if is_over && self.long == LongLines::Refused {
                return Ok(Read::TooLong(std::mem::take(&mut self.line)));
            }
            if end.is_some() {
                return Ok(self.take_line());
            }
        }
    }

    fn take_line(&mut self) -> Read {
        let line = std::mem::take(&mut self.line);
        match std::mem::take(&mut self.is_cut) {
            true => Read::CutLine(line),
            false => Read::Line(line),
        }
    }
}

/// Keeps a process from being listened to without a pause.
struct Pace {
    began: Instant,
    reads: u32,
}

impl Pace {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            reads: 0,
        }
    }

    /// Waits until the next look may begin: at once unless there were too many lately.
    async fn wait(&mut self) {
        let over = self.began + READS_PERIOD;
        if self.reads >= READS_MAX {
            sleep_until(over).await;
        }
        if Instant::now() >= over {
            *self = Self::new();
        }
        self.reads += 1;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn lines_of(text: &[u8], max_bytes: usize, long: LongLines) -> Vec<Read> {
        let mut lines = Lines::new(text, max_bytes, long);
        let mut all = Vec::new();
        loop {
            let read = lines.next().await.unwrap();
            let is_last = matches!(read, Read::End | Read::TooLong(_));
            all.push(read);
            if is_last {
                return all;
            }
        }
    }

    fn line(text: &str) -> Read {
        Read::Line(text.into())
    }

    #[tokio::test]
    async fn lines_are_cut_at_their_ends_and_nowhere_else() {
        let read = lines_of(b"one\n\ntwo\r\nthree", 100, LongLines::Refused).await;
        let expect = [
            line("one"),
            line(""),
            line("two\r"),
            line("three"),
            Read::End,
        ];
        assert_eq!(read, expect);
    }

    #[tokio::test]
    async fn a_line_of_the_longest_length_is_one_and_a_longer_one_is_not() {
        let read = lines_of(b"12345\n123456\n1\n", 5, LongLines::Refused).await;
        assert_eq!(read, [line("12345"), Read::TooLong("12345".into())]);
        let read = lines_of(b"12345\n123456\n1\n", 5, LongLines::Cut).await;
        let cut = Read::CutLine("12345".into());
        assert_eq!(read, [line("12345"), cut, line("1"), Read::End]);
    }

    #[tokio::test]
    async fn a_line_without_an_end_takes_no_more_memory_than_its_bound() {
        let endless = vec![b'x'; 10 * READ_BYTES];
        let mut lines = Lines::new(&*endless, 1_000, LongLines::Cut);
        assert_eq!(
            lines.next().await.unwrap(),
            Read::CutLine(vec![b'x'; 1_000])
        );
        assert!(lines.line.capacity() <= 2_048);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_says_much_waits_and_one_that_says_little_does_not() {
        let (mut process, output) = tokio::io::duplex(1);
        let mut lines = Lines::new(output, 100, LongLines::Refused);
        let began = Instant::now();
        // One byte for each look.
        let said = [b'\n'; 2 * READS_MAX as usize + 1];
        let (heard, said) = tokio::join!(
            async {
                let mut heard = Vec::new();
                for _ in 0..said.len() {
                    lines.next().await.unwrap();
                    heard.push(began.elapsed());
                }
                heard
            },
            process.write_all(&said)
        );
        said.unwrap();
        let last_of_first = heard[READS_MAX as usize - 1];
        assert_eq!(last_of_first, std::time::Duration::ZERO);
        assert!(heard[READS_MAX as usize] >= READS_PERIOD);
        assert!(heard[2 * READS_MAX as usize] >= 2 * READS_PERIOD);
    }
}
