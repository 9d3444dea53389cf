//! Hooks: addresses that do something when they are called.
//!
//! Separate from procedures, which they run, and from triggers, since a hook has a caller who waits for an answer.

use driver_types::{Clearance, JsonText, Step};

use super::super::fields::{collection, contents, misfit};
use super::super::flaws::{self, Flaw};
use super::super::{Content, JsonKind, Kind, Value, one_of};
use super::reader::Reader;
use super::steps::{Evaluated, Mention, object};
use super::{ACTING_LEVELS, HookName, ProcedureId, RequiredHeaders};
use crate::model::FunctionPath;
use crate::model::rules::Thing;

collection! {
    /// An address, `/hook/NAME`, that does something when it is called.
    Hook, "hooks", "a hook" {
        /// What it is called in its address, and so the id.
        name: HookName => own(Thing::Hook).must("a name, such as `name: at_home`"),
        /// By which methods it can be called; by all when none is given. HEAD goes with GET.
        methods: Vec<HookMethod>,
        /// Headers that a caller has to send. Without any, anybody may call.
        header: RequiredHeaders => filled_in().shaped(RequiredHeaders::flaws),
        /// The procedure that it runs.
        run: Option<ProcedureId> => is(Kind::Reference(Thing::Procedure)),
        /// The function that it calls, in the place of a procedure.
        call: Option<FunctionPath> => shaped(call_flaws),
        /// What the procedure or the function is given, by name or by position; texts in it are evaluated.
        args: Option<JsonText> => other_form("args_json"),
        /// With which clearance it acts.
        level: Clearance => is(Kind::Word(ACTING_LEVELS)),
        /// What the caller is answered, where that is not the result.
        respond: Option<HookAnswer> => other_form("respond_json").shaped(HookAnswer::flaws),
    }
}

/// A method by which a hook can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HookMethod {
    /// `GET`, and `HEAD` with it.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `DELETE`.
    Delete,
    /// `PATCH`.
    Patch,
    /// `OPTIONS`.
    Options,
}

/// Their words, in the order of the variants.
const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

impl HookMethod {
    const ALL: [Self; 6] = [
        Self::Get,
        Self::Post,
        Self::Put,
        Self::Delete,
        Self::Patch,
        Self::Options,
    ];

    /// As requests have it.
    pub fn as_str(self) -> &'static str {
        METHODS[self as usize]
    }

    /// The method of a request; `None` for one by which no hook is called.
    pub fn of(word: &str) -> Option<Self> {
        let word = if word == "HEAD" { "GET" } else { word };
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }
}

/// What a caller is answered, whatever comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookAnswer {
    /// The status code.
    pub status: u16,
    /// The body, as it is.
    pub body: JsonText,
}

/// What an answer has.
const ANSWER_KEYS: &[&str] = &["status", "body"];

/// The status of an answer that says none.
const USUAL_STATUS: u16 = 200;

impl HookAnswer {
    /// Reads `{"status": 200, "body": {"status": "ok"}}`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn read(json: &JsonText) -> Result<Self, Vec<Flaw>> {
        Reader::whole(|reader| {
            let mut members = reader.members(json)?;
            let status = match members.shift_remove("status") {
                Some(status) => reader.at_key("status", |reader| {
                    let status = status.to::<u16>().ok();
                    let status = status.filter(|status| (200..=599).contains(status));
                    status.or_else(|| reader.expected("a whole number from 200 to 599"))
                }),
                None => Some(USUAL_STATUS),
            };
            let body = members.shift_remove("body").unwrap_or_else(JsonText::null);
            reader.nothing_else(&members, ANSWER_KEYS);
            status.map(|status| Self { status, body })
        })
    }

    fn flaws(json: &JsonText) -> Vec<Flaw> {
        Self::read(json).err().unwrap_or_default()
    }

    /// The same as JSON.
    pub fn json(&self) -> String {
        let status = JsonText::of(&self.status).expect("a number can be written as JSON");
        let members = [("status", status), ("body", self.body.clone())];
        object(members).as_str().to_owned()
    }
}

fn read_call(json: &JsonText) -> Result<FunctionPath, Vec<Flaw>> {
    Reader::whole(|reader| {
        let expected = "the path of a function, such as sys-board/Player_1/play";
        let text = reader.text(json, expected)?;
        let path = FunctionPath::parse(&text);
        path.map_or_else(|reason| reader.other(format!("is no path: {reason}")), Some)
    })
}

fn call_flaws(json: &JsonText) -> Vec<Flaw> {
    read_call(json).err().unwrap_or_default()
}

impl Hook {
    /// What its fields do not say together, each as a field and the flaw in it.
    pub fn mistakes(&self) -> Vec<(&'static str, Flaw)> {
        let mut mistakes = Vec::new();
        if self.name.as_str().contains('/') {
            let reason = "has a `/` in it, which ends a part of an address; leave it out";
            mistakes.push(("name", Flaw::other(&[], reason)));
        }
        match (&self.run, &self.call) {
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) => {
                let reason = "does nothing; add `run` with a procedure, or `call` with a function";
                mistakes.push(("name", Flaw::other(&[], reason)));
            }
            (Some(_), Some(_)) => {
                let reason = "is one too many, since a hook has a procedure to `run` or a function to call; remove one of them";
                mistakes.push(("call", Flaw::other(&[], reason)));
            }
        }
        mistakes
    }

    /// All that is evaluated.
    pub fn evaluated(&self) -> Vec<Mention<Evaluated<'_>>> {
        let args = self.args.as_ref().map(|args| Mention {
            field: "args",
            steps: Vec::<Step>::new(),
            of: Evaluated::Json(args),
        });
        args.into_iter().collect()
    }

    /// Whether it can be called by this method.
    pub fn takes(&self, method: HookMethod) -> bool {
        self.methods.is_empty() || self.methods.contains(&method)
    }

    /// The methods by which it can be called, as the header `Allow` has them.
    pub fn allowed(&self) -> String {
        let methods = HookMethod::ALL.into_iter();
        let methods = methods.filter(|method| self.takes(*method));
        let words = methods.flat_map(|method| match method {
            HookMethod::Get => vec!["GET", "HEAD"],
            HookMethod::Post
            | HookMethod::Put
            | HookMethod::Delete
            | HookMethod::Patch
            | HookMethod::Options => vec![method.as_str()],
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

impl Content for Vec<HookMethod> {
    const KIND: Kind = Kind::Texts;

    fn default_value() -> Value<'static> {
        Value::Texts(Vec::new())
    }

    fn value(&self) -> Value<'_> {
        Value::Texts(self.iter().map(|method| method.as_str().into()).collect())
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        let Value::Texts(words) = value else {
            return misfit();
        };
        let mut methods = Vec::new();
        for word in words {
            let found = HookMethod::of(&word.to_ascii_uppercase());
            let method = found.ok_or_else(|| format!("must be of {}", one_of(METHODS)))?;
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        Ok(methods)
    }
}

contents! {
    FunctionPath: Kind::Json(JsonKind::Any), Json, Value::Nothing, |it| super::steps::text(it.as_str()).as_str().to_owned().into(), |json| flaws::read(&json, read_call);
    HookAnswer: Kind::Json(JsonKind::Object), Json, Value::Nothing, |it| it.json().into(), |json| flaws::read(&json, Self::read);
}
