//! `GET /api/stream`: events as they happen, as server-sent events, until the client goes.
//!
//! A stream follows every module and the bus by an outlet of its own. One that is read too slowly ends: its client connects again and asks for states.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, get};
use futures_util::stream;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::timeout;

use crate::core::{Caller, Delivery, Outlet, OutletId, WatchId};
use crate::dialects::home_assistant::Form as Written;
use crate::dialects::home_assistant::entities::write_bus_event;
use crate::dialects::{Encoded, Form, Surroundings, encode};
use crate::model::{Audience, Cause, Event, ModulePath, Newest, Subject, lock};
use crate::server::ServerState;
use crate::server::http::home_assistant::authn::admin;
use crate::server::http::home_assistant::look::may_read;
use crate::server::http::home_assistant::rejections::said;
use crate::server::http::home_assistant::{Answer, Context, Refusals};
use crate::server::limits::{EVENT_STREAM_MAX, EVENT_STREAM_PING};

/// The name of the events that entities change.
const STATE_CHANGED: &str = "state_changed";

/// A sign of life, and the first thing that is said.
const PING: &str = "data: ping\n\n";

/// Events as they happen; `restrict` names those that are wanted, apart by commas. For administrators.
#[utoipa::path(
    tag = "home_assistant",
    operation_id = "stream",
    security(("token" = [])),
    params(("restrict" = Option<String>, Query, description = "Names of events, with commas between them.")),
    responses((status = 200, body = String, content_type = "text/event-stream"), Refusals),
)]
#[get("/api/stream")]
pub(super) async fn events(context: Context) -> Answer {
    admin(&context)?;
    let state = &context.state;
    let place = Arc::clone(&state.event_streams).try_acquire_owned();
    let place = place.map_err(|_| {
        let message = "too many streams are open; close one or try again later";
        said(StatusCode::SERVICE_UNAVAILABLE, message)
    })?;
    let query = form_urlencoded::parse(context.request.query_string().as_bytes());
    let restrict = query.into_owned().find(|(name, _)| name == "restrict");
    let wanted = restrict.map(|(_, names)| names.split(',').map(str::to_owned).collect());
    let stream = EventStream::open(state, &context.caller, wanted, place);
    let chunks = stream::unfold(stream, |mut stream| async {
        let chunk = stream.next().await?;
        Some((Ok::<_, actix_web::Error>(chunk), stream))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .streaming(Box::pin(chunks)))
}

/// One client's stream.
struct EventStream {
    state: ServerState,
    caller: Caller,
    /// The names of events that are wanted; all of them without.
    wanted: Option<HashSet<String>>,
    surroundings: Arc<Surroundings>,
    outlet: OutletId,
    inbox: Arc<Inbox>,
    /// The watch of each module, and what each said last.
    modules: HashMap<Arc<ModulePath>, WatchId>,
    newest: HashMap<WatchId, Newest>,
    bus: Option<WatchId>,
    has_begun: bool,
    encoded: Encoded,
    _place: OwnedSemaphorePermit,
}

impl EventStream {
    fn open(
        state: &ServerState,
        caller: &Caller,
        wanted: Option<HashSet<String>>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let inbox = Arc::new(Inbox::default());
        let outlet = Arc::clone(&inbox) as Arc<dyn Outlet>;
        let mut stream = Self {
            outlet: state.core.follows.attach(outlet),
            state: state.clone(),
            caller: caller.clone(),
            wanted,
            surroundings: Arc::default(),
            inbox,
            modules: HashMap::new(),
            newest: HashMap::new(),
            bus: None,
            has_begun: false,
            encoded: Encoded::default(),
            _place: place,
        };
        let core = &stream.state.core;
        if core.access.may_go_on(caller, &Subject::Bus) {
            stream.bus = Some(core.follows.watch(stream.outlet, Subject::Bus));
        }
        stream.look_around();
        stream
    }

    /// Follows the modules that are there now, and those alone.
    fn look_around(&mut self) {
        let surroundings = self.state.surroundings.current();
        if self.has_begun && Arc::ptr_eq(&surroundings, &self.surroundings) {
            return;
        }
        let core = Arc::clone(&self.state.core);
        let view = &surroundings.home_assistant;
        let is_gone = |path: &Arc<ModulePath>| view.module(path).is_none();
        let gone: Vec<_> = self
            .modules
            .keys()
            .filter(|path| is_gone(path))
            .cloned()
            .collect();
        for path in gone {
            if let Some(watch) = self.modules.remove(&path) {
                core.follows.unwatch(self.outlet, watch);
                self.newest.remove(&watch);
            }
        }
        for module in view.modules() {
            let subject = Subject::Module(Arc::clone(&module.path));
            let is_new = !self.modules.contains_key(&module.path);
            if is_new && may_read(&core, &self.caller, &module.path) {
                let watch = core.follows.watch(self.outlet, subject);
                self.modules.insert(Arc::clone(&module.path), watch);
            }
        }
        self.surroundings = surroundings;
    }

    /// The next piece of the stream; `None` when it has ended.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.has_begun {
            self.has_begun = true;
            return Some(Bytes::from_static(PING.as_bytes()));
        }
        loop {
            self.look_around();
            let inbox = Arc::clone(&self.inbox);
            let woken = inbox.wake.notified();
            if !self.state.core.access.still_admits(&self.caller) {
                return None;
            }
            let waiting = {
                let mut queue = lock(&inbox.queue);
                if queue.has_ended {
                    return None;
                }
                queue.news = 0;
                std::mem::take(&mut queue.events)
            };
            let mut text = String::new();
            for (watch, event) in waiting {
                self.write(watch, event, &mut text);
            }
            if !text.is_empty() {
                return Some(Bytes::from(text));
            }
            if timeout(EVENT_STREAM_PING, woken).await.is_err() {
                return Some(Bytes::from_static(PING.as_bytes()));
            }
        }
    }

    /// Writes an event, unless it only says what is there already or is not wanted.
    fn write(&mut self, watch: WatchId, event: Event, text: &mut String) {
        if self.bus == Some(watch) {
            if let Event::Bus(event) = &event
                && self.wants(&event.name)
            {
                let mut json = Vec::new();
                write_bus_event(event, &mut json);
                put(text, &String::from_utf8_lossy(&json));
            }
            return;
        }
        let mut newest = self.newest.remove(&watch).unwrap_or_default();
        if is_news(&event) && self.wants(STATE_CHANGED) {
            self.write_changes(&event, &newest, text);
        }
        newest.put(event);
        self.newest.insert(watch, newest);
    }

    /// Writes what an event changes of the entities that its status is in.
    fn write_changes(&mut self, event: &Event, newest: &Newest, text: &mut String) {
        let Event::Value { path, .. } = event else {
            return;
        };
        let Some(module) = self.surroundings.home_assistant.module(&path.module) else {
            return;
        };
        for window in module.windows() {
            let mask = u64::MAX;
            let form = Form::HomeAssistant(Written::StateChanged { window, mask });
            encode(form, event, newest, &self.surroundings, &mut self.encoded);
            for (head, rest) in self.encoded.frames() {
                // What stands between is the id of a subscription, which is a number.
                let frame = [head, b"0", rest].concat();
                if let Ok(frame) = serde_json::from_slice::<Frame<'_>>(&frame) {
                    put(text, frame.event.get());
                }
            }
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.wanted
            .as_ref()
            .is_none_or(|wanted| wanted.contains(name))
    }
}

/// Appends an event to the text of a stream. Line breaks between the parts of JSON are blanks as good as others, and would end the event.
fn put(text: &mut String, json: &str) {
    text.push_str("data: ");
    text.push_str(&json.replace(['\n', '\r'], " "));
    text.push_str("\n\n");
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.state.core.follows.detach(self.outlet);
    }
}

/// A frame as the websocket has it.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    event: &'a RawValue,
}

/// The outlet of a stream, bounded by [`EVENT_STREAM_MAX`].
#[derive(Default)]
struct Inbox {
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<(WatchId, Event)>,
    /// How many of them have happened since the client came.
    news: usize,
    has_ended: bool,
}

/// Whether something has happened, and a new follower was not only told what there is.
fn is_news(event: &Event) -> bool {
    match event {
        Event::Value { cause, .. } => match cause {
            Cause::Follow => false,
            Cause::Module | Cause::Act(_) | Cause::Store | Cause::Building => true,
        },
        Event::Entry { .. }
        | Event::Line(_)
        | Event::Bus(_)
        | Event::Call(_)
        | Event::Topic(_)
        | Event::Message(_) => true,
    }
}

impl Outlet for Inbox {
    fn push(&self, batch: &mut Vec<Delivery>) {
        let mut queue = lock(&self.queue);
        for delivery in batch.drain(..) {
            match delivery {
                Delivery::Event { watch, event } => {
                    // What is there already comes once, and is as much as there is.
                    queue.news += usize::from(is_news(&event));
                    queue.events.push_back((watch, event));
                }
                Delivery::Close { audience, .. } => match audience {
                    Audience::All => queue.has_ended = true,
                    // The stream looks whether its caller was meant.
                    Audience::Credential(_)
                    | Audience::Connection(_)
                    | Audience::User(_)
                    | Audience::AppUser { .. } => {}
                },
                // No slot of an answer names this outlet.
                Delivery::Reply { .. } => {}
            }
        }
        if queue.news > EVENT_STREAM_MAX {
            queue.events.clear();
            queue.has_ended = true;
        }
        drop(queue);
        self.wake.notify_one();
    }
}
