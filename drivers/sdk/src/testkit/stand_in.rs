//! A module made of a few closures, in place of a driver that is not what a test is about.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use driver_types::{Function, FunctionName, Interface, JsonText, Parameter};
use futures_util::future::{BoxFuture, FutureExt, ready};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::testkit::{Module, Room, START};
use crate::{Calling, Context, Error, Instance, Outcome, reading};

type Answer = dyn Fn(&Context, &JsonText) -> Result<Outcome, Error> + Send + Sync;

/// A module without a driver: its functions are closures, its statuses are set by the test.
///
/// [`Room`] shows one at work.
pub struct StandIn {
    name: String,
    interface: Interface,
    functions: HashMap<FunctionName, Arc<Answer>>,
}

impl StandIn {
    /// A module of this name, which can do nothing yet.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            interface: Interface::default(),
            functions: HashMap::new(),
        }
    }

    /// It implements an interface of this name. Its functions are for the test to add.
    #[must_use]
    pub fn implements(mut self, interface: &str) -> Self {
        self.interface.implements.push(interface.to_owned());
        self
    }

    /// It has a function with required parameters of these names. The closure gets the module's context and its arguments, a tuple in the order of the parameters.
    ///
    /// # Panics
    ///
    /// When the name is none of a function.
    #[must_use]
    pub fn function<A: DeserializeOwned, R: Serialize>(
        mut self,
        name: &str,
        parameters: &[&str],
        answer: impl Fn(&Context, A) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self {
        let name = FunctionName::new(name).expect("a function's name");
        let parameters = parameters.iter().map(|name| Parameter {
            name: (*name).to_owned(),
            schema: JsonText::empty_object(),
            default: None,
        });
        let function = Function {
            parameters: parameters.collect(),
            ..Function::default()
        };
        self.interface.functions.insert(name.clone(), function);
        let answer = move |context: &Context, arguments: &JsonText| {
            let arguments = reading::read(arguments.as_str());
            let arguments = arguments.map_err(|error: Error| error.prefixed("the arguments"))?;
            Outcome::of(&answer(context, arguments)?)
        };
        self.functions.insert(name, Arc::new(answer));
        self
    }

    /// Starts the module in a room, behind all others. It leaves the room when it is dropped.
    ///
    /// # Panics
    ///
    /// When the module's name is none.
    pub fn join(self, room: &Room) -> Module {
        let host = room.make_member(&self.name, self.interface, START);
        let host = host.expect("a module's name");
        let context = Context::new(
            host.module.clone(),
            None,
            JsonText::empty_object(),
            host.clone(),
            host.clone(),
        );
        let instance: Arc<dyn Instance> = Arc::new(StoodIn {
            context,
            functions: self.functions,
        });
        host.begin(&instance);
        Module { instance, host }
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn")
            .field("name", &self.name)
            .field("functions", &self.functions.keys())
            .finish_non_exhaustive()
    }
}

struct StoodIn {
    context: Context,
    functions: HashMap<FunctionName, Arc<Answer>>,
}

impl Instance for StoodIn {
    fn call(self: Arc<Self>, function: &FunctionName, arguments: &JsonText) -> Calling {
        let outcome = match self.functions.get(function) {
            Some(answer) => answer(&self.context, arguments),
            None => {
                let error = Error::new(format_args!("could not find function '{function}'"));
                Err(error.with_code(404))
            }
        };
        ready(outcome).boxed()
    }

    fn stop(self: Arc<Self>) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}
