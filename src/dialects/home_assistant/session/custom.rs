//! Commands of the building's own: what its file says is held to, carried out and answered.
//!
//! 1. A message is held to the command's schema, in the words of the dialect's own commands, and then the client's rights to it.
//! 2. What the message says, with what has a default, are the variables of the expressions in the command's texts.
//! 3. A function is called, an answer is given at once, or a status is followed.
//!
//! Which commands there are is looked up for each message, so a building that is read again changes them for every connection.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::dialects::home_assistant::errors::{CommandError, ErrorCode};
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn, Waiting};
use crate::dialects::home_assistant::session::custom_texts::{fields, fill, variables};
use crate::dialects::home_assistant::session::subscriptions::Subscribed;
use crate::dialects::home_assistant::wire::parameters::problems_of_parameters;
use crate::dialects::home_assistant::wire::{Envelope, Object};
use crate::expressions::{ExpressionError, Scope};
use crate::model::{
    BindingPath, BuildingView, CommandAction, CommandCall, CustomCommand, Event, ExecRequest,
    Failure, FailureKind, First, JsonText, ModuleAddress, OfferedCommand, Reply, Request, Subject,
};

/// The command of this type that the building has. Of two the later one counts.
pub(super) fn find<'b>(building: &'b BuildingView, kind: &str) -> Option<&'b Arc<CustomCommand>> {
    let mut commands = building.commands.iter().rev();
    commands.find(|own| own.command.as_str() == kind)
}

/// The command of this type that the program around the gateway answers.
pub(super) fn offered<'b>(
    building: &'b BuildingView,
    kind: &str,
) -> Option<&'b Arc<OfferedCommand>> {
    let mut offered = building.offered.iter();
    offered.find(|offer| offer.command.as_str() == kind)
}

impl Commands {
    /// Takes a command that the program around the gateway answers.
    pub(super) fn take_offered(
        &mut self,
        offer: &OfferedCommand,
        envelope: &Envelope<'_>,
        whole: &RawValue,
        turn: &mut Turn<'_>,
    ) -> Taken {
        let parameters = offer.schema.parameters();
        if let Some(problems) = problems_of_parameters(parameters, &envelope.fields, whole) {
            return Err(CommandError::misshapen(problems));
        }
        if offer.admin && !self.client.is_admin() {
            return Err(CommandError::unauthorized());
        }
        let request = Request::Custom {
            command: Arc::from(offer.command.as_str()),
            fields: fields(parameters, &envelope.fields),
        };
        self.ask(request, Waiting::Program(envelope.id), turn);
        Ok(())
    }

    /// Takes a command of the building's own.
    pub(super) fn take_custom(
        &mut self,
        own: &Arc<CustomCommand>,
        envelope: &Envelope<'_>,
        whole: &RawValue,
        turn: &mut Turn<'_>,
    ) -> Taken {
        let parameters = own.schema.parameters();
        if let Some(problems) = problems_of_parameters(parameters, &envelope.fields, whole) {
            return Err(CommandError::misshapen(problems));
        }
        if own.admin && !self.client.is_admin() {
            return Err(CommandError::unauthorized());
        }
        match own.action() {
            Some(CommandAction::Answer(result)) => {
                let scope = variables(parameters, &envelope.fields);
                let result = filled("result", result, &scope)?;
                turn.frames.result(envelope.id, |out| {
                    out.extend_from_slice(result.as_str().as_bytes());
                });
                Ok(())
            }
            Some(CommandAction::Call(call)) => {
                let request = request(own, call, &envelope.fields, turn)?;
                let then = Waiting::Custom(envelope.id, Arc::clone(own));
                self.ask(Request::Call(request), then, turn);
                Ok(())
            }
            Some(CommandAction::Subscribe(status)) => {
                let status = Arc::new(status.target().clone());
                self.subscribe_to_status(envelope.id, status, turn)
            }
            // The building refuses it.
            None => Err(CommandError::unknown_command()),
        }
    }

    /// Follows a status. Who may not is told so.
    fn subscribe_to_status(
        &mut self,
        id: u64,
        status: Arc<BindingPath>,
        turn: &mut Turn<'_>,
    ) -> Taken {
        self.subscribe(id, Subscribed::Status(Arc::clone(&status)))?;
        let subscription = self.subscriptions.last().expect("it was added above");
        let follow = Request::Follow {
            id: subscription.number.only_follow(),
            subject: Subject::Status(status),
            first: First::Reply,
        };
        self.ask(follow, Waiting::Subscribed(id), turn);
        Ok(())
    }

    /// The function that a command calls has answered.
    pub(super) fn custom_called(
        id: u64,
        own: &CustomCommand,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_>,
    ) {
        match reply {
            Err(failure) => {
                let error = error_of(own, failure);
                turn.frames.error(&id.to_string(), &error);
            }
            Ok(reply) => answer(id, Ok(reply), turn),
        }
    }
}

/// Answers a command with what came of it, as it is.
pub(super) fn answer(id: u64, reply: Result<Reply, Failure>, turn: &mut Turn<'_>) {
    match reply {
        Ok(reply) => match reply.returned() {
            Some((value, _)) => turn.frames.result(id, |out| {
                out.extend_from_slice(value.as_str().as_bytes());
            }),
            // A call has no other success.
            None => turn.frames.done(id),
        },
        Err(failure) => turn.frames.error(&id.to_string(), &failure.into()),
    }
}

/// Tells a subscription to a status what that says.
pub(super) fn tell_value(id: u64, event: &Event, turn: &mut Turn<'_>) {
    if let Event::Value { value, .. } = event {
        let value = value.as_ref().map_or("null", |value| value.as_str());
        turn.frames
            .event(id, |out| out.extend_from_slice(value.as_bytes()));
    }
}

/// The call that a message asks for.
fn request(
    own: &CustomCommand,
    call: &CommandCall,
    fields: &Object<'_>,
    turn: &Turn<'_>,
) -> Result<ExecRequest, CommandError> {
    let scope = variables(own.schema.parameters(), fields);
    let (place, function) = match call {
        CommandCall::At(path) => (&path.target().module, &path.target().function),
        CommandCall::BehindEntity {
            parameter,
            function,
        } => {
            let id = scope.get(parameter).and_then(|value| value.as_text());
            let id = id.map(str::to_lowercase).ok_or_else(|| {
                let missing = format!("required key not provided @ data['{parameter}']. Got None");
                CommandError::misshapen(missing)
            })?;
            let view = &turn.ambient.surroundings.home_assistant;
            let entity = view.entity(&id);
            let entity = entity.ok_or_else(CommandError::entity_not_found)?;
            (&*entity.path, function)
        }
    };
    let arguments = match &own.args {
        Some(args) => filled("args", args, &scope)?,
        None => JsonText::empty_object(),
    };
    Ok(ExecRequest {
        module: ModuleAddress::Place(place.clone()),
        function: function.clone(),
        arguments,
        act: Some((turn.ambient.draw)()),
    })
}

/// What texts of the command say with these variables.
fn filled(key: &str, json: &JsonText, scope: &Scope) -> Result<JsonText, CommandError> {
    let error = |error: ExpressionError| {
        let message = format!("`{key}` of the command cannot be evaluated: {error}");
        CommandError::new(ErrorCode::TemplateError, message)
    };
    fill(json, scope).map_err(error)
}

/// What a failure becomes: what a driver says may have a code of its own.
fn error_of(own: &CustomCommand, failure: Failure) -> CommandError {
    let mapped = match failure.kind() {
        FailureKind::DriverFailed => own.errors.of(failure.message()),
        FailureKind::SystemNotFound
        | FailureKind::ModuleNotFound
        | FailureKind::FunctionNotFound
        | FailureKind::BadRequest
        | FailureKind::Unauthenticated
        | FailureKind::UnknownKey
        | FailureKind::Forbidden
        | FailureKind::SystemOutOfReach
        | FailureKind::ModuleOutOfReach
        | FailureKind::Restricted
        | FailureKind::ProtectedModule
        | FailureKind::TimedOut
        | FailureKind::Busy
        | FailureKind::Unavailable
        | FailureKind::Lost
        | FailureKind::TooLarge
        | FailureKind::Internal => None,
    };
    let Some(mapped) = mapped else {
        return failure.into();
    };
    let message = mapped.message.as_deref().unwrap_or(failure.message());
    CommandError {
        code: Cow::Owned(mapped.code.clone()),
        message: Cow::Owned(message.to_owned()),
        translation: None,
    }
}
