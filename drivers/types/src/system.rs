//! What a module asks of the systems of the building: which modules stand there, what they publish, and calls of their functions.
//!
//! The words are apart from [`ModuleSink`](crate::ModuleSink), whose methods take them, because they are data and nothing else:
//! a host that runs a driver as a process sends each of them as JSON, and the test kit answers them without a gateway.
//! Nothing here looks anything up.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{
    Act, FunctionName, Interface, InvalidId, JsonText, ModuleId, ModuleIndex, ModuleName,
    StatusName, SystemId, text_id,
};

/// How many calls may stand in a chain, each made by the one before it. Logic that calls logic needs three or four; past it the next call is refused.
pub const CALL_DEPTH_MAX: usize = 16;

text_id! {
    /// A channel: a name under which modules send each other messages.
    ChannelName, "a channel"
}

/// Which system a module means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SystemRef {
    /// The system that the module itself stands in, looked up whenever it is used. Of several it is the first in the building's order.
    Own,
    /// The system of this id.
    Id(SystemId),
}

/// As errors name it: `its own system`, or the id.
impl fmt::Display for SystemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("its own system"),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// A module's name and its index among the like-named modules of a system: `Display_1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModuleSlot {
    /// The name.
    pub name: ModuleName,
    /// The index, from 1.
    pub index: ModuleIndex,
}

/// `Display_1`.
impl fmt::Display for ModuleSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.name, self.index)
    }
}

/// Reads `Display_2`. A text without a number behind its last `_` is a name, and the first module of it is meant.
impl FromStr for ModuleSlot {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = |index: &&str| !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
        let (name, index) = match text.rsplit_once('_') {
            Some((name, index)) if digits(&index) => (name, index),
            Some(_) | None => (text, "1"),
        };
        let index = index.parse().map_err(|_| InvalidId::Index)?;
        Ok(Self {
            name: ModuleName::new(name)?,
            index: ModuleIndex::new(index)?,
        })
    }
}

/// A module as other modules name it. It names a place, so it holds through a re-map and a restart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModulePlace {
    /// The system.
    pub system: SystemRef,
    /// Which of its modules.
    pub slot: ModuleSlot,
}

/// A system, as it is at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemDescription {
    /// Its id.
    pub id: SystemId,
    /// Its modules, in its order.
    pub modules: Vec<ModuleDescription>,
}

/// One module of a system, as it is at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleDescription {
    /// Its id.
    pub id: ModuleId,
    /// Where it stands in the system.
    pub slot: ModuleSlot,
    /// What it offers; `None` when it has not told that yet.
    pub interface: Option<Arc<Interface>>,
}

/// A call of another module's function.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleCall {
    /// The module.
    pub module: ModulePlace,
    /// The function.
    pub function: FunctionName,
    /// A JSON array (positional arguments) or object (named arguments).
    pub arguments: JsonText,
    /// The calls that led to this one.
    pub chain: CallChain,
}

/// What a function of another module returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallResult {
    /// What it returned.
    pub value: JsonText,
    /// The HTTP-like code that the driver gave.
    pub code: u16,
}

/// What a module can follow. The items of such a follow are JSON texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// A status of the module at a place: its value if it has one, and then each change; `null` when it is gone.
    /// A follower that is behind gets the latest value.
    Status(ModulePlace, StatusName),
    /// The modules of a system: `null` whenever others stand in it, or one of them offers something else.
    Modules(SystemRef),
    /// The messages of a channel, from now on.
    Channel(ChannelName),
}

/// Why a request about other modules failed, with an HTTP-like code:
///
/// | code | meaning |
/// |---|---|
/// | 404 | there is no such system, module or function |
/// | 403 | the module may not do this |
/// | 429 | too much is under way; the call did not run |
/// | 503 | the module does not run at the moment; the call did not run |
/// | 504 | no answer before the deadline, or the module ended meanwhile; whether the call had its effect is not known |
/// | 508 | the call would have led back to itself; it did not run |
///
/// Any other code is the called driver's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFailed {
    /// What happened, for people.
    pub message: String,
    /// The HTTP-like code.
    pub code: u16,
}

impl RequestFailed {
    /// The code of what is not there.
    pub const NOT_FOUND: u16 = 404;
    /// The code of what the module may not do.
    pub const FORBIDDEN: u16 = 403;
    /// The code of what is too much.
    pub const BUSY: u16 = 429;
    /// The code of what is not there at the moment.
    pub const UNAVAILABLE: u16 = 503;
    /// The code of an answer that did not come.
    pub const UNANSWERED: u16 = 504;
    /// The code of a call in a circle.
    pub const CIRCLE: u16 = 508;

    /// A failure with this code.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code,
        }
    }
}

impl fmt::Display for RequestFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RequestFailed {}

/// The calls that led to a call, the first one first, and the act that they all belong to. A client's call begins an empty chain.
///
/// It is how a call that goes in a circle is found: each call is [added](Self::with) to the chain before it runs.
/// It is also how what a method does, and what the methods do that it calls, is known to belong to what a person did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallChain {
    links: Arc<[CallLink]>,
    act: Option<Arc<Act>>,
}

/// One call in a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLink {
    /// The module whose function runs.
    pub module: ModuleId,
    /// The function.
    pub function: FunctionName,
}

impl CallChain {
    /// A chain of one call, which no other has led to.
    pub fn of(module: &ModuleId, function: &FunctionName) -> Self {
        let link = CallLink {
            module: module.clone(),
            function: function.clone(),
        };
        Self {
            links: Arc::from([link]),
            act: None,
        }
    }

    /// The same calls, which belong to this act.
    #[must_use]
    pub fn of_act(self, act: Arc<Act>) -> Self {
        Self {
            act: Some(act),
            ..self
        }
    }

    /// The calls, the first one first.
    pub fn links(&self) -> &[CallLink] {
        &self.links
    }

    /// The act that the calls belong to; `None` where no call has begun one.
    pub fn act(&self) -> Option<&Arc<Act>> {
        self.act.as_ref()
    }

    /// This chain and one more call, of the same act. A function of a module stands in a chain once, and a chain has at most [`CALL_DEPTH_MAX`] calls.
    pub fn with(&self, module: &ModuleId, function: &FunctionName) -> Result<Self, RequestFailed> {
        let link = CallLink {
            module: module.clone(),
            function: function.clone(),
        };
        let refused = |why: &str| {
            let chain: Vec<String> = self
                .links
                .iter()
                .chain([&link])
                .map(ToString::to_string)
                .collect();
            let message = format!("{why}: {}; the call did not run", chain.join(" -> "));
            Err(RequestFailed::new(RequestFailed::CIRCLE, message))
        };
        if self.links.contains(&link) {
            return refused("the call goes in a circle");
        }
        if self.links.len() >= CALL_DEPTH_MAX {
            return refused("too many calls wait for one another");
        }
        Ok(Self {
            links: self.links.iter().cloned().chain([link]).collect(),
            act: self.act.clone(),
        })
    }
}

/// `mod-room.power`.
impl fmt::Display for CallLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module, self.function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_read_as_it_is_written() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let slot = text.parse::<ModuleSlot>();
            let read = slot.map(|slot| slot.to_string());
            let read = read.map_err(|error| error.to_string());
            assert_eq!(read.as_deref().map_err(String::as_str), expect, "{text}");
        };
        check("Display_2", Ok("Display_2"));
        check("Display", Ok("Display_1"));
        check("Big_Display", Ok("Big_Display_1"));
        check("Big_Display_03", Ok("Big_Display_3"));
        check("Display_", Ok("Display__1"));
        let index = InvalidId::Index.to_string();
        check("Display_0", Err(&index));
        check("Display_99999999999", Err(&index));
        let empty = ModuleName::new("").unwrap_err().to_string();
        check("_1", Err(&empty));
        check("", Err(&empty));
    }

    #[test]
    fn a_call_that_comes_back_to_its_function_is_refused_and_one_to_another_function_is_not() {
        let chain = chain(&[("mod-a", "power"), ("mod-b", "power")]);
        let refused = add(&chain, "mod-a", "power").unwrap_err();
        assert_eq!(refused.code, RequestFailed::CIRCLE);
        assert_eq!(
            refused.message,
            "the call goes in a circle: mod-a.power -> mod-b.power -> mod-a.power; the call did not run"
        );
        assert_eq!(add(&chain, "mod-a", "volume").unwrap().links().len(), 3);
    }

    #[test]
    fn a_chain_has_an_end() {
        let names: Vec<String> = (0..CALL_DEPTH_MAX).map(|n| format!("mod-{n}")).collect();
        let links: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "go")).collect();
        let refused = add(&chain(&links), "mod-x", "go").unwrap_err();
        assert_eq!(refused.code, RequestFailed::CIRCLE);
        let start = "too many calls wait for one another: mod-0.go -> ";
        assert!(refused.message.starts_with(start), "{}", refused.message);
    }

    #[test]
    fn every_call_of_a_chain_belongs_to_the_act_that_began_it() {
        let act = Arc::new(Act { id: 7, user: None });
        let begun = CallChain::default().of_act(Arc::clone(&act));
        let called = add(&begun, "mod-a", "power").unwrap();
        let called = add(&called, "mod-b", "power").unwrap();
        assert_eq!(called.act(), Some(&act));
        assert_eq!(add(&chain(&[]), "mod-a", "power").unwrap().act(), None);
    }

    fn chain(links: &[(&str, &str)]) -> CallChain {
        let none = CallChain::default();
        links.iter().fold(none, |chain, (module, function)| {
            add(&chain, module, function).unwrap()
        })
    }

    fn add(chain: &CallChain, module: &str, function: &str) -> Result<CallChain, RequestFailed> {
        let module = ModuleId::new(module).unwrap();
        chain.with(&module, &FunctionName::new(function).unwrap())
    }
}
