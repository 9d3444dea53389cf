//! One module of a system, named by its place: its functions are called and its statuses read and followed.

use std::fmt;
use std::future::ready;

use driver_types::{Followed, FunctionName, JsonText, ModuleCall, ModulePlace, ModuleSlot};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::system::{CallScope, Follow};
use crate::{Calling, Context, Error, Outcome, Status, reading};

/// A module of a system, by its name and index there. Whichever module stands in the place when it is used is meant.
///
/// ```
/// # use driver_sdk::{Context, Error, Status};
/// # async fn example(context: Context) -> Result<(), Error> {
/// const VOLUME: Status<f64> = Status::new("volume");
///
/// let display = context.system().get("Display", 1)?;
/// display.call("volume", (40,)).await?;
/// let mut volume = display.follow(&VOLUME)?;
/// while let Some(now) = volume.next().await {
///     context.set(&VOLUME, &now.unwrap_or_default());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ModuleRef {
    context: Context,
    place: ModulePlace,
}

impl ModuleRef {
    pub(super) fn new(context: Context, place: ModulePlace) -> Self {
        Self { context, place }
    }

    /// Its name and index.
    pub fn slot(&self) -> &ModuleSlot {
        &self.place.slot
    }

    /// Calls a function with a tuple or list of arguments, or with an object of named ones; `()` for none.
    ///
    /// The call is on its way when this returns, and the future waits for the answer: at most two minutes. Dropping it gives up the answer alone.
    /// The clearance of the function does not matter, since the driver decides what its module does.
    /// An error names the module and the function, and its code says what happened: that of the called driver,
    /// or one of [`RequestFailed`](crate::RequestFailed). A call that would lead back to itself, A to B to A, is such an error.
    pub fn call(&self, function: &str, arguments: impl Serialize) -> Calling {
        let doing = format!("{self}.{function}");
        let call = match self.prepared(function, arguments) {
            Ok(call) => call,
            Err(error) => return Box::pin(ready(Err(error.prefixed(&doing)))),
        };
        let answer = self.context.sink().call_module(call);
        Box::pin(async move {
            match answer.await {
                Ok(result) => Ok(Outcome {
                    value: result.value,
                    code: result.code,
                }),
                Err(failure) => Err(super::failed(failure).prefixed(&doing)),
            }
        })
    }

    /// The value that a status has now; `None` without one.
    pub async fn status<T: DeserializeOwned>(
        &self,
        status: &Status<T>,
    ) -> Result<Option<T>, Error> {
        let sink = self.context.sink();
        let read = sink.read_status(&self.place, &status.status_name()).await;
        let value = read.map_err(super::failed).and_then(|value| {
            let read = |value: JsonText| reading::read(value.as_str());
            value.map(read).transpose()
        });
        value.map_err(|error| error.prefixed(&format!("{self}/{}", status.name())))
    }

    /// Follows a status: its value if it has one, and then each change; `None` when it is gone, or no module stands in the place.
    ///
    /// A value that is no `T` counts as gone, with a warning in the log. A follower that is behind gets the latest value.
    /// The follow ends when it is dropped, and with this module.
    pub fn follow<T: DeserializeOwned + Send + 'static>(
        &self,
        status: &Status<T>,
    ) -> Result<Follow<Option<T>>, Error> {
        let followed = Followed::Status(self.place.clone(), status.status_name());
        let what = format!("{self}/{}", status.name());
        match self.context.sink().follow(followed) {
            Ok(texts) => Ok(Follow::values(self.context.clone(), what, texts)),
            Err(failure) => Err(super::failed(failure).prefixed(&what)),
        }
    }

    fn prepared(&self, function: &str, arguments: impl Serialize) -> Result<ModuleCall, Error> {
        Ok(ModuleCall {
            module: self.place.clone(),
            function: FunctionName::new(function)?,
            arguments: JsonText::of(&arguments)?,
            chain: CallScope::chain(),
        })
    }
}

/// `Display_1`.
impl fmt::Display for ModuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.slot.fmt(f)
    }
}

impl fmt::Debug for ModuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleRef")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
