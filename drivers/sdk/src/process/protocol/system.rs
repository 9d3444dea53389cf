//! The messages with which a module asks about other modules: the words of [`driver_types`] for that, as JSON.
//!
//! They are apart from the messages about the module itself because they go the other way: the driver asks, and the gateway answers.
//! Texts come as they were written; the conversions check them. What a request leads to is the ends' own.

use std::sync::Arc;

use driver_types::{
    ChannelName, Followed, Interface, InvalidId, JsonText, ModuleDescription, ModuleId,
    ModuleIndex, ModuleName, ModulePlace, ModuleSlot, StatusName, SystemDescription, SystemId,
    SystemRef,
};
use serde::{Deserialize, Serialize};

use super::Offer;

/// The methods of a driver's requests.
pub mod request {
    /// Asks which modules stand in a system: [`Describe`](super::Describe), answered by [`Described`](super::Described).
    pub const DESCRIBE_SYSTEM: &str = "describe_system";
    /// Asks for the value of a status: [`Read`](super::Read), answered by [`Value`](super::Value).
    pub const READ_STATUS: &str = "read_status";
    /// Calls a function of a module: [`CallModule`](super::CallModule), answered by [`Returned`](crate::process::protocol::Returned).
    pub const CALL_MODULE: &str = "call_module";
    /// Sends a message to a channel: [`Publish`](super::Publish).
    pub const PUBLISH: &str = "publish";
    /// Follows something: [`Follow`](super::Follow).
    pub const FOLLOW: &str = "follow";
}

/// The methods of the notifications about what is followed.
pub mod notification {
    /// From the gateway: what has come of a follow, [`Item`](super::Item).
    pub const FOLLOWED: &str = "followed";
    /// From the gateway: nothing more comes, [`Number`](super::Number).
    pub const FOLLOW_ENDED: &str = "follow_ended";
    /// From the driver: nothing more is wanted, [`Number`](super::Number).
    pub const UNFOLLOW: &str = "unfollow";
}

/// A [`ModulePlace`] as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The id of the system; `None` for the one that the module itself stands in.
    #[serde(default)]
    pub system: Option<String>,
    /// The name of the module.
    pub name: String,
    /// Which of the modules of this name, from 1.
    #[serde(default = "first")]
    pub index: u32,
}

fn first() -> u32 {
    ModuleIndex::FIRST.get()
}

/// The parameters of [`request::DESCRIBE_SYSTEM`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Describe {
    /// The id of the system; `None` for the one that the module itself stands in.
    #[serde(default)]
    pub system: Option<String>,
}

/// The answer to [`request::DESCRIBE_SYSTEM`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Described {
    /// The id of the system.
    pub id: String,
    /// Its modules, in its order.
    pub modules: Vec<DescribedModule>,
}

/// One module of a system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DescribedModule {
    /// Its id.
    pub id: String,
    /// Its name in the system.
    pub name: String,
    /// Which of the modules of this name, from 1.
    pub index: u32,
    /// What it offers; `None` when it has not told that yet.
    #[serde(default)]
    pub interface: Option<Offer>,
}

/// The parameters of [`request::READ_STATUS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The module.
    pub module: Place,
    /// Which of its statuses.
    pub status: String,
}

/// The answer to [`request::READ_STATUS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The value; `null` without one.
    pub value: JsonText,
}

/// The parameters of [`request::CALL_MODULE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallModule {
    /// The module.
    pub module: Place,
    /// The function.
    pub function: String,
    /// An array or an object.
    pub arguments: JsonText,
    /// The id of the gateway's request `call` in which this call is made. By it the gateway finds calls that go in a circle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<u64>,
}

/// The parameters of [`request::PUBLISH`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// The channel.
    pub channel: String,
    /// Any JSON.
    pub message: JsonText,
}

/// The parameters of [`request::FOLLOW`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// The number of the follow, which the driver chooses: another one for each.
    pub follow: u64,
    /// What is followed.
    pub what: What,
}

/// [`Followed`] as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// A status of a module.
    Status(Read),
    /// Which modules stand in a system, and what they offer.
    Modules(Describe),
    /// The messages of a channel.
    Channel(String),
}

/// The parameters of [`notification::FOLLOWED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The number of the follow.
    pub follow: u64,
    /// The value, `null` when it is gone; the message; `null` for a change of the modules.
    pub value: JsonText,
}

/// The parameters of [`notification::FOLLOW_ENDED`] and [`notification::UNFOLLOW`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// The number of the follow.
    pub follow: u64,
}

impl From<&SystemRef> for Describe {
    fn from(system: &SystemRef) -> Self {
        let system = match system {
            SystemRef::Own => None,
            SystemRef::Id(id) => Some(id.as_str().to_owned()),
        };
        Self { system }
    }
}

impl TryFrom<Describe> for SystemRef {
    type Error = InvalidId;

    fn try_from(describe: Describe) -> Result<Self, InvalidId> {
        Ok(match describe.system {
            None => Self::Own,
            Some(id) => Self::Id(SystemId::new(&id)?),
        })
    }
}

impl From<&ModulePlace> for Place {
    fn from(place: &ModulePlace) -> Self {
        Self {
            system: Describe::from(&place.system).system,
            name: place.slot.name.as_str().to_owned(),
            index: place.slot.index.get(),
        }
    }
}

impl TryFrom<Place> for ModulePlace {
    type Error = InvalidId;

    fn try_from(place: Place) -> Result<Self, InvalidId> {
        let system = place.system;
        Ok(Self {
            system: Describe { system }.try_into()?,
            slot: slot(&place.name, place.index)?,
        })
    }
}

fn slot(name: &str, index: u32) -> Result<ModuleSlot, InvalidId> {
    Ok(ModuleSlot {
        name: ModuleName::new(name)?,
        index: ModuleIndex::new(index)?,
    })
}

impl From<&Followed> for What {
    fn from(followed: &Followed) -> Self {
        match followed {
            Followed::Status(place, status) => Self::Status(Read {
                module: place.into(),
                status: status.as_str().to_owned(),
            }),
            Followed::Modules(system) => Self::Modules(system.into()),
            Followed::Channel(channel) => Self::Channel(channel.as_str().to_owned()),
        }
    }
}

impl TryFrom<What> for Followed {
    type Error = InvalidId;

    fn try_from(what: What) -> Result<Self, InvalidId> {
        Ok(match what {
            What::Status(Read { module, status }) => {
                Self::Status(module.try_into()?, StatusName::new(&status)?)
            }
            What::Modules(system) => Self::Modules(system.try_into()?),
            What::Channel(channel) => Self::Channel(ChannelName::new(&channel)?),
        })
    }
}

impl From<&SystemDescription> for Described {
    fn from(system: &SystemDescription) -> Self {
        let module = |module: &ModuleDescription| DescribedModule {
            id: module.id.as_str().to_owned(),
            name: module.slot.name.as_str().to_owned(),
            index: module.slot.index.get(),
            interface: module.interface.as_deref().map(Offer::from),
        };
        Self {
            id: system.id.as_str().to_owned(),
            modules: system.modules.iter().map(module).collect(),
        }
    }
}

impl TryFrom<Described> for SystemDescription {
    type Error = InvalidId;

    fn try_from(described: Described) -> Result<Self, InvalidId> {
        let module = |module: DescribedModule| {
            let interface: Option<Interface> =
                module.interface.map(TryInto::try_into).transpose()?;
            Ok(ModuleDescription {
                id: ModuleId::new(&module.id)?,
                slot: slot(&module.name, module.index)?,
                interface: interface.map(Arc::new),
            })
        };
        let modules = described.modules.into_iter().map(module);
        Ok(Self {
            id: SystemId::new(&described.id)?,
            modules: modules.collect::<Result<_, InvalidId>>()?,
        })
    }
}
