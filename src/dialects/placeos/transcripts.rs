//! Plays the conversations in `tests/transcripts/placeos` with no server and no core.
//!
//! A line is an input, or what the dialect made of the input above it:
//!
//! | line | meaning |
//! |---|---|
//! | `== title` | a new connection |
//! | `open> values=string` | its query, where it has one |
//! | `C> text` | the client sends a frame |
//! | `core> 0 bound` | the core answers the request of this ticket |
//! | `event> 0 sys-a Display_1 power true` | a status changes, for who followed it with this ticket; `gone` is no value |
//! | `line> 0 mod-a ::Display warn text` | a module writes a log line |
//! | `ask> 0 bind sys-a Display_1 power` | made: a request for the core, with its ticket |
//! | `S> text` | made: a frame for the client |
//! | `audit> "command"` | made: a refusal for the audit log |
//!
//! `#` says why. With `RISER_TRANSCRIPTS=rewrite` in the environment the made lines are written anew instead of compared.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::dialects::placeos::rest::{Query, SocketQuery};
use crate::dialects::placeos::testing::{ambient, given, path, received, replied};
use crate::dialects::{Encoded, Form, Hello, Session, Splice, Step, Surroundings, encode};
use crate::model::{
    Cause, Event, Failure, FailureKind, JsonText, LogLevel, LogLine, ModuleAddress, ModuleId,
    Newest, Reply, Request, Revision, Subject, Ticket, Timestamp,
};

#[test]
fn every_transcript_plays_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/placeos");
    let mut played = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        let written = fs::read_to_string(&file).unwrap();
        let made = play(&written);
        if rewrites() {
            fs::write(&file, &made).unwrap();
        }
        for (number, (written, made)) in written.lines().zip(made.lines()).enumerate() {
            let place = format!("{}:{}", file.display(), number + 1);
            assert!(
                written == made || rewrites(),
                "{place}\nwritten: {written}\n   made: {made}"
            );
        }
        let lines = written.lines().count();
        assert!(
            lines == made.lines().count() || rewrites(),
            "{} ends early",
            file.display()
        );
        played += 1;
    }
    assert!(played > 0, "no transcript in {}", folder.display());
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own switch, which no configuration knows"
)]
fn rewrites() -> bool {
    std::env::var("RISER_TRANSCRIPTS").is_ok_and(|value| value == "rewrite")
}

/// The transcript with the made lines as they come out.
fn play(text: &str) -> String {
    let mut stage = Stage::open("");
    let mut lines = Vec::new();
    for line in text.lines() {
        if ["ask> ", "S> ", "audit> "]
            .iter()
            .any(|made| line.starts_with(made))
        {
            continue;
        }
        lines.push(line.to_owned());
        lines.extend(match line.split_once("> ") {
            Some(("open", query)) => {
                stage = Stage::open(query);
                Vec::new()
            }
            Some(("C", frame)) => stage.client(frame),
            Some(("core", answer)) => vec![stage.core(answer)],
            Some(("event", event)) => vec![stage.event(event)],
            Some(("line", line)) => vec![stage.line(line)],
            _ => {
                if line.starts_with("== ") {
                    stage = Stage::open("");
                }
                Vec::new()
            }
        });
    }
    lines
        .iter()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect()
}

/// One connection on its stage: everything around it is played by the transcript.
struct Stage {
    session: Session,
    form: Form,
    splices: HashMap<Ticket, Splice>,
}

impl Stage {
    fn open(query: &str) -> Self {
        let asked = SocketQuery::read(&Query::parse(query));
        let form = Form::PlaceOs(asked.form);
        let hello = Hello::PlaceOs(asked);
        let (session, texts, steps) = given(|out| Session::open(hello, &ambient(), out));
        assert!(
            texts.is_empty() && steps.is_empty(),
            "PlaceOS does not greet"
        );
        Self {
            session,
            form,
            splices: HashMap::new(),
        }
    }

    fn client(&mut self, frame: &str) -> Vec<String> {
        let (texts, steps) = received(&mut self.session, frame);
        let said = texts.into_iter().map(|text| format!("S> {text}"));
        let done = steps.into_iter().map(|step| match step {
            Step::Refused { command } => format!("audit> {command:?}"),
            Step::Authenticate(_)
            | Step::SetAlarm(..)
            | Step::Confirm(_)
            | Step::Close(..)
            | Step::Follow { .. } => {
                panic!("PlaceOS never does this")
            }
            Step::Request {
                ticket,
                request,
                splice,
                ..
            } => {
                let line = format!("ask> {} {}", ticket.0, in_words(&request));
                self.splices.insert(ticket, splice);
                line
            }
        });
        said.chain(done).collect()
    }

    fn core(&mut self, answer: &str) -> String {
        let (ticket, answer) = ticket(answer);
        let words: Vec<&str> = answer.splitn(4, ' ').collect();
        let reply = match words[..] {
            ["bound"] => Ok(Reply::Following { snapshot: vec![] }),
            ["unbound"] => Ok(Reply::Unfollowed),
            ["ignored"] => Ok(Reply::Ignored),
            ["debugging", id] => Ok(Reply::Debugging(ModuleId::new(id).unwrap())),
            ["result", code, ref value @ ..] => Ok(Reply::Result {
                value: JsonText::parse(&value.join(" ")).unwrap(),
                code: code.parse().unwrap(),
            }),
            ["failed", kind, code, message] => {
                Err(Failure::new(kind_of(kind), message).with_response_code(code.parse().unwrap()))
            }
            _ => panic!("no answer: {answer}"),
        };
        format!("S> {}", replied(&mut self.session, ticket, reply).concat())
    }

    fn event(&self, event: &str) -> String {
        let (ticket, event) = ticket(event);
        let [system, module, status, value] = fields(event);
        let (module, index) = module.rsplit_once('_').unwrap();
        let event = Event::Value {
            path: Arc::new(path(system, module, index.parse().unwrap(), status)),
            value: (value != "gone").then(|| JsonText::parse(value).unwrap()),
            old: None,
            at: Timestamp(0),
            cause: Cause::Module,
            revision: Revision(1),
        };
        self.deliver(ticket, &event)
    }

    fn line(&self, line: &str) -> String {
        let (ticket, line) = ticket(line);
        let [module, driver, level, message] = fields(line);
        let event = Event::Line(Arc::new(LogLine {
            module: ModuleId::new(module).unwrap(),
            driver: Arc::from(driver),
            level: serde_json::from_str::<LogLevel>(&format!("\"{level}\"")).unwrap(),
            message: message.to_owned(),
        }));
        self.deliver(ticket, &event)
    }

    fn deliver(&self, ticket: Ticket, event: &Event) -> String {
        let mut out = Encoded::default();
        encode(
            self.form,
            event,
            &Newest::None,
            &Surroundings::default(),
            &mut out,
        );
        let (before, after) = out.frames().next().unwrap();
        let frame = [before, self.splices[&ticket].as_bytes(), after].concat();
        format!("S> {}", String::from_utf8(frame).unwrap())
    }
}

fn in_words(request: &Request) -> String {
    match request {
        Request::Follow {
            subject: Subject::Status(path),
            ..
        } => format!("bind {} {}", path.module, path.status),
        Request::Unfollow {
            subject: Subject::Status(path),
            ..
        } => format!("unbind {} {}", path.module, path.status),
        Request::Follow { .. }
        | Request::Unfollow { .. }
        | Request::Query(_)
        | Request::Enter(_)
        | Request::Leave(_)
        | Request::Publish(_)
        | Request::CallOnce { .. }
        | Request::Run(_)
        | Request::Announce { .. }
        | Request::Custom { .. }
        | Request::Tokens(_)
        | Request::Messages(_) => panic!("no request of this dialect: {request:?}"),
        Request::Call(call) => {
            let module = target_in_words(&call.module);
            format!("exec {module} {} {}", call.function, call.arguments)
        }
        Request::Debug(target) => format!("debug {}", target_in_words(target)),
        Request::Ignore(target) => format!("ignore {}", target_in_words(target)),
    }
}

fn target_in_words(target: &ModuleAddress) -> String {
    match target {
        ModuleAddress::Place(path) => path.to_string(),
        ModuleAddress::Id { id, system: None } => id.to_string(),
        ModuleAddress::Id {
            id,
            system: Some(system),
        } => format!("{id} beside {system}"),
    }
}

fn ticket(text: &str) -> (Ticket, &str) {
    let (ticket, rest) = text.split_once(' ').unwrap();
    (Ticket(ticket.parse().unwrap()), rest)
}

fn fields<const N: usize>(text: &str) -> [&str; N] {
    let fields: Vec<&str> = text.splitn(N, ' ').collect();
    fields.try_into().unwrap()
}

fn kind_of(word: &str) -> FailureKind {
    let mut kinds = FailureKind::ALL.into_iter();
    let found = kinds.find(|kind| format!("{kind:?}") == word);
    found.unwrap_or_else(|| panic!("no kind: {word}"))
}
