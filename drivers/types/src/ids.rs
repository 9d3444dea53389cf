//! Names and ids as types, checked once where they enter and trusted inside.
//!
//! Each is shared text: a clone costs one reference count.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

/// The longest id or name in bytes.
///
/// Protects the tables from keys the size of a frame; PlaceOS's own ids have 14 bytes.
const ID_MAX_BYTES: usize = 512;

/// Why a text cannot be an id or a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text is empty.
    #[error("{what} is empty")]
    Empty {
        /// Which kind of id was asked for.
        what: &'static str,
    },
    /// The text has more than 512 bytes.
    #[error("{what} has {bytes} bytes, more than the {ID_MAX_BYTES} allowed")]
    TooLong {
        /// Which kind of id was asked for.
        what: &'static str,
        /// How long the text is.
        bytes: usize,
    },
    /// The text has a control character, which would break log lines and Redis tooling.
    #[error("{what} has a control character in it")]
    ControlCharacter {
        /// Which kind of id was asked for.
        what: &'static str,
    },
    /// A module index is counted from 1.
    #[error("a module index is a whole number from 1")]
    Index,
}

/// Declares a text id: a private shared text with one fallible constructor.
#[macro_export]
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(::std::sync::Arc<str>);

        impl $name {
            /// Checks the text: not empty, at most 512 bytes, no control characters.
            pub fn new(text: &str) -> ::std::result::Result<Self, $crate::InvalidId> {
                $crate::checked_text($what, text).map(Self)
            }

            /// The id as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(&*self.0, f)
            }
        }

        /// The text itself, shared.
        impl From<&$name> for ::std::sync::Arc<str> {
            fn from(id: &$name) -> Self {
                ::std::sync::Arc::clone(&id.0)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::InvalidId;
            fn from_str(text: &str) -> ::std::result::Result<Self, $crate::InvalidId> {
                Self::new(text)
            }
        }

        impl ::std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// The one check behind [`text_id!`]; public only for the macro.
#[doc(hidden)]
pub fn checked_text(what: &'static str, text: &str) -> Result<Arc<str>, InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty { what });
    }
    if text.len() > ID_MAX_BYTES {
        return Err(InvalidId::TooLong {
            what,
            bytes: text.len(),
        });
    }
    // Nearly every text is plain ASCII, which its bytes tell in a fraction of the time.
    let is_plain = |byte| matches!(byte, b' '..=b'~');
    if !text.bytes().all(is_plain) && text.chars().any(char::is_control) {
        return Err(InvalidId::ControlCharacter { what });
    }
    Ok(Arc::from(text))
}

text_id! {
    /// A system: a room or group of modules, `sys-…` in PlaceOS.
    SystemId, "a system id"
}
text_id! {
    /// A module: a running instance of a driver, `mod-…` in PlaceOS.
    ModuleId, "a module id"
}
text_id! {
    /// What a module is called in its systems: `Display`, `Bookings`.
    ModuleName, "a module name"
}
text_id! {
    /// A named value that a module publishes: `power`, `bookings`.
    StatusName, "a status name"
}

impl StatusName {
    /// The status that every module has: whether its device can be reached.
    pub fn connected() -> Self {
        Self(Arc::from(CONNECTED))
    }

    /// Whether it is that status.
    pub fn is_connected(&self) -> bool {
        &*self.0 == CONNECTED
    }
}

const CONNECTED: &str = "connected";
text_id! {
    /// A method of a module: `switch_to`.
    FunctionName, "a function name"
}

/// Which of several like-named modules of a system, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleIndex(NonZeroU32);

impl ModuleIndex {
    /// The first module of its name, the default everywhere.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Refuses 0.
    pub fn new(index: u32) -> Result<Self, InvalidId> {
        NonZeroU32::new(index).map(Self).ok_or(InvalidId::Index)
    }

    /// The index as a number.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The index after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for ModuleIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ModuleIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_would_break_a_key_or_a_log_line_is_no_id() {
        let what = "a system id";
        assert_eq!(SystemId::new(""), Err(InvalidId::Empty { what }));
        for text in ["a\nb", "\0", "a\u{7f}", "raum-ä\u{85}"] {
            assert_eq!(
                SystemId::new(text),
                Err(InvalidId::ControlCharacter { what })
            );
        }
        assert_eq!(SystemId::new("raum-ä ☕").unwrap().as_str(), "raum-ä ☕");
        let long = "x".repeat(ID_MAX_BYTES + 1);
        assert_eq!(
            SystemId::new(&long),
            Err(InvalidId::TooLong { what, bytes: 513 })
        );
        assert_eq!(
            SystemId::new("sys-Z6XXA-Kc_v~").unwrap().as_str(),
            "sys-Z6XXA-Kc_v~"
        );
    }

    #[test]
    fn an_index_counts_from_one() {
        assert_eq!(ModuleIndex::new(0), Err(InvalidId::Index));
        assert_eq!(ModuleIndex::new(1), Ok(ModuleIndex::FIRST));
        assert_eq!(ModuleIndex::FIRST.next().get(), 2);
    }
}
