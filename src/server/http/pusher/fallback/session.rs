//! One page's session: a connection, and the requests by which the page takes part in it.

use std::future::pending;
use std::mem;

use actix_web::web::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::dialects::pusher::fallback::{HEARTBEAT, OPEN, end, frames};
use crate::server::limits::{POLL_GAP_MAX, POLL_HEARTBEAT, SENT_BODIES_MAX, UNTOLD_MAX_BYTES};
use crate::server::ws::local::{LocalClient, ToClient};

/// What a page is told when its connection has ended without a word.
const LOST: (u16, &str) = (1006, "The connection is lost");

/// Lines that may be under way to one request: the next is made when it is wanted.
const LINES_AHEAD: usize = 1;

/// Requests that may wait to be heard; each takes the place of the one before.
const RECEIVERS_WAITING: usize = 4;

/// How many lines a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// As many as there are.
    Lasting,
    /// One, and then it is answered.
    OneLine,
}

/// A request that is told what there is. Its answer ends when this is dropped.
#[derive(Debug)]
pub(super) struct Receiver {
    patience: Patience,
    lines: mpsc::Sender<Bytes>,
}

impl Receiver {
    /// One, and what it is told.
    pub(super) fn new(patience: Patience) -> (Self, mpsc::Receiver<Bytes>) {
        let (lines, told) = mpsc::channel(LINES_AHEAD);
        (Self { patience, lines }, told)
    }
}

/// How the requests of a page reach its session.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    frames: mpsc::Sender<Vec<String>>,
    receivers: mpsc::Sender<Receiver>,
}

impl Handle {
    /// Sends frames; `false` when too many wait or the session has ended.
    pub(super) fn send(&self, frames: Vec<String>) -> bool {
        self.frames.try_send(frames).is_ok()
    }

    /// Lets a request hear what there is, in the place of the one before; `false` when the session has ended.
    pub(super) fn attach(&self, receiver: Receiver) -> bool {
        self.receivers.try_send(receiver).is_ok()
    }
}

/// A session that is not running yet, and the way to it.
pub(super) fn new(client: LocalClient) -> (Handle, Session) {
    let (frames, sent) = mpsc::channel(SENT_BODIES_MAX);
    let (receivers, asked) = mpsc::channel(RECEIVERS_WAITING);
    let now = Instant::now();
    let session = Session {
        client,
        sent,
        asked,
        receiver: None,
        has_begun: false,
        untold: Vec::new(),
        untold_bytes: 0,
        end: None,
        since: now,
        answer_due: None,
    };
    (Handle { frames, receivers }, session)
}

/// A running session.
#[derive(Debug)]
pub(super) struct Session {
    client: LocalClient,
    sent: mpsc::Receiver<Vec<String>>,
    asked: mpsc::Receiver<Receiver>,
    /// The request that hears what there is.
    receiver: Option<Receiver>,
    /// Whether the first line has been told.
    has_begun: bool,
    /// Frames that no request has been told yet, and how many bytes they are.
    untold: Vec<String>,
    untold_bytes: usize,
    /// How the connection has ended.
    end: Option<(u16, String)>,
    /// When the last line was told, or the last request ended.
    since: Instant,
    /// By when the page has to answer a sign of life: the end of a stream is noticed only when it is written to.
    answer_due: Option<Instant>,
}

/// What a session goes on for.
enum Turn {
    Asked(Option<Receiver>),
    Sent(Option<Vec<String>>),
    Ready,
    Room,
    ReceiverGone,
    Silence,
}

impl Session {
    /// Runs until the page has been told the end, or has gone.
    pub(super) async fn run(mut self) {
        while self.turn().await {}
    }

    /// Does what comes next; `false` at the end.
    async fn turn(&mut self) -> bool {
        let deadline = match (self.answer_due, &self.receiver) {
            (Some(due), _) => due,
            (None, Some(_)) => self.since + POLL_HEARTBEAT,
            (None, None) => self.since + POLL_GAP_MAX,
        };
        let has_news = !self.has_begun || !self.untold.is_empty() || self.end.is_some();
        let goes_on = self.end.is_none();
        let is_read = goes_on && self.untold_bytes < UNTOLD_MAX_BYTES;
        // Nothing is lost when one of these is given up for another.
        let turn = tokio::select! {
            biased;
            receiver = self.asked.recv() => Turn::Asked(receiver),
            () = room_in(self.receiver.as_ref()), if has_news => Turn::Room,
            () = end_of(self.receiver.as_ref()) => Turn::ReceiverGone,
            frames = self.sent.recv(), if goes_on && self.client.is_written() => Turn::Sent(frames),
            _ = self.client.ready(is_read), if goes_on => Turn::Ready,
            () = sleep_until(deadline) => Turn::Silence,
        };
        match turn {
            Turn::Asked(Some(receiver)) => {
                self.receiver = Some(receiver);
                self.since = Instant::now();
                self.answer_due = None;
            }
            // Every way to the session is gone, which the table still has: it cannot be.
            Turn::Asked(None) | Turn::Sent(None) => return false,
            Turn::Sent(Some(frames)) => {
                self.answer_due = None;
                for frame in frames {
                    self.client.put(&frame);
                }
                self.exchange();
            }
            Turn::Ready => self.exchange(),
            Turn::Room => return self.tell(),
            Turn::ReceiverGone => {
                self.receiver = None;
                self.since = Instant::now();
            }
            Turn::Silence => match &self.receiver {
                Some(receiver) if self.answer_due.is_none() => {
                    // Without room a line is under way, which is a sign of life too.
                    let _ = receiver
                        .lines
                        .try_send(Bytes::from_static(HEARTBEAT.as_bytes()));
                    self.told();
                    let answers = self.receiver.is_some();
                    self.answer_due = answers.then(|| self.since + POLL_GAP_MAX);
                }
                Some(_) | None => return false,
            },
        }
        true
    }

    /// Tells the request what there is; `false` when that was the end.
    fn tell(&mut self) -> bool {
        let receiver = self.receiver.as_ref();
        let Some(place) = receiver.and_then(|receiver| receiver.lines.try_reserve().ok()) else {
            // It has ended; what there is waits for the next one.
            self.receiver = None;
            return true;
        };
        let (line, is_last) = next_line(&mut self.has_begun, &mut self.untold, self.end.as_ref());
        place.send(Bytes::from(line));
        if self.untold.is_empty() {
            self.untold_bytes = 0;
        }
        self.told();
        !is_last
    }

    /// Writes to the connection and reads from it.
    fn exchange(&mut self) {
        let mut said = Vec::new();
        let exchanged = self.client.turn(&mut said);
        for said in said {
            match said {
                ToClient::Text(frame) => {
                    self.untold_bytes += frame.len();
                    self.untold.push(frame);
                }
                ToClient::Close(code, text) => {
                    self.end.get_or_insert((code, text));
                }
            }
        }
        if exchanged.is_err() {
            self.end.get_or_insert((LOST.0, LOST.1.to_owned()));
        }
    }

    /// The request has been told a line.
    fn told(&mut self) {
        self.since = Instant::now();
        let receiver = self.receiver.take();
        self.receiver = receiver.filter(|receiver| receiver.patience == Patience::Lasting);
    }
}

/// The line that is next, and whether it is the last of all.
fn next_line(
    has_begun: &mut bool,
    untold: &mut Vec<String>,
    ended: Option<&(u16, String)>,
) -> (String, bool) {
    if !*has_begun {
        *has_begun = true;
        return (OPEN.to_owned(), false);
    }
    match ended {
        Some((code, text)) if untold.is_empty() => (end(*code, text), true),
        _ => (frames(&mem::take(untold)), false),
    }
}

/// Waits for room for a line, or for the end of the request, if there is one.
async fn room_in(receiver: Option<&Receiver>) {
    match receiver {
        Some(receiver) => drop(receiver.lines.reserve().await),
        None => pending().await,
    }
}

/// Waits for the end of a request, if there is one.
async fn end_of(receiver: Option<&Receiver>) {
    match receiver {
        Some(receiver) => receiver.lines.closed().await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixStream;

    use super::*;

    /// A session, what its connection writes to, and the lines of its first request.
    fn session(patience: Patience) -> (Handle, Session, UnixStream, mpsc::Receiver<Bytes>) {
        let (client, server) = UnixStream::pair().expect("a pair of sockets");
        let (handle, session) = new(LocalClient::new(client));
        let (receiver, lines) = Receiver::new(patience);
        assert!(handle.attach(receiver));
        (handle, session, server, lines)
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_answers_signs_of_life_is_kept_and_one_that_does_not_is_not() {
        let (handle, session, _server, mut lines) = session(Patience::Lasting);
        let page = async {
            assert_eq!(lines.recv().await, Some(Bytes::from(OPEN)));
            for _ in 0..3 {
                assert_eq!(lines.recv().await, Some(Bytes::from(HEARTBEAT)));
                assert!(handle.send(Vec::new()));
            }
            assert_eq!(lines.recv().await, Some(Bytes::from(HEARTBEAT)));
            let asked = Instant::now();
            assert_eq!(lines.recv().await, None);
            assert_eq!(asked.elapsed().as_secs(), POLL_GAP_MAX.as_secs());
        };
        tokio::join!(session.run(), page);
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_polls_gets_one_line_a_request_and_is_missed_when_no_more_comes() {
        let (handle, session, _server, mut lines) = session(Patience::OneLine);
        let page = async {
            assert_eq!(lines.recv().await, Some(Bytes::from(OPEN)));
            assert_eq!(lines.recv().await, None);
            let (receiver, mut lines) = Receiver::new(Patience::OneLine);
            assert!(handle.attach(receiver));
            assert_eq!(lines.recv().await, Some(Bytes::from(HEARTBEAT)));
            assert_eq!(lines.recv().await, None);
        };
        let began = Instant::now();
        tokio::join!(session.run(), page);
        let expected = POLL_HEARTBEAT + POLL_GAP_MAX;
        assert_eq!(began.elapsed().as_secs(), expected.as_secs());
    }

    #[tokio::test]
    async fn a_page_is_told_that_its_connection_is_lost() {
        let (_handle, session, server, mut lines) = session(Patience::Lasting);
        drop(server);
        let page = async {
            assert_eq!(lines.recv().await, Some(Bytes::from(OPEN)));
            assert_eq!(lines.recv().await, Some(Bytes::from(end(LOST.0, LOST.1))));
            assert_eq!(lines.recv().await, None);
        };
        tokio::join!(session.run(), page);
    }

    #[test]
    fn a_session_begins_tells_its_frames_and_ends_in_this_order() {
        let mut has_begun = false;
        let mut untold = vec!["1".to_owned(), "2".to_owned()];
        let ended = (4200, "later".to_owned());
        let mut next = || next_line(&mut has_begun, &mut untold, Some(&ended));
        assert_eq!(next(), (OPEN.to_owned(), false));
        assert_eq!(next(), ("a[\"1\",\"2\"]\n".to_owned(), false));
        assert_eq!(next(), ("c[4200,\"later\"]\n".to_owned(), true));
    }
}
