//! Other modules: those of the system that a module stands in, and those of any other.
//!
//! A [`System`] finds modules by name and by what they can do; a [`ModuleRef`] calls one of them and follows its statuses.
//! Both name places and hold nothing open, so they may be kept: a re-map, another module in the place or a restart needs nothing.
//! What goes up and comes back is in `driver_types`; here it gets Rust's types.
//!
//! - `module_ref` is one module of a system, `follow` what comes of following, `chain` how calls know which call they are made in.

mod chain;
mod follow;
mod module_ref;

use driver_types::{
    ChannelName, Followed, ModuleIndex, ModuleName, ModulePlace, ModuleSlot, RequestFailed,
    SystemDescription, SystemId, SystemRef,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use chain::CallScope;
pub use follow::Follow;
pub use module_ref::ModuleRef;

use crate::{Context, Error, Interface, JsonText};

/// A system: the room of this module, or another.
///
/// [`Context::system`] is the system that lists the module, whichever that is at the moment: every use looks anew.
/// Where several list it, it is the first in the building's order; where none does, requests fail and follows wait.
///
/// ```
/// # use driver_sdk::{Context, Error};
/// # async fn example(context: Context) -> Result<(), Error> {
/// let room = context.system();
/// for display in room.all("Display").await? {
///     display.call("power", (true,)).await?;
/// }
/// let sensors = room.implementing("Sensor").await?;
/// # drop(sensors);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct System {
    context: Context,
    system: SystemRef,
}

impl System {
    /// Its id, and its modules with what they offer, as they are now.
    pub async fn describe(&self) -> Result<SystemDescription, Error> {
        let described = self.context.sink().describe_system(&self.system).await;
        described.map_err(failed)
    }

    /// Its id.
    pub async fn id(&self) -> Result<SystemId, Error> {
        Ok(self.describe().await?.id)
    }

    /// The module of this name and index, counted from 1; it need not be there.
    pub fn get(&self, name: &str, index: u32) -> Result<ModuleRef, Error> {
        Ok(self.at(ModuleSlot {
            name: ModuleName::new(name)?,
            index: ModuleIndex::new(index)?,
        }))
    }

    /// The same by a slot, as settings may name it: `"Display_1".parse()`.
    pub fn at(&self, slot: ModuleSlot) -> ModuleRef {
        let system = self.system.clone();
        ModuleRef::new(self.context.clone(), ModulePlace { system, slot })
    }

    /// Its modules in its order, this one among them if it stands there.
    pub async fn modules(&self) -> Result<Vec<ModuleRef>, Error> {
        self.filtered(|_, _| true).await
    }

    /// Its modules of one name, in the order of their index.
    pub async fn all(&self, name: &str) -> Result<Vec<ModuleRef>, Error> {
        self.filtered(|slot, _| slot.name.as_str() == name).await
    }

    /// Its modules that implement an interface or have a function of this name, this one among them if it does: `Powerable`, `power`.
    ///
    /// A module that has not told yet what it offers is not among them.
    pub async fn implementing(&self, what: &str) -> Result<Vec<ModuleRef>, Error> {
        self.filtered(|_, interface| interface.is_some_and(|interface| offers(interface, what)))
            .await
    }

    /// Whether a module of this name and index stands there.
    pub async fn exists(&self, name: &str, index: u32) -> Result<bool, Error> {
        let is_meant = |slot: &ModuleSlot| slot.name.as_str() == name && slot.index.get() == index;
        let system = self.describe().await?;
        Ok(system.modules.iter().any(|module| is_meant(&module.slot)))
    }

    /// How many modules of this name stand there.
    pub async fn count(&self, name: &str) -> Result<usize, Error> {
        Ok(self.all(name).await?.len())
    }

    /// Tells whenever other modules stand there, or one of them offers something else.
    pub fn follow_modules(&self) -> Result<Follow<()>, Error> {
        let follow = Followed::Modules(self.system.clone());
        let told = self.context.sink().follow(follow).map_err(failed)?;
        Ok(Follow::notices(told))
    }

    async fn filtered(
        &self,
        wanted: impl Fn(&ModuleSlot, Option<&Interface>) -> bool,
    ) -> Result<Vec<ModuleRef>, Error> {
        let modules = self.describe().await?.modules.into_iter();
        let modules = modules.filter(|it| wanted(&it.slot, it.interface.as_deref()));
        Ok(modules.map(|module| self.at(module.slot)).collect())
    }
}

/// Whether an interface is one of this name, or has a function of this name.
fn offers(interface: &Interface, what: &str) -> bool {
    interface.functions.contains_key(what) || interface.implements.iter().any(|name| name == what)
}

/// The methods for other modules.
impl Context {
    /// The system that this module stands in.
    pub fn system(&self) -> System {
        System {
            context: self.clone(),
            system: SystemRef::Own,
        }
    }

    /// Any system, by its id.
    pub fn system_by_id(&self, id: &str) -> Result<System, Error> {
        Ok(System {
            context: self.clone(),
            system: SystemRef::Id(SystemId::new(id)?),
        })
    }

    /// Sends a message to all modules on this node that [subscribe](Self::subscribe) to a channel, this one too if it does.
    pub fn publish<T: Serialize + ?Sized>(&self, channel: &str, message: &T) -> Result<(), Error> {
        let (channel, message) = (ChannelName::new(channel)?, JsonText::of(message)?);
        self.sink().publish(&channel, message).map_err(failed)
    }

    /// The messages of a channel, from now on. One that is no `T` is left out, with a warning in the log.
    pub fn subscribe<T: DeserializeOwned + Send + 'static>(
        &self,
        channel: &str,
    ) -> Result<Follow<T>, Error> {
        let channel = ChannelName::new(channel)?;
        let follow = Followed::Channel(channel.clone());
        let texts = self.sink().follow(follow).map_err(failed)?;
        Ok(Follow::messages(self.clone(), channel, texts))
    }
}

fn failed(failure: RequestFailed) -> Error {
    Error::new(failure.message).with_code(failure.code)
}
