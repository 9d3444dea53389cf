//! The port for commands of the program around the gateway: what clients may send, and the program's own code that answers.
//!
//! Separate from calls of modules, since no module stands behind them: the program is told who asks and what, and answers as it likes.
//! A handler that takes too long or panics fails its own call and nothing else.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::core::access::Caller;
use crate::core::limits::CUSTOM_COMMANDS_OPEN;
use crate::core::reply::ReplySlot;
use crate::model::{
    Clearance, Failure, FailureKind, JsonText, OfferedCommand, Reply, read_lock, write_lock,
};

/// A message of a client, for the program that answers it.
#[derive(Debug, Clone)]
pub struct CommandMessage {
    /// The id of the user who sent it; `None` for credentials that are nobody's.
    pub user: Option<String>,
    /// What the message says, as an object: what fits the schema, with what has a default there.
    pub fields: JsonText,
}

/// Why the program does not do what a message asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRefusal {
    /// What programs know it by, such as `entity_not_found`.
    pub code: String,
    /// What people read.
    pub message: String,
}

/// What comes of a message.
pub type CommandOutcome = Result<JsonText, CommandRefusal>;

/// Answers messages.
pub type CommandHandler = Arc<
    dyn Fn(CommandMessage) -> Pin<Box<dyn Future<Output = CommandOutcome> + Send>> + Send + Sync,
>;

/// A command of the program and what answers it.
#[derive(Clone)]
pub struct ProgramCommand {
    /// What clients are held to.
    pub offer: Arc<OfferedCommand>,
    /// What answers.
    pub handler: CommandHandler,
}

/// The commands of the program.
pub struct CustomCommands {
    pub(super) registered: RwLock<Vec<ProgramCommand>>,
    /// Where handlers run.
    pub(super) main: Handle,
    /// A place for each message that may be answered at a time.
    pub(super) places: Arc<Semaphore>,
    /// How long a handler may take.
    pub(super) deadline: Duration,
}

impl CustomCommands {
    pub(super) fn new(main: Handle, deadline: Duration) -> Self {
        Self {
            registered: RwLock::default(),
            main,
            places: Arc::new(Semaphore::new(CUSTOM_COMMANDS_OPEN)),
            deadline,
        }
    }

    /// Adds a command; one of its type that is there already gives way to it. To be called before clients come in.
    pub fn register(&self, command: ProgramCommand) {
        let mut registered = write_lock(&self.registered);
        registered.retain(|known| known.offer.command != command.offer.command);
        registered.push(command);
    }

    /// All of them, as clients are held to them.
    pub fn offered(&self) -> Vec<Arc<OfferedCommand>> {
        let registered = read_lock(&self.registered);
        registered
            .iter()
            .map(|command| Arc::clone(&command.offer))
            .collect()
    }

    /// Has the program answer a message of a caller who has been [authorized](super::AccessControl::authorize).
    pub fn run(&self, who: &Caller, command: &str, fields: JsonText, slot: ReplySlot) {
        match self.begin(who, command) {
            Ok((handler, place)) => {
                let message = CommandMessage {
                    user: who.principal().user().map(|user| user.id.to_string()),
                    fields,
                };
                let (deadline, name) = (self.deadline, command.to_owned());
                self.main.spawn(async move {
                    let handled = AssertUnwindSafe(async { handler(message).await }).catch_unwind();
                    let outcome = tokio::time::timeout(deadline, handled).await;
                    drop(place);
                    slot.answer(match outcome {
                        Ok(Ok(outcome)) => reply(outcome),
                        Ok(Err(_)) => {
                            tracing::error!(command = name, "the program's handler panicked");
                            let message = "the program's handler panicked";
                            Err(Failure::new(FailureKind::Internal, message))
                        }
                        Err(_) => Err(Failure::new(
                            FailureKind::TimedOut,
                            "the program did not answer in time",
                        )),
                    });
                });
            }
            Err(failure) => slot.answer(Err(failure)),
        }
    }

    /// The handler, and a place for it to run.
    fn begin(
        &self,
        who: &Caller,
        command: &str,
    ) -> Result<(CommandHandler, tokio::sync::OwnedSemaphorePermit), Failure> {
        let registered = read_lock(&self.registered);
        let mut known = registered.iter();
        let known = known.find(|known| known.offer.command.as_str() == command);
        let Some(known) = known else {
            let message = "the program has no such command";
            return Err(Failure::new(FailureKind::FunctionNotFound, message));
        };
        if known.offer.admin && who.principal().clearance() < Clearance::Admin {
            let message = "the command is for administrators";
            return Err(Failure::new(FailureKind::Forbidden, message));
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            let message = format!("{CUSTOM_COMMANDS_OPEN} messages wait for the program already");
            Failure::new(FailureKind::Busy, message)
        })?;
        Ok((Arc::clone(&known.handler), place))
    }
}

fn reply(outcome: CommandOutcome) -> Result<Reply, Failure> {
    match outcome {
        Ok(value) => Ok(Reply::Result { value, code: 200 }),
        Err(CommandRefusal { code, message }) => {
            Err(Failure::new(FailureKind::DriverFailed, message).with_code(code))
        }
    }
}

impl fmt::Debug for ProgramCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgramCommand")
            .field("offer", &self.offer)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CustomCommands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomCommands").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::core::access::Principal;
    use crate::core::reply::Returned;
    use crate::model::{AutomationId, CommandSchema, CommandType};

    type Answer = Result<Returned, Failure>;

    fn commands(deadline: Duration) -> CustomCommands {
        CustomCommands::new(Handle::current(), deadline)
    }

    fn command(handler: CommandHandler) -> ProgramCommand {
        let schema = CommandSchema::read(&JsonText::empty_object()).unwrap();
        let offer = OfferedCommand {
            command: CommandType::new("desk/hello").unwrap(),
            schema,
            admin: false,
        };
        ProgramCommand {
            offer: Arc::new(offer),
            handler,
        }
    }

    fn says(text: &'static str) -> ProgramCommand {
        command(Arc::new(move |_| {
            Box::pin(async move { Ok(JsonText::of(text).unwrap()) })
        }))
    }

    fn never_answers() -> ProgramCommand {
        command(Arc::new(|_| Box::pin(pending())))
    }

    fn run(commands: &CustomCommands) -> impl Future<Output = Answer> + use<> {
        let who = AutomationId::new("test").unwrap();
        let who = Principal::automation(who, Clearance::User);
        let who = Caller::new(Arc::new(who), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let (slot, answered) = ReplySlot::for_exec();
        commands.run(&who, "desk/hello", JsonText::empty_object(), slot);
        answered
    }

    fn kind(answer: Answer) -> Option<FailureKind> {
        answer.err().map(|failure| failure.kind())
    }

    #[tokio::test]
    async fn of_two_commands_with_one_type_the_later_counts() {
        let commands = commands(Duration::MAX);
        assert_eq!(
            kind(run(&commands).await),
            Some(FailureKind::FunctionNotFound)
        );
        commands.register(says("one"));
        commands.register(says("two"));
        let returned = run(&commands).await.unwrap();
        assert_eq!(returned.value.as_str(), "\"two\"");
        assert_eq!(commands.offered().len(), 1);
    }

    #[tokio::test]
    async fn a_handler_has_a_deadline() {
        let commands = commands(Duration::from_millis(1));
        commands.register(never_answers());
        assert_eq!(kind(run(&commands).await), Some(FailureKind::TimedOut));
    }

    #[tokio::test]
    async fn no_more_messages_are_answered_at_a_time_than_there_are_places() {
        let commands = commands(Duration::MAX);
        commands.register(never_answers());
        let open: Vec<_> = (0..CUSTOM_COMMANDS_OPEN).map(|_| run(&commands)).collect();
        assert_eq!(kind(run(&commands).await), Some(FailureKind::Busy));
        drop(open);
    }
}
