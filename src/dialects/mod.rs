//! The wire protocols that clients speak, each a pure state machine in a folder of its own.
//!
//! A dialect turns messages into [`Step`]s, and replies and events into messages.
//! It never awaits, reads no clock, owns no socket and knows neither the core nor another dialect; everything the server asks of it is here:
//!
//! 1. Its [`Profile`] says where it is opened and by which limits.
//! 2. Its handshake reads the head of the request: the client's credentials, or why the client is refused.
//! 3. A [`Session`] is opened, receives messages, and gets the answers to its requests.
//! 4. [`encode`] writes an event once for all who follow it in one [`Form`]. A form that [`Form::is_for_session`] is written by no one: each follower's session gets the event.
//! 5. A [`Surroundings`] is what it makes of the building, once for all sessions; sessions that look around are told of each new one.
//! 6. Its goodbye says why a connection ends.

#[cfg(test)]
pub mod echo;
mod fields;
#[cfg(test)]
mod golden;
mod handshake;
pub mod home_assistant;
mod hook_request;
mod out;
pub mod placeos;
pub mod platypush;
mod profile;
pub mod pusher;
pub mod pushjet;
#[cfg(test)]
mod told;

pub use handshake::{Admission, Basic, Handshake, Head, Rejection};
pub use hook_request::hook_request;
pub use out::{Alarm, Ambient, CloseFrame, Incoming, Out, Receipt, Step, Wanted};
pub use profile::{
    Carrier, DialectSettings, KeepAlive, LooksAround, Profile, PusherSettings, RefusalTime,
};

use std::sync::Arc;

use crate::model::{
    BuildingView, CloseReason, Event, Failure, FollowId, Newest, Reply, Ticket, User,
};

/// Makes the list of dialects what the server sees of them. Each line names a dialect and its folder, which has
/// the word `NAME`, the types `Hello`, `Form`, `View` and `Session`, and the functions `profile`, `handshake`, `goodbye`, `encode` and `is_for_session`.
macro_rules! registry {
    ($($(#[$only:meta])* $dialect:ident = $folder:ident;)+) => {
        /// Which dialect a connection speaks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DialectKind {
            $($(#[$only])* #[doc = concat!("See [`", stringify!($folder), "`].")] $dialect,)+
        }

        /// A dialect's way to write an event: the dialect and a variant of it. Events are encoded once per form,
        /// and a form is for one carrier: a dialect with two of them has a form for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Form {
            $($(#[$only])* #[doc = concat!("See [`", stringify!($folder), "`].")] $dialect($folder::Form),)+
            /// All that an event says, for tests of the server.
            #[cfg(test)]
            Told,
        }

        /// What a connection says of itself in its handshake.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Hello {
            $($(#[$only])* #[doc = concat!("See [`", stringify!($folder), "`].")] $dialect($folder::Hello),)+
        }

        impl Form {
            /// Whether events in it go to the session of each follower, by [`Session::event`], and are not written for all at once.
            pub fn is_for_session(self) -> bool {
                match self {
                    $($(#[$only])* Self::$dialect(form) => $folder::is_for_session(form),)+
                    #[cfg(test)]
                    Self::Told => false,
                }
            }
        }

        /// The building, and what each dialect makes of it. Shared by all workers, and replaced when the building changes.
        #[derive(Debug, Default)]
        pub struct Surroundings {
            /// The building itself.
            pub building: Arc<BuildingView>,
            $($(#[$only])* #[doc = concat!("See [`", stringify!($folder), "`].")] pub $folder: $folder::View,)+
        }

        impl Surroundings {
            /// Those that this building makes. What the ones before know goes on in them.
            pub fn new(building: BuildingView, before: &Self) -> Self {
                let building = Arc::new(building);
                Self {
                    $($(#[$only])* $folder: View::new(&building, &before.$folder),)+
                    building,
                }
            }
        }

        #[derive(Debug)]
        enum Inner {
            $($(#[$only])* $dialect($folder::Session),)+
        }

        impl Hello {
            /// Which dialect says it.
            pub fn kind(&self) -> DialectKind {
                match self {
                    $($(#[$only])* Self::$dialect(_) => DialectKind::$dialect,)+
                }
            }
        }

        impl DialectKind {
            /// Every dialect.
            pub const ALL: &[Self] = &[$($(#[$only])* Self::$dialect,)+];

            /// The word in logs and on counters.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($(#[$only])* Self::$dialect => $folder::NAME,)+
                }
            }

            /// The dialect with this word.
            pub fn of_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
            }

            /// What the server has to know of it.
            pub fn profile(self, settings: &DialectSettings) -> Profile {
                match self {
                    $($(#[$only])* Self::$dialect => $folder::profile(settings),)+
                }
            }

            /// Reads the head of a request for one of its paths.
            pub fn handshake(self, head: &Head<'_>) -> Handshake {
                match self {
                    $($(#[$only])* Self::$dialect => $folder::handshake(head),)+
                }
            }

            /// Says why a connection ends, in messages and in the close frame; without one nothing more is said.
            pub fn goodbye(self, why: CloseReason, out: &mut Out<'_>) -> Option<CloseFrame> {
                match self {
                    $($(#[$only])* Self::$dialect => $folder::goodbye(why, out),)+
                }
            }
        }

        impl Session {
            /// Begins a connection. Whatever the dialect says first is put into `out`.
            pub fn open(hello: Hello, ambient: &Ambient<'_>, out: &mut Out<'_>) -> Self {
                Self(match hello {
                    $($(#[$only])* Hello::$dialect(hello) => {
                        Inner::$dialect($folder::Session::open(hello, ambient, out))
                    })+
                })
            }

            /// Takes one message and says what to do.
            pub fn receive(&mut self, message: Incoming<'_>, ambient: &Ambient<'_>, out: &mut Out<'_>) {
                match &mut self.0 {
                    $($(#[$only])* Inner::$dialect(session) => session.receive(message, ambient, out),)+
                }
            }

            /// Answers one request. A ticket that is not open is passed over.
            pub fn reply(
                &mut self,
                ticket: Ticket,
                reply: Result<Reply, Failure>,
                ambient: &Ambient<'_>,
                out: &mut Out<'_>,
            ) {
                match &mut self.0 {
                    $($(#[$only])* Inner::$dialect(session) => session.reply(ticket, reply, ambient, out),)+
                }
            }

            /// Takes the outcome of a [`Step::Authenticate`].
            pub fn identified(
                &mut self,
                found: Shown<'_>,
                ambient: &Ambient<'_>,
                out: &mut Out<'_>,
            ) {
                match &mut self.0 {
                    $($(#[$only])* Inner::$dialect(session) => session.identified(found, ambient, out),)+
                }
            }

            /// Takes an event of what it follows in a form that [`Form::is_for_session`].
            pub fn event(
                &mut self,
                follow: FollowId,
                event: &Event,
                ambient: &Ambient<'_>,
                out: &mut Out<'_>,
            ) {
                match &mut self.0 {
                    $($(#[$only])* Inner::$dialect(session) => session.event(follow, event, ambient, out),)+
                }
            }

            /// The building around it has changed; `before` is what was in [`Ambient::surroundings`] until now.
            pub fn looked_around(
                &mut self,
                before: &Surroundings,
                ambient: &Ambient<'_>,
                out: &mut Out<'_>,
            ) {
                match &mut self.0 {
                    $($(#[$only])* Inner::$dialect(session) => session.looked_around(before, ambient, out),)+
                }
            }

            /// The time of an alarm has come.
            pub fn alarm(&mut self, alarm: Alarm, ambient: &Ambient<'_>, out: &mut Out<'_>) {
                match &mut self.0 {
                    $($(#[$only])* Inner::$dialect(session) => session.alarm(alarm, ambient, out),)+
                }
            }

            /// The client has got what a [`Step::Confirm`] was put behind.
            pub fn confirmed(&mut self, receipt: Receipt, ambient: &Ambient<'_>, out: &mut Out<'_>) {
                match &mut self.0 {
                    $($(#[$only])* Inner::$dialect(session) => session.confirmed(receipt, ambient, out),)+
                }
            }

            /// Which dialect it speaks.
            pub fn kind(&self) -> DialectKind {
                match &self.0 {
                    $($(#[$only])* Inner::$dialect(_) => DialectKind::$dialect,)+
                }
            }
        }

        /// Writes an event in a form, without what differs between subscribers. Replaces what `out` held.
        ///
        /// `newest` has what the watch said last beside this event: of a followed module, what its other statuses say.
        pub fn encode(
            form: Form,
            event: &Event,
            newest: &Newest,
            surroundings: &Surroundings,
            out: &mut Encoded,
        ) {
            out.clear();
            match form {
                $($(#[$only])* Form::$dialect(form) => {
                    $folder::encode(form, event, newest, surroundings, out)
                })+
                #[cfg(test)]
                Form::Told => told::encode(event, newest, out),
            }
        }
    };
}

registry! {
    PlaceOs = placeos;
    HomeAssistant = home_assistant;
    Pusher = pusher;
    Pushjet = pushjet;
    Platypush = platypush;
    #[cfg(test)]
    Echo = echo;
}

/// What a dialect makes of the building, once for all its sessions. A dialect that makes nothing of it has `()`.
pub trait View: Default {
    /// What it makes of this building; `before` is what it made of the one before.
    fn new(building: &Arc<BuildingView>, before: &Self) -> Self;
}

impl View for () {
    fn new(_: &Arc<BuildingView>, (): &Self) -> Self {}
}

/// Who showed the credentials of a [`Step::Authenticate`]: a user, or another identity; or why they are not good.
pub type Shown<'u> = Result<Option<&'u User>, Failure>;

/// The state of one connection in its dialect.
///
/// It begins with an unknown client or with a caller of good credentials, as its handshake decided.
#[derive(Debug)]
pub struct Session(Inner);

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

    fn clear(&mut self) {
        self.bytes.clear();
        self.frames.clear();
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
