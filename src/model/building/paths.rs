//! Paths into the building, as its file writes them: `sys-board/Display_1/power`.
//!
//! Separate from the collections, since several of them name a status or a function so.
//! Whether there is such a place is for the rules between entries to say.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use driver_types::{FunctionName, InvalidId, ModuleIndex, ModuleName, StatusName, SystemId};

use super::fields::misfit;
use super::{Content, Kind, Value};
use crate::model::{BindingPath, ModulePath};

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// It has more parts or fewer.
    #[error(
        "a path has three parts, such as sys-board/Display_1/power; write %2F for a `/` inside a part"
    )]
    Parts,
    /// The module has no index.
    #[error("the module of a path has its index behind it, such as Display_1")]
    Index,
    /// A `%` that begins nothing.
    #[error("a `%` in a path begins %2F, which is `/`, or %25, which is `%`")]
    Escape,
    /// A part cannot be what it is to be.
    #[error("{0}")]
    Part(#[from] InvalidId),
}

/// A path with one spelling: that in which nothing is escaped but `/` and `%`.
macro_rules! path {
    ($(#[$doc:meta])* $name:ident, $last:ident: $type:ty, $(#[$get_doc:meta])* |$path:ident: $target:ty| $make:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            text: Arc<str>,
            target: Arc<$target>,
        }

        impl $name {
            /// Reads a path.
            ///
            /// # Errors
            ///
            /// Why the text is none.
            pub fn parse(text: &str) -> Result<Self, InvalidPath> {
                let (module, last) = read(text)?;
                Ok(Self::new(module, <$type>::new(&last)?))
            }

            /// The path to something of a module.
            pub fn new(module: ModulePath, $last: $type) -> Self {
                let text = write(&module, $last.as_str());
                let $path = module;
                let target = Arc::new($make);
                Self { text: Arc::from(text), target }
            }

            /// The path as text.
            pub fn as_str(&self) -> &str {
                &self.text
            }

            $(#[$get_doc])*
            pub fn target(&self) -> &$target {
                &self.target
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.text == other.text
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.text.hash(state);
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.text.cmp(&other.text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.text, f)
            }
        }
    };
}

path! {
    /// A path to a status, such as `sys-board/Display_1/power`.
    StatusPath, status: StatusName,
    /// The status, as clients name it.
    |module: BindingPath| BindingPath { module, status }
}

path! {
    /// A path to a function, such as `sys-board/Player_1/play`.
    FunctionPath, function: FunctionName,
    /// The function of its module.
    |module: ModuleFunction| ModuleFunction { module, function }
}

/// A function as a client names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModuleFunction {
    /// The module.
    pub module: ModulePath,
    /// The function.
    pub function: FunctionName,
}

fn write(module: &ModulePath, last: &str) -> String {
    let ModulePath {
        system,
        module,
        index,
    } = module;
    let (system, module, last) = (
        escaped(system.as_str()),
        escaped(module.as_str()),
        escaped(last),
    );
    format!("{system}/{module}_{index}/{last}")
}

/// The module, and what is behind it.
fn read(text: &str) -> Result<(ModulePath, String), InvalidPath> {
    let mut parts = text.split('/');
    let (Some(system), Some(module), Some(last), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(InvalidPath::Parts);
    };
    let (name, index) = module.rsplit_once('_').ok_or(InvalidPath::Index)?;
    let is_number = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    let index: u32 = match is_number {
        true => index.parse().map_err(|_| InvalidPath::Index)?,
        false => return Err(InvalidPath::Index),
    };
    let module = ModulePath {
        system: SystemId::new(&unescaped(system)?)?,
        module: ModuleName::new(&unescaped(name)?)?,
        index: ModuleIndex::new(index)?,
    };
    Ok((module, unescaped(last)?))
}

fn escaped(part: &str) -> String {
    part.replace('%', "%25").replace('/', "%2F")
}

fn unescaped(part: &str) -> Result<String, InvalidPath> {
    let mut pieces = part.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..2).ok_or(InvalidPath::Escape)?;
        text.push(match code {
            "2F" | "2f" => '/',
            "25" => '%',
            _ => return Err(InvalidPath::Escape),
        });
        text.push_str(&piece[2..]);
    }
    Ok(text)
}

impl Content for StatusPath {
    const KIND: Kind = Kind::StatusPath;

    fn value(&self) -> Value<'_> {
        Value::Text(self.as_str().into())
    }

    fn make(value: Value<'_>) -> Result<Self, String> {
        let Value::Text(path) = value else {
            return misfit();
        };
        Self::parse(&path).map_err(|reason| format!("is no path: {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_in_what_is_meant_of_a_module_at_its_index() {
        let path = StatusPath::parse("sys-1/My_Display_12/power").unwrap();
        let BindingPath { module, status } = path.target();
        assert_eq!(module.system.as_str(), "sys-1");
        assert_eq!(module.module.as_str(), "My_Display");
        assert_eq!((module.index.get(), status.as_str()), (12, "power"));
        let function = FunctionPath::parse("sys-1/Player_1/play").unwrap();
        assert_eq!(function.target().function.as_str(), "play");
    }

    #[test]
    fn a_slash_and_a_percent_sign_are_escaped_in_each_part() {
        let text = "a%2Fb%25/M%2F_1/50%25 %2F";
        let path = StatusPath::parse(text).unwrap();
        assert_eq!(path.target().module.system.as_str(), "a/b%");
        assert_eq!(path.target().module.module.as_str(), "M/");
        assert_eq!(path.target().status.as_str(), "50% /");
        assert_eq!(path.as_str(), text);
    }

    #[test]
    fn two_spellings_of_a_path_are_one_path() {
        let one = StatusPath::parse("a%2fb/M_007/x").unwrap();
        assert_eq!(one, StatusPath::parse("a%2Fb/M_7/x").unwrap());
        assert_eq!(one.as_str(), "a%2Fb/M_7/x");
    }

    #[test]
    fn what_is_no_path_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", InvalidPath::Parts),
            ("a/M_1", InvalidPath::Parts),
            ("a/M_1/x/y", InvalidPath::Parts),
            ("a/M/x", InvalidPath::Index),
            ("a/M_/x", InvalidPath::Index),
            ("a/M_+1/x", InvalidPath::Index),
            ("a/M_4294967296/x", InvalidPath::Index),
            ("a/M_0/x", InvalidPath::Part(InvalidId::Index)),
            ("a%/M_1/x", InvalidPath::Escape),
            ("a/M_1/%2", InvalidPath::Escape),
            ("a/M_1/%20", InvalidPath::Escape),
            ("a/M_1/%é", InvalidPath::Escape),
        ] {
            assert_eq!(StatusPath::parse(text), Err(reason), "{text}");
        }
        assert!(matches!(
            StatusPath::parse("/M_1/x"),
            Err(InvalidPath::Part(InvalidId::Empty { .. }))
        ));
    }
}
