//! Reads steps with every mistake at once, each with its place.

use driver_types::JsonText;

use super::super::limits::{DEPTH_MAX, STEPS_MAX, VARIABLES_MAX};
use super::super::reader::{Members, Reader};
use super::super::{span, variable};
use super::{Action, Items, Order, Steps, USUAL_LEVEL};
use crate::model::building::automation::{LocalPath, ProcedureId, TimeSpan, Variable};
use crate::model::building::flaws::Flaw;

/// What a step can be, by its word, and the keys that it may then have.
const KINDS: &[(&str, &[&str])] = &[
    ("call", &["call", "args", "as"]),
    ("if", &["if", "then", "else"]),
    ("for", &["for", "in", "do", "parallel"]),
    ("while", &["while", "do"]),
    ("set", &["set"]),
    ("wait", &["wait"]),
    ("publish", &["publish", "data"]),
    ("notify", &["notify", "message", "title", "link", "level"]),
    ("return", &["return"]),
    ("run", &["run", "args", "as"]),
];

/// What steps are read within.
#[derive(Debug, Clone, Copy, Default)]
struct Around {
    depth: usize,
    is_parallel: bool,
}

impl Around {
    fn deeper(self) -> Self {
        let depth = self.depth + 1;
        Self { depth, ..self }
    }
}

impl Steps {
    /// Reads a list of steps such as `[{"wait": "2s"}]`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        Reader::whole(|reader| reader.steps(json, Around::default()))
    }
}

impl Reader {
    fn steps(&mut self, json: &JsonText, around: Around) -> Option<Steps> {
        if around.depth >= DEPTH_MAX {
            return self.other(format!(
                "stands deeper than {DEPTH_MAX} steps within each other; make a procedure of it"
            ));
        }
        let expected = "a list of steps, such as `[{wait: 2s}]`";
        let items = self.items(json, expected)?;
        let mut actions = Vec::new();
        for (place, item) in items.iter().enumerate() {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return self.too_many();
            }
            actions.extend(self.at_item(place, |reader| reader.action(item, around)));
        }
        Some(Steps(actions.into()))
    }

    /// Says it once, for the first that is too many.
    fn too_many<T>(&mut self) -> Option<T> {
        if self.steps == STEPS_MAX + 1 {
            self.other::<()>(format!(
                "has more than {STEPS_MAX} steps; make procedures of them"
            ));
        }
        None
    }

    /// The steps of a key.
    fn steps_of(&mut self, key: &str, json: &JsonText, around: Around) -> Option<Steps> {
        self.at_key(key, |reader| reader.steps(json, around))
    }

    fn action(&mut self, json: &JsonText, around: Around) -> Option<Action> {
        let mut members = self.members(json)?;
        let mut found = KINDS.iter().filter(|(word, _)| members.contains_key(*word));
        let (word, known) = match (found.next(), found.next()) {
            (Some(kind), None) => *kind,
            (Some((first, _)), Some((second, _))) => {
                return self.other(format!(
                    "has both `{first}` and `{second}`; make two steps of it"
                ));
            }
            (None, _) => return self.no_kind(&members),
        };
        let value = members.shift_remove(word)?;
        let members = &mut members;
        let action = match word {
            "call" => self.call(&value, members),
            "if" => self.branches(&value, members, around.deeper()),
            "for" => self.rounds(&value, members, around.deeper()),
            "while" => self.repeated(&value, members, around.deeper()),
            "set" => self.at_key(word, |reader| set(reader, &value)),
            "wait" => self.at_key(word, |reader| wait(reader, &value)),
            "publish" => self.publish(&value, members),
            "notify" => self.notify(&value, members),
            "return" => self.returned(value, around),
            _ => self.run(&value, members),
        };
        self.nothing_else(members, known);
        action
    }

    fn no_kind(&mut self, members: &Members) -> Option<Action> {
        let words: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
        match members.keys().next() {
            Some(key) => self.note(Flaw::unknown(&[key], &words)),
            None => {
                let reason = "does nothing; write what it does, such as `{wait: 2s}`";
                self.other::<()>(reason);
            }
        }
        None
    }

    fn call(&mut self, path: &JsonText, members: &mut Members) -> Option<Action> {
        let path = self.at_key("call", |reader| {
            let expected = "the path of a function, such as sys-board/Display_1/set";
            let text = reader.text(path, expected)?;
            let path = LocalPath::parse(&text);
            path.map_or_else(|reason| reader.other(format!("is no path: {reason}")), Some)
        });
        let (args, result) = (args(members), result(self, members));
        Some(Action::Call {
            path: path?,
            args,
            result: result?,
        })
    }

    fn run(&mut self, id: &JsonText, members: &mut Members) -> Option<Action> {
        let procedure = self.at_key("run", |reader| {
            let text = reader.text(id, "the id of a procedure")?;
            let id = ProcedureId::new(&text);
            id.map_or_else(
                |reason| reader.other(format!("is no procedure: {reason}")),
                Some,
            )
        });
        let (args, result) = (args(members), result(self, members));
        Some(Action::Run {
            procedure: procedure?,
            args,
            result: result?,
        })
    }

    fn branches(
        &mut self,
        condition: &JsonText,
        members: &mut Members,
        around: Around,
    ) -> Option<Action> {
        let condition = condition_at(self, "if", condition);
        let expected = "the steps for when it holds, such as `then: [{wait: 2s}]`";
        let then = self.needed(members, "then", expected);
        let then = then.and_then(|then| self.steps_of("then", &then, around));
        let otherwise = match members.shift_remove("else") {
            Some(steps) => self.steps_of("else", &steps, around),
            None => Some(Steps::default()),
        };
        Some(Action::If {
            condition: condition?,
            then: then?,
            otherwise: otherwise?,
        })
    }

    fn rounds(
        &mut self,
        variable: &JsonText,
        members: &mut Members,
        around: Around,
    ) -> Option<Action> {
        let variable = self.at_key("for", |reader| variable_in(reader, variable));
        let expected = "a list, or an expression that makes one, such as `in: \"['a', 'b']\"`";
        let items = self.needed(members, "in", expected);
        let items = items.and_then(|items| {
            self.at_key("in", |reader| match items.as_str().starts_with('[') {
                true => Some(Items::List(items)),
                false => reader.text(&items, expected).map(Items::Expression),
            })
        });
        let is_parallel = match members.contains_key("parallel") {
            true => self.flag_of(members, "parallel"),
            false => Some(false),
        };
        let within = Around {
            is_parallel: around.is_parallel || is_parallel == Some(true),
            ..around
        };
        let body = self.body(members, within);
        Some(Action::For {
            variable: variable?,
            items: items?,
            body: body?,
            order: match is_parallel? {
                true => Order::Parallel,
                false => Order::OneByOne,
            },
        })
    }

    fn repeated(
        &mut self,
        condition: &JsonText,
        members: &mut Members,
        around: Around,
    ) -> Option<Action> {
        let condition = condition_at(self, "while", condition);
        let body = self.body(members, around);
        Some(Action::While {
            condition: condition?,
            body: body?,
        })
    }

    fn body(&mut self, members: &mut Members, around: Around) -> Option<Steps> {
        let expected = "the steps of each round, such as `do: [{wait: 2s}]`";
        let body = self.needed(members, "do", expected)?;
        self.steps_of("do", &body, around)
    }

    fn publish(&mut self, name: &JsonText, members: &mut Members) -> Option<Action> {
        let name = named(self, "publish", name, "the name of an event");
        let data = match members.shift_remove("data").filter(|data| !data.is_null()) {
            Some(data) if data.as_str().starts_with('{') => Some(data),
            Some(_) => self.at_key("data", |reader| reader.expected("a map of keys and values")),
            None => Some(JsonText::empty_object()),
        };
        Some(Action::Publish {
            name: name?,
            data: data?,
        })
    }

    fn notify(&mut self, service: &JsonText, members: &mut Members) -> Option<Action> {
        let service = named(self, "notify", service, "the name of a service");
        let expected = "what is said, such as `message: The door is open`";
        let message = self.needed(members, "message", expected);
        let message = message
            .and_then(|message| self.at_key("message", |reader| reader.text(&message, "text")));
        let title = self.text_of(members, "title");
        let link = self.text_of(members, "link");
        let level = match members.shift_remove("level") {
            Some(level) => self.at_key("level", |reader| {
                let level = level
                    .to::<u8>()
                    .ok()
                    .filter(|level| (1..=5).contains(level));
                level.or_else(|| reader.expected("a whole number from 1 to 5"))
            }),
            None => Some(USUAL_LEVEL),
        };
        Some(Action::Notify {
            service: service?,
            message: message?,
            title,
            link,
            level: level?,
        })
    }

    fn returned(&mut self, value: JsonText, around: Around) -> Option<Action> {
        if around.is_parallel {
            let reason = "cannot stand in rounds that are done at one time, of which none is the last; set it behind the `for`";
            return self.at_key("return", |reader| reader.other(reason));
        }
        Some(Action::Return(value))
    }
}

fn args(members: &mut Members) -> Option<JsonText> {
    members.shift_remove("args").filter(|args| !args.is_null())
}

/// The variable of `as`: `None` where it is none, `Some(None)` where it is left out.
fn result(reader: &mut Reader, members: &mut Members) -> Option<Option<Variable>> {
    let Some(name) = members.shift_remove("as") else {
        return Some(None);
    };
    reader
        .at_key("as", |reader| variable_in(reader, &name))
        .map(Some)
}

fn variable_in(reader: &mut Reader, json: &JsonText) -> Option<Variable> {
    let name = reader.text(json, variable::EXPECTED)?;
    Variable::new(&name).or_else(|| reader.expected(variable::EXPECTED))
}

/// A text that is not empty.
fn named(reader: &mut Reader, key: &str, json: &JsonText, expected: &str) -> Option<String> {
    reader.at_key(key, |reader| {
        let name = reader.text(json, expected)?;
        match name.is_empty() {
            true => reader.expected(expected),
            false => Some(name),
        }
    })
}

/// An expression. `true` and `false` need no quotes.
fn condition_at(reader: &mut Reader, key: &str, json: &JsonText) -> Option<String> {
    if let Ok(holds) = json.to::<bool>() {
        return Some(holds.to_string());
    }
    let expected = "an expression in quotes, such as \"level > 3\"";
    reader.at_key(key, |reader| reader.text(json, expected))
}

fn set(reader: &mut Reader, json: &JsonText) -> Option<Action> {
    let members = reader.members(json)?;
    if members.len() > VARIABLES_MAX {
        return reader.other(format!(
            "has more than {VARIABLES_MAX} variables; make several steps of it"
        ));
    }
    let mut variables = Vec::new();
    for (name, value) in members {
        match Variable::new(&name) {
            Some(variable) => variables.push((variable, value)),
            None => {
                reader.at_key(&name, |reader| reader.expected::<()>(variable::EXPECTED));
            }
        }
    }
    Some(Action::Set(variables))
}

fn wait(reader: &mut Reader, json: &JsonText) -> Option<Action> {
    let text = reader.text(json, span::EXPECTED)?;
    let span = TimeSpan::parse(&text);
    span.map(Action::Wait)
        .or_else(|| reader.expected(span::EXPECTED))
}
