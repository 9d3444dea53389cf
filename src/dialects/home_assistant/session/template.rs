//! Templates that a client subscribes to: rendered at once, and again whenever what they ask for has changed.
//!
//! 1. A template is rendered with what is known. The modules of entities that it asked for and that are not watched yet are followed,
//!    and it is rendered again when they have said what they say; this takes a few rounds at most.
//! 2. A result is told when it differs from the one before.
//! 3. A template that changes very often is rendered a few times a second, and the last change is told within two seconds.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::dialects::home_assistant::entities::View;
use crate::dialects::home_assistant::errors::{CommandError, ErrorCode};
use crate::dialects::home_assistant::limits;
use crate::dialects::home_assistant::session::commands::{Commands, Taken, Turn};
use crate::dialects::home_assistant::session::reading::Purpose;
use crate::dialects::home_assistant::session::subscriptions::Subscribed;
use crate::dialects::home_assistant::session::template_windows::{Asked, FUNCTIONS, Sight};
use crate::dialects::home_assistant::session::watched::Watched;
use crate::dialects::home_assistant::wire::frames::put_json;
use crate::dialects::home_assistant::wire::{Envelope, Object};
use crate::dialects::{Alarm, Wanted};
use crate::expressions::{ExpressionError, Missing, Scope, Template, Value, native};
use crate::model::{Event, Failure, JsonText, ModulePath};

/// Templates that ask for the time are due.
const MINUTE: Alarm = Alarm(0);
/// Templates that were rendered too often are due.
const BEHIND: Alarm = Alarm(1);

/// A template that a client has subscribed to.
#[derive(Debug)]
pub(super) struct Rendering {
    template: Template,
    variables: Scope,
    missing: Missing,
    mistakes: Mistakes,
    /// How many bytes the client wrote.
    size: usize,
    watched: Watched,
    asked: Asked,
    /// How often it was rendered in a row because of what it asked for.
    rounds: usize,
    /// Modules that have not said yet what they say.
    is_awaiting: bool,
    /// Something has changed since it was rendered.
    is_behind: bool,
    /// The second in which it was rendered last, and how often in that.
    rendered: (u64, usize),
    /// The event that was told last.
    told: Option<Box<[u8]>>,
}

/// Whether a client is told why a template cannot be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistakes {
    Told,
    Untold,
}

/// What is to be done after a template was rendered.
enum Next {
    /// The modules at these places are to be followed.
    Follow(Vec<Arc<ModulePath>>),
    /// This is told.
    Tell(Vec<u8>),
    /// Nothing.
    Rest,
}

/// Subscribes to what a template says. A template that is none succeeds too, as in Home Assistant, and says nothing, or what is wrong with it.
pub(super) fn render(
    commands: &mut Commands,
    command: &Envelope<'_>,
    turn: &mut Turn<'_>,
) -> Taken {
    let fields = &command.fields;
    let source = fields.text("template").unwrap_or_default();
    let mistakes = match fields.is_true("report_errors") {
        true => Mistakes::Told,
        false => Mistakes::Untold,
    };
    let template = match Template::parse(&source, &FUNCTIONS) {
        Ok(template) => template,
        Err(error) => {
            commands.subscribe(command.id, Subscribed::Nothing)?;
            turn.frames.done(command.id);
            if mistakes == Mistakes::Told {
                turn.frames.event(command.id, |out| put_error(&error, out));
            }
            return Ok(());
        }
    };
    let is_template = |about: &Subscribed| match about {
        Subscribed::Template(_) => true,
        Subscribed::Nothing
        | Subscribed::Entities(_)
        | Subscribed::Events(_)
        | Subscribed::Status(_)
        | Subscribed::Triggers(_) => false,
    };
    let subscriptions = commands.subscriptions.iter();
    let templates = subscriptions.filter(|it| is_template(&it.about)).count();
    if templates == limits::TEMPLATES_MAX {
        let message = format!("this connection has {templates} templates, as many as it may");
        return Err(CommandError::new(ErrorCode::HomeAssistantError, message));
    }
    let given = fields.get("variables").map_or(0, |given| given.get().len());
    let rendering = Rendering {
        template,
        variables: variables(fields.object("variables")),
        missing: match fields.is_true("strict") {
            true => Missing::Error,
            false => Missing::Empty,
        },
        mistakes,
        size: source.len() + given,
        watched: Watched::default(),
        asked: Asked::default(),
        rounds: 0,
        is_awaiting: false,
        is_behind: false,
        rendered: (0, 0),
        told: None,
    };
    commands.subscribe(command.id, Subscribed::Template(Box::new(rendering)))?;
    turn.frames.done(command.id);
    commands.render_again(command.id, turn);
    Ok(())
}

fn variables(given: Option<Object<'_>>) -> Scope {
    let given = given.unwrap_or_default();
    let members = given.members();
    members
        .map(|(name, value)| (name, Value::of_json(&JsonText::from_raw(value))))
        .collect()
}

impl Rendering {
    /// How many bytes of what the client wrote are kept.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether it watches a module.
    pub(super) fn watches(&self, place: &ModulePath) -> bool {
        self.watched.has(place)
    }

    /// Whether an event is about something that it asked for.
    fn is_about(&self, event: &Event, view: &View) -> bool {
        let Event::Value { path, .. } = event else {
            return false;
        };
        let entities = self.asked.entities.iter();
        let mut entities = entities.filter_map(|id| view.entity(id));
        entities.any(|entity| *entity.path == path.module && entity.is_made_of(&path.status))
    }

    /// Whether it may be rendered now. When it may not, it is behind.
    fn may_render(&mut self, now: u64) -> bool {
        let (second, times) = self.rendered;
        let times = if second == now { times + 1 } else { 1 };
        self.is_behind = times > limits::RENDERINGS_PER_SECOND;
        if !self.is_behind {
            self.rendered = (now, times);
        }
        !self.is_behind
    }

    fn render(&mut self, view: &View, now: u64) -> Next {
        let sight = Sight::new(view, &self.watched, now);
        let rendered = self.template.render(&self.variables, &sight, self.missing);
        self.asked = sight.asked();
        let new = self.watched.lacking(view, &self.asked.entities);
        if !new.is_empty() && self.rounds < limits::TEMPLATE_ROUNDS_MAX {
            self.rounds += 1;
            self.is_awaiting = true;
            for place in &new {
                self.watched.begin(place);
            }
            return Next::Follow(new);
        }
        self.rounds = 0;
        let mut event = Vec::new();
        match rendered {
            Ok(text) => self.put_result(&text, &mut event),
            Err(error) if self.mistakes == Mistakes::Told => put_error(&error, &mut event),
            Err(_) => return Next::Rest,
        }
        if self.told.as_deref() == Some(&*event) {
            return Next::Rest;
        }
        self.told = Some(event.clone().into());
        Next::Tell(event)
    }

    fn put_result(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"result\":");
        out.extend_from_slice(native(text).to_json().as_str().as_bytes());
        let listeners = json!({
            "all": false,
            "entities": self.asked.entities,
            "domains": [],
            "time": self.asked.time,
        });
        out.extend_from_slice(b",\"listeners\":");
        put_json(&listeners, out);
        out.push(b'}');
    }
}

impl Commands {
    /// Renders a template, and tells what it says if that is new.
    pub(super) fn render_again(&mut self, id: u64, turn: &mut Turn<'_>) {
        let (view, now) = (
            &turn.ambient.surroundings.home_assistant,
            (turn.ambient.clock)(),
        );
        let Some((number, rendering)) = self.template(id) else {
            return;
        };
        let next = rendering.render(view, now);
        if rendering.asked.time {
            let left = 60 - now % 60;
            turn.set_alarm(MINUTE, Duration::from_secs(left));
        }
        match next {
            Next::Follow(places) => {
                let follows: Vec<Wanted> = places.iter().map(|place| number.watch(place)).collect();
                self.follow_and_read(id, follows, Purpose::Render, turn);
            }
            Next::Tell(event) => turn.frames.event(id, |out| out.extend_from_slice(&event)),
            Next::Rest => {}
        }
    }

    /// Renders a template unless it is rendered too often; then a little later.
    fn render_soon(&mut self, id: u64, turn: &mut Turn<'_>) {
        let now = (turn.ambient.clock)();
        let Some((_, rendering)) = self.template(id) else {
            return;
        };
        if rendering.is_awaiting {
            // It is rendered when the answer comes.
        } else if rendering.may_render(now) {
            self.render_again(id, turn);
        } else {
            turn.set_alarm(BEHIND, limits::RENDERED_LATER);
        }
    }

    /// Modules that a template asked for have said what they say.
    pub(super) fn rendered(
        &mut self,
        id: u64,
        events: Result<Vec<Event>, Failure>,
        turn: &mut Turn<'_>,
    ) {
        // What cannot be followed is not known.
        let events = events.unwrap_or_default();
        let Some((_, rendering)) = self.template(id) else {
            return;
        };
        for event in &events {
            rendering.watched.take(event);
        }
        rendering.is_awaiting = false;
        self.render_again(id, turn);
    }

    /// A module that a template watches says something.
    pub(super) fn template_heard(&mut self, id: u64, event: &Event, turn: &mut Turn<'_>) {
        let view = &turn.ambient.surroundings.home_assistant;
        let Some((_, rendering)) = self.template(id) else {
            return;
        };
        rendering.watched.take(event);
        if rendering.is_about(event, view) {
            self.render_soon(id, turn);
        }
    }

    /// The building has changed, and with it perhaps the entities that templates ask for.
    pub(super) fn templates_look_around(&mut self, turn: &mut Turn<'_>) {
        let view = &turn.ambient.surroundings.home_assistant;
        for id in self.templates(|_| true) {
            if let Some((_, rendering)) = self.template(id) {
                rendering.watched.keep_those_of(view);
            }
            self.render_soon(id, turn);
        }
    }

    /// An alarm goes off.
    pub(super) fn templates_are_due(&mut self, alarm: Alarm, turn: &mut Turn<'_>) {
        let due = match alarm {
            MINUTE => self.templates(|rendering| rendering.asked.time),
            _ => self.templates(|rendering| rendering.is_behind),
        };
        for id in due {
            self.render_soon(id, turn);
        }
    }

    /// The commands that began templates of which this holds.
    fn templates(&self, holds: impl Fn(&Rendering) -> bool) -> Vec<u64> {
        let subscriptions = self.subscriptions.iter();
        let wanted = subscriptions.filter(|subscription| match &subscription.about {
            Subscribed::Template(rendering) => holds(rendering),
            Subscribed::Nothing
            | Subscribed::Entities(_)
            | Subscribed::Events(_)
            | Subscribed::Status(_)
            | Subscribed::Triggers(_) => false,
        });
        wanted.map(|subscription| subscription.id).collect()
    }
}

fn put_error(error: &ExpressionError, out: &mut Vec<u8>) {
    let event = json!({"error": error.to_string(), "level": "ERROR"});
    put_json(&event, out);
}
