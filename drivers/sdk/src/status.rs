//! A status by its name and the type of its values.

use std::fmt;
use std::marker::PhantomData;

use driver_types::{InvalidId, StatusName};

/// The longest name in bytes, as for every name of the gateway.
const NAME_MAX_BYTES: usize = 512;

/// A status of a module: a named value of type `T`, which clients see and follow.
///
/// As a constant of the driver's block its name, its type and its doc comment are part of the module's interface.
/// Where names come from settings or callers, [`Status::named`] makes one.
pub struct Status<T: ?Sized> {
    name: Name,
    value: PhantomData<fn(&T)>,
}

#[derive(Clone)]
enum Name {
    Fixed(&'static str),
    Made(StatusName),
}

impl<T: ?Sized> Status<T> {
    /// A status of this name. As a constant it is checked by the compiler.
    ///
    /// # Panics
    ///
    /// When the name is empty, has more than 512 bytes, or a control character in it.
    pub const fn new(name: &'static str) -> Self {
        assert!(
            is_name(name.as_bytes()),
            "a status has a name of 1 to 512 bytes without control characters"
        );
        Self {
            name: Name::Fixed(name),
            value: PhantomData,
        }
    }

    /// A status whose name is only known while the module runs.
    pub fn named(name: &str) -> Result<Self, InvalidId> {
        StatusName::new(name).map(Self::of)
    }

    pub(crate) fn of(name: StatusName) -> Self {
        Self {
            name: Name::Made(name),
            value: PhantomData,
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        match &self.name {
            Name::Fixed(name) => name,
            Name::Made(name) => name.as_str(),
        }
    }

    pub(crate) fn status_name(&self) -> StatusName {
        match &self.name {
            Name::Fixed(name) => StatusName::new(name).expect("`new` has checked it"),
            Name::Made(name) => name.clone(),
        }
    }
}

/// The rule of [`StatusName`], for the compiler. The control characters of Unicode have one byte, or two of which the first is 0xC2.
const fn is_name(bytes: &[u8]) -> bool {
    if bytes.is_empty() || bytes.len() > NAME_MAX_BYTES {
        return false;
    }
    let mut index = 0;
    while index < bytes.len() {
        let is_second = index > 0 && bytes[index - 1] == 0xC2 && bytes[index] < 0xA0;
        if bytes[index].is_ascii_control() || is_second {
            return false;
        }
        index += 1;
    }
    true
}

impl<T: ?Sized> Clone for Status<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            value: PhantomData,
        }
    }
}

impl<T: ?Sized> fmt::Debug for Status<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Status").field(&self.name()).finish()
    }
}
