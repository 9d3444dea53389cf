//! The wire protocols that clients speak, each a pure state machine in a folder of its own.
//!
//! A dialect turns text into [`Step`]s, and replies and events into text.
//! It never awaits, owns no socket and knows neither the core nor another dialect; the server drives it with four verbs:
//! [`Session::open`], [`Session::receive`], [`Session::reply`] and the free function [`encode`].

pub mod placeos;
#[cfg(test)]
mod told;

use crate::model::{Event, Failure, Newest, Reply, Request, Ticket};

/// Which dialect a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialectKind {
    /// PlaceOS's real-time websocket.
    PlaceOs,
}

impl DialectKind {
    /// The word in logs and on counters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlaceOs => "placeos",
        }
    }
}

/// A dialect's way to write an event: the dialect and a variant of it. Events are encoded once per form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// PlaceOS's frames.
    PlaceOs(placeos::ValueForm),
    /// All that an event says, for tests of the server.
    #[cfg(test)]
    Told,
}

/// What a connection says of itself in its handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hello {
    /// PlaceOS's websocket, with values in this form.
    PlaceOs(placeos::ValueForm),
}

/// What makes one subscriber's copy of an event differ from another's: a few bytes that stand in each frame of an [`Encoded`].
///
/// Every binding has one, so it is 16 bytes, and short ones, as ids are, take no memory of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice(Inline);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Inline {
    Short {
        length: u8,
        bytes: [u8; INLINE_MAX_BYTES],
    },
    Long(Box<Box<[u8]>>),
}

/// What fits beside the length and the mark of the variant.
const INLINE_MAX_BYTES: usize = 14;

impl Splice {
    /// A splice of this text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = text.as_ref().as_bytes();
        let mut bytes = [0; INLINE_MAX_BYTES];
        let short = bytes
            .get_mut(..text.len())
            .zip(u8::try_from(text.len()).ok());
        let Some((place, length)) = short else {
            return Self(Inline::Long(Box::new(Box::from(text))));
        };
        place.copy_from_slice(text);
        Self(Inline::Short { length, bytes })
    }

    /// The bytes to put into the frame.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Inline::Short { length, bytes } => &bytes[..usize::from(*length)],
            Inline::Long(bytes) => bytes,
        }
    }
}

impl Default for Splice {
    fn default() -> Self {
        Self::new("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_splice_is_small_and_keeps_any_text() {
        assert_eq!(size_of::<Splice>(), 16);
        for length in [0, 1, INLINE_MAX_BYTES, INLINE_MAX_BYTES + 1, 5_000] {
            let text = "7".repeat(length);
            assert_eq!(Splice::new(&text).as_bytes(), text.as_bytes());
        }
    }
}

/// An event as the texts of frames, but for the splice in each: one frame, as a rule, and none where a form has nothing to say.
#[derive(Debug, Default)]
pub struct Encoded {
    bytes: Vec<u8>,
    /// Of each frame where the splice goes and where the frame ends.
    frames: Vec<(usize, usize)>,
}

impl Encoded {
    /// Adds a frame: the text before the splice, then what `rest` writes behind it.
    pub fn frame(&mut self, head: &[u8], rest: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.extend_from_slice(head);
        let splice_at = self.bytes.len();
        rest(&mut self.bytes);
        self.frames.push((splice_at, self.bytes.len()));
    }

    /// The frames, each as the texts before and behind the splice.
    pub fn frames(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.frames.iter().map(move |&(splice_at, end)| {
            let head = &self.bytes[start..splice_at];
            start = end;
            (head, &self.bytes[splice_at..end])
        })
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The bytes of all frames, without the splices.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// What the server is to do next for a connection.
#[derive(Debug)]
pub enum Step {
    /// Send this text, in the place of a reply.
    Send(String),
    /// Ask the core. The answer goes to [`Session::reply`] with the ticket.
    /// Form and splice belong to what is followed by it, and mean nothing for requests that follow nothing.
    Request {
        /// Which open request this is.
        ticket: Ticket,
        /// What is asked.
        request: Request,
        /// How the events that will come are written.
        form: Form,
        /// This subscriber's part of them.
        splice: Splice,
    },
    /// A request was refused before it reached the core, for the audit log. Its answer has been sent.
    Refused {
        /// What was asked, cut to a reasonable length.
        command: String,
    },
}

/// The state of one connection in its dialect.
#[derive(Debug)]
pub struct Session(Inner);

#[derive(Debug)]
enum Inner {
    PlaceOs(placeos::Session),
}

impl Session {
    /// Begins a connection. Whatever the dialect says first is put into `steps`.
    pub fn open(hello: Hello, steps: &mut Vec<Step>) -> Self {
        match hello {
            Hello::PlaceOs(form) => Self(Inner::PlaceOs(placeos::Session::open(form, steps))),
        }
    }

    /// Takes the text of one message and says what to do.
    pub fn receive(&mut self, text: &str, steps: &mut Vec<Step>) {
        match &mut self.0 {
            Inner::PlaceOs(session) => session.receive(text, steps),
        }
    }

    /// Answers one request: appends the text of one frame to `out`. A ticket that is not open appends nothing.
    pub fn reply(&mut self, ticket: Ticket, reply: Result<Reply, Failure>, out: &mut Vec<u8>) {
        match &mut self.0 {
            Inner::PlaceOs(session) => session.reply(ticket, reply, out),
        }
    }

    /// A text that keeps proxies and clients from giving the connection up, sent from time to time.
    pub fn keep_alive(&self) -> Option<&'static str> {
        match &self.0 {
            Inner::PlaceOs(_) => Some(placeos::PONG),
        }
    }
}

/// Writes an event in a form, without what differs between subscribers. Replaces what `out` held.
///
/// `_newest`, which no dialect asks for as yet, has what the watch said last beside this event: of a followed module, what its other statuses say.
pub fn encode(form: Form, event: &Event, _newest: &Newest, out: &mut Encoded) {
    out.bytes.clear();
    out.frames.clear();
    match form {
        Form::PlaceOs(form) => placeos::encode(form, event, out),
        #[cfg(test)]
        Form::Told => told::encode(event, _newest, out),
    }
}
