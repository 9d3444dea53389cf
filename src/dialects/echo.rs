//! The smallest dialect that uses all of the seam: it says back what it hears. There for tests, and as an example.
//!
//! `sign-in <key>` signs in; `later` sets an alarm; `bind` and `exec` take a system, a module and a status or function;
//! `gather` follows a status and its whole module at one moment.
#![expect(missing_docs, reason = "the registry documents them")]

use std::sync::Arc;
use std::time::Duration;

use crate::dialects::{
    Admission, Alarm, Ambient, Carrier, CloseFrame, DialectSettings, Encoded, Form as Any,
    Handshake, Head, Hello as Opening, Incoming, LooksAround, Out, Profile, Receipt, RefusalTime,
    Rejection, Shown, Splice, Step, Surroundings, Wanted,
};
use crate::model::{
    BindingPath, CloseReason as Why, Credentials, Event, ExecRequest, Failure, First, FollowId,
    FunctionName, JsonText, ModuleIndex, ModuleName, ModulePath, Newest, Reply, Request, Secret,
    StatusName, Subject, SystemId, Ticket,
};

pub const NAME: &str = "echo";

/// Why a request can be made.
const NAMED: &str = "tests name what can be named";

/// What there is to say of a connection is its carrier, and a form is for one.
pub type Hello = Carrier;
pub type Form = Carrier;
pub type View = ();
type Answer = Result<Reply, Failure>;

pub fn profile(settings: &DialectSettings) -> Profile {
    Profile {
        paths: &["/echo/*"],
        scopes: &[],
        sign_in_within: Some(settings.reap_after),
        refusal: RefusalTime::AfterUpgrade,
        message_max_bytes: 1024,
        bare_text: None,
        keep_alive: settings.keep_alive(None),
        looks_around: LooksAround::Yes,
    }
}

/// `/echo/<key>` signs in at once, and `/echo/anyone` later, as a stream does.
pub fn handshake(head: &Head<'_>) -> Handshake {
    let credentials = match head.path.strip_prefix("/echo/") {
        Some("closed") => return Handshake::Refuse(Rejection::Close(close(4001, "closed"))),
        Some("anyone") | None => Vec::new(),
        Some(key) => vec![Credentials::ApiKey(Secret::new(key))],
    };
    Handshake::Admit(Admission::of(credentials, Opening::Echo(head.carrier)))
}

pub fn goodbye(why: Why, out: &mut Out<'_>) -> Option<CloseFrame> {
    let code = match why {
        Why::ClientClosed | Why::ConnectionLost => return None,
        Why::ProtocolError | Why::InvalidText => 1002,
        Why::MessageTooLarge => 1009,
        Why::Internal => 1011,
        Why::Unauthenticated | Why::Forbidden | Why::CredentialsRevoked => 4003,
        Why::SignInTimedOut | Why::KeepAliveTimedOut => 4008,
        Why::Starting | Why::GoingAway | Why::TooManyConnections | Why::SlowConsumer => 4100,
    };
    say(out, "goodbye");
    Some(close(code, why.as_str()))
}

fn close(code: u16, text: &'static str) -> CloseFrame {
    CloseFrame { code, text }
}

fn say(out: &mut Out<'_>, text: &str) {
    out.text(|out| out.extend_from_slice(text.as_bytes()));
}

#[derive(Debug)]
pub struct Session(Carrier);

impl Session {
    pub fn open(carrier: Hello, ambient: &Ambient<'_>, out: &mut Out<'_>) -> Self {
        say(out, &format!("hello {}", ambient.connection));
        Self(carrier)
    }

    pub fn receive(&mut self, heard: Incoming<'_>, _: &Ambient<'_>, out: &mut Out<'_>) {
        let text = match heard {
            Incoming::Text(text) => text,
            Incoming::Binary(bytes) => return say(out, &format!("{} bytes", bytes.len())),
        };
        match text.split(' ').collect::<Vec<_>>()[..] {
            ["sign-in", key] => out.step(Step::Authenticate(Credentials::ApiKey(Secret::new(key)))),
            ["confirm"] => {
                say(out, "here");
                out.step(Step::Confirm(Receipt(1)));
            }
            ["later"] => out.step(Step::SetAlarm(Alarm(1), Duration::from_millis(10))),
            ["gather", system, module, name] => out.step(Step::Follow {
                ticket: Ticket(0),
                follows: ["bind", "follow"]
                    .map(|verb| self.wanted(verb, system, module, name))
                    .into(),
                splice: Splice::new(format!("{name} is ")),
            }),
            [verb, system, module, name] => out.step(Step::Request {
                ticket: Ticket(0),
                request: request(verb, system, module, name).expect(NAMED),
                form: Any::Echo(self.0),
                splice: Splice::new(format!("{name} is ")),
            }),
            _ => say(out, text),
        }
    }

    pub fn identified(&mut self, who: Shown<'_>, _: &Ambient<'_>, out: &mut Out<'_>) {
        match who {
            Ok(user) => say(out, user.map_or("somebody", |user| user.id.as_str())),
            Err(_) => out.step(Step::Close(close(4003, "no"), Why::Unauthenticated)),
        }
    }

    pub fn alarm(&mut self, _: Alarm, _: &Ambient<'_>, out: &mut Out<'_>) {
        say(out, "now");
    }

    pub fn confirmed(&mut self, _: Receipt, _: &Ambient<'_>, out: &mut Out<'_>) {
        say(out, "got it");
    }

    pub fn event(&mut self, _: FollowId, _: &Event, _: &Ambient<'_>, _: &mut Out<'_>) {}

    pub fn looked_around(&mut self, was: &Surroundings, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let systems = ambient.surroundings.building.systems.len();
        if systems != was.building.systems.len() {
            say(out, &format!("{systems} systems around"));
        }
    }

    fn wanted(&self, verb: &str, system: &str, module: &str, name: &str) -> Wanted {
        Wanted {
            id: FollowId(0),
            subject: subject(verb, system, module, name).expect(NAMED),
            form: Any::Echo(self.0),
        }
    }

    pub fn reply(&mut self, _: Ticket, answer: Answer, _: &Ambient<'_>, out: &mut Out<'_>) {
        if let Ok(Reply::Following { snapshot }) = &answer
            && !snapshot.is_empty()
        {
            return say(out, &format!("{} known", snapshot.len()));
        }
        let said = answer.map_err(|failure| failure.kind());
        say(out, &format!("{said:?}"));
    }
}

fn place(system: &str, module: &str) -> Option<ModulePath> {
    Some(ModulePath {
        system: SystemId::new(system).ok()?,
        module: ModuleName::new(module).ok()?,
        index: ModuleIndex::FIRST,
    })
}

/// What `bind` follows, and what `follow` does.
fn subject(verb: &str, system: &str, module: &str, name: &str) -> Option<Subject> {
    let module = place(system, module)?;
    let status = StatusName::new(name).ok()?;
    Some(match verb {
        "bind" => Subject::Status(Arc::new(BindingPath { module, status })),
        _ => Subject::Module(Arc::new(module)),
    })
}

fn request(verb: &str, system: &str, module: &str, name: &str) -> Option<Request> {
    if ["bind", "follow"].contains(&verb) {
        return Some(Request::Follow {
            id: FollowId(0),
            subject: subject(verb, system, module, name)?,
            first: First::Events,
        });
    }
    Some(Request::Call(ExecRequest {
        module: place(system, module)?.into(),
        function: FunctionName::new(name).ok()?,
        arguments: JsonText::parse("[]").ok()?,
        act: None,
    }))
}

pub fn is_for_session(_: Form) -> bool {
    false
}

pub fn encode(_: Form, event: &Event, _: &Newest, _: &Surroundings, out: &mut Encoded) {
    if let Event::Value { value, .. } = event {
        let text = value.as_ref().map_or("gone", |value| value.as_str());
        out.frame(b"", |out| out.extend_from_slice(text.as_bytes()));
    }
}
