//! The lines of PJLink: what is sent, how an answer reads, and how a connection is signed in to.
//!
//! Facts are from the PJLink specifications 1.04 (class 1) and 2.00 (class 2) of the JBMIA, sections 2 to 5.
//! What the values mean is in `values`; when which of them is asked for is in `reader`.

use std::fmt::Write as _;

use driver_sdk::Error;
use driver_sdk::transport::{Command, Device, Message, REFUSED};
use md5::{Digest, Md5};

/// The port of PJLink.
pub(crate) const PORT: u16 = 4352;

/// The code of an error that says the device has no such function, as HTTP has it.
const NOT_IMPLEMENTED: u16 = 501;

/// The code of an error that says the device has no such value.
const BAD_VALUE: u16 = 400;

/// The code of an error that says the device cannot do it in its present state.
const NOT_NOW: u16 = 409;

/// The class of a projector, or of a command: what is new in class 2 is marked by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Class {
    #[default]
    One,
    Two,
}

impl Class {
    /// Reads the answer to `CLSS ?`.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        match value {
            "1" => Some(Self::One),
            "2" => Some(Self::Two),
            _ => None,
        }
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

/// A line to a projector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    class: Class,
    /// Four letters.
    body: &'static str,
    parameter: String,
}

impl Line {
    /// A question.
    pub(crate) fn ask(class: Class, body: &'static str) -> Self {
        Self::set(class, body, "?")
    }

    /// An order.
    pub(crate) fn set(class: Class, body: &'static str, parameter: impl Into<String>) -> Self {
        let parameter = parameter.into();
        Self {
            class,
            body,
            parameter,
        }
    }

    /// Sends the line and gives the answer. It fails when there is none, and when the projector wants another password.
    ///
    /// PJLink has no order that means something else the second time, so a line whose connection breaks is sent again.
    pub(crate) async fn send(&self, device: &Device) -> Result<Answer, Error> {
        self.send_behind("", device).await
    }

    /// The same behind the digest that signs in.
    async fn send_behind(&self, digest: &str, device: &Device) -> Result<Answer, Error> {
        let body = self.body;
        let command = Command::new(format!("{digest}{self}\r"))
            .answered_by(move |message| Answer::find(body, message).is_some())
            .idempotent(1);
        let message = device.ask(command).await?;
        match Answer::find(body, &message) {
            Some(Found::Answer(value)) => Ok(Answer::of(value)),
            Some(Found::SignInRefused) => Err(password_refused()),
            None => Err(Error::new("the projector has answered something else")),
        }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (class, body) = (self.class.number(), self.body);
        write!(f, "%{class}{body} {}", self.parameter)
    }
}

/// What a projector says to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// `OK`, or what was asked for.
    Value(String),
    Refused(Refusal),
}

/// Why a projector does not do what a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// `ERR1`: it does not know the command, or does not have what it is about.
    Undefined,
    /// `ERR2`: it does not have this value.
    OutOfRange,
    /// `ERR3`: it cannot at this time.
    Unavailable,
    /// `ERR4`: it is broken.
    Failure,
}

/// What a message is to somebody who waits for an answer.
enum Found {
    /// The answer, with this behind the `=`.
    Answer(String),
    /// `PJLINK ERRA`.
    SignInRefused,
}

impl Answer {
    /// Whether a message answers a command. The class is not looked at: projectors answer a command of class 2 with class 1 when they do not know it.
    fn find(body: &str, message: &Message) -> Option<Found> {
        let text = message.text();
        if is_refused_sign_in(&text) {
            return Some(Found::SignInRefused);
        }
        let (answered, value) = split(&text)?;
        let is_it = answered.eq_ignore_ascii_case(body);
        let value = value.trim_matches([' ', '\0']);
        is_it.then(|| Found::Answer(value.to_owned()))
    }

    fn of(value: String) -> Self {
        let refusal = match value.to_ascii_uppercase().as_str() {
            "ERR1" => Refusal::Undefined,
            "ERR2" => Refusal::OutOfRange,
            "ERR3" => Refusal::Unavailable,
            "ERR4" => Refusal::Failure,
            _ => return Self::Value(value),
        };
        Self::Refused(refusal)
    }
}

impl Refusal {
    /// The refusal for the person who called.
    pub(crate) fn to_error(self) -> Error {
        let (code, message) = match self {
            Self::Undefined => (
                NOT_IMPLEMENTED,
                "the projector does not have this function (ERR1)",
            ),
            Self::OutOfRange => (
                BAD_VALUE,
                "the projector does not have what it is to be set to (ERR2)",
            ),
            Self::Unavailable => (
                NOT_NOW,
                "the projector cannot do that now, as when it is off, warming up or cooling down (ERR3)",
            ),
            Self::Failure => (
                Error::DEFAULT_CODE,
                "the projector reports a failure of its own (ERR4); look at its status `errors`",
            ),
        };
        Error::new(message).with_code(code)
    }
}

/// Which messages of a connection are PJLink: the first, which has to greet, and the answers.
///
/// A projector that sends noise is as lost as one that is silent.
pub(crate) fn filter() -> impl FnMut(&Message) -> bool + Send + 'static {
    let mut is_first = true;
    move |message| {
        let text = message.text();
        std::mem::replace(&mut is_first, false)
            || split(&text).is_some()
            || is_refused_sign_in(&text)
    }
}

/// The command that a line answers, and what is behind its `=`: `%1POWR=0`.
fn split(line: &str) -> Option<(&str, &str)> {
    let (head, value) = line.split_at_checked(7)?;
    let head = head.strip_prefix('%')?.strip_suffix('=')?;
    let (class, body) = head.split_at_checked(1)?;
    let is_head = class.starts_with(|it: char| it.is_ascii_digit())
        && body.chars().all(|it| it.is_ascii_alphanumeric());
    is_head.then_some((body, value))
}

fn is_refused_sign_in(line: &str) -> bool {
    line.trim().eq_ignore_ascii_case("PJLINK ERRA")
}

/// What a projector says first on a connection.
#[derive(Debug, PartialEq, Eq)]
enum Greeting {
    /// Come in.
    Open,
    /// Come in with the password and this, by MD5.
    Seed(String),
    /// It lets nobody in.
    Refused,
}

impl Greeting {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        if !words.next()?.eq_ignore_ascii_case("PJLINK") {
            return None;
        }
        match (words.next()?, words.next()) {
            ("0", None) => Some(Self::Open),
            ("1", Some(seed)) => Some(Self::Seed(seed.to_owned())),
            (word, None) if word.eq_ignore_ascii_case("ERRA") => Some(Self::Refused),
            _ => None,
        }
    }
}

/// Signs in to a connection that has just been opened.
///
/// The digest goes in front of the first line and of no other. That line asks for the power, which every projector answers.
pub(crate) async fn sign_in(device: &Device, password: Option<&str>) -> Result<(), Error> {
    let greeting = device.ask(Command::listen()).await?.text();
    let seed = match Greeting::parse(&greeting) {
        Some(Greeting::Open) => return Ok(()),
        Some(Greeting::Seed(seed)) => seed,
        Some(Greeting::Refused) => return Err(password_refused()),
        None => return Err(Error::new("what answers there speaks no PJLink")),
    };
    let Some(password) = password else {
        let message = "it wants a password; write `password` into the settings";
        return Err(Error::new(message).with_code(REFUSED));
    };
    let digest = digest(&seed, password);
    let question = Line::ask(Class::One, "POWR");
    question.send_behind(&digest, device).await.map(drop)
}

/// The MD5 of the seed with the password behind it, in lower-case digits.
fn digest(seed: &str, password: &str) -> String {
    let mut digits = String::with_capacity(32);
    for byte in Md5::digest(format!("{seed}{password}")) {
        // Writing to a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

fn password_refused() -> Error {
    Error::new("it refuses the password").with_code(REFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_specification() {
        // The example of section 5.1.
        assert_eq!(
            digest("498e4a67", "JBMIAProjectorLink"),
            "5d8409bc1c3fa39749434aa3a5c38682"
        );
    }

    #[test]
    fn a_greeting_is_read_in_either_case() {
        let check = |text, expect| assert_eq!(Greeting::parse(text), expect, "{text}");
        check("PJLINK 0", Some(Greeting::Open));
        check("pjlink 0 ", Some(Greeting::Open));
        let seed = "498e4a67".to_owned();
        check("PJLINK 1 498e4a67", Some(Greeting::Seed(seed)));
        check("PJLINK ERRA", Some(Greeting::Refused));
        for text in [
            "",
            "PJLINK",
            "PJLINK 1",
            "PJLINK 2 x",
            "SSH-2.0-x",
            "%1POWR=0",
        ] {
            check(text, None);
        }
    }

    /// What is behind the `=` of an answer to `POWR`.
    fn value(line: &[u8]) -> Option<String> {
        match Answer::find("POWR", &Message::from(line.to_vec()))? {
            Found::Answer(value) => Some(value),
            Found::SignInRefused => Some("refused".to_owned()),
        }
    }

    #[test]
    fn an_answer_is_known_by_its_command() {
        for (line, expect) in [
            (&b"%1POWR=0"[..], Some("0")),
            (b"%2powr=OK ", Some("OK")),
            (b"%1POWR=", Some("")),
            (b"%1POWR=caf\xe9", Some("caf\u{e9}")),
            (b"PJLINK ERRA", Some("refused")),
            (b"%1INPT=31", None),
            (b"%1POWR 0", None),
            (b"%1POW", None),
            (b"%xPOWR=0", None),
            (b"POWR=0", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"", None),
        ] {
            assert_eq!(value(line).as_deref(), expect, "{line:?}");
        }
    }

    #[test]
    fn a_refusal_is_no_value() {
        for (value, expect) in [
            ("ERR1", Answer::Refused(Refusal::Undefined)),
            ("err2", Answer::Refused(Refusal::OutOfRange)),
            ("ERR3", Answer::Refused(Refusal::Unavailable)),
            ("ERR4", Answer::Refused(Refusal::Failure)),
            ("ERR5", Answer::Value("ERR5".to_owned())),
        ] {
            assert_eq!(Answer::of(value.to_owned()), expect);
        }
    }
}
