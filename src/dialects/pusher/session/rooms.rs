//! Channels that stand for a part of the building: what is followed for them, and what a client finds when it comes.

use std::sync::Arc;

use serde::Serialize;

use crate::dialects::pusher::encode::{Said, Told, put_value};
use crate::dialects::pusher::firings::states_of;
use crate::dialects::pusher::frames::{self, json, put_event};
use crate::dialects::pusher::room::Room;
use crate::dialects::pusher::session::requests::step;
use crate::dialects::pusher::session::{Client, Turn, Waiting};
use crate::dialects::pusher::{Form, ValueForm};
use crate::dialects::{Ambient, Form as AnyForm, Out, Splice, Step, Wanted};
use crate::model::{
    BindingPath, BuildingView, Event, Failure, First, FollowId, Found, ModuleAddress, ModulePath,
    Query, Reply, Request, StatusName, Subject, SystemId,
};

/// The follow of a status in its own channel, of a module in its channel, and of what is followed in one channel alone.
const OWN: FollowId = FollowId(0);

/// The follow of a status in the channel that is open to everybody.
const PUBLIC: FollowId = FollowId(1);

/// The follow of a status in the channel of its system.
const OF_SYSTEM: FollowId = FollowId(2);

/// The follow of the module that has the states of triggers, in the channel of their firings.
const FIRINGS: FollowId = FollowId(3);

/// The status that every module has.
const CONNECTED: &str = "connected";

impl Room {
    /// Whether more is followed for it than its topic.
    pub(super) fn is_followed(&self) -> bool {
        match self {
            Self::Status(_)
            | Self::PublicStatus(_)
            | Self::Module(_)
            | Self::System(_)
            | Self::Log(_)
            | Self::Triggers(_)
            | Self::Events => true,
            Self::People(_) | Self::Control(_) => false,
        }
    }

    /// What a single request follows for it, and how its events are written.
    fn subject(&self, values: ValueForm) -> Option<(FollowId, Subject, Form)> {
        match self {
            Self::Status(path) => {
                let subject = Subject::Status(Arc::clone(path));
                Some((OWN, subject, Form::Status(values)))
            }
            Self::PublicStatus(path) => {
                let subject = Subject::Status(Arc::clone(path));
                Some((PUBLIC, subject, Form::PublicStatus(values)))
            }
            Self::Module(path) => {
                let subject = Subject::Module(Arc::clone(path));
                Some((OWN, subject, Form::Module(values)))
            }
            Self::Triggers(system) => {
                let subject = Subject::Module(Arc::new(states_of(system)));
                Some((FIRINGS, subject, Form::Triggers))
            }
            Self::Events => Some((OWN, Subject::Bus, Form::Bus)),
            Self::System(_) | Self::Log(_) | Self::People(_) | Self::Control(_) => None,
        }
    }
}

impl Client {
    /// Follows what a channel stands for.
    pub(super) fn follow(&mut self, name: &Arc<str>, room: &Room, turn: &mut Turn<'_, '_>) {
        let waiting = Waiting::Channel(Arc::clone(name));
        if let Some((id, subject, form)) = room.subject(ValueForm::of(turn.app)) {
            let request = Request::Follow {
                id,
                subject,
                first: First::Reply,
            };
            self.requests.ask(request, form, waiting, turn.out);
            return;
        }
        let ticket = self.requests.open(waiting);
        match room {
            Room::Log(path) => {
                let request = Request::Debug(ModuleAddress::Place((**path).clone()));
                let splice = Splice::default();
                turn.out.step(step(ticket, request, Form::Session, splice));
            }
            Room::System(system) => {
                let building = &turn.ambient.surroundings.building;
                let follows = modules(building, system).map(connected_of).collect();
                turn.out.step(Step::Follow {
                    ticket,
                    follows,
                    splice: Splice::default(),
                });
            }
            Room::Status(_)
            | Room::PublicStatus(_)
            | Room::Module(_)
            | Room::Events
            | Room::People(_)
            | Room::Control(_)
            | Room::Triggers(_) => {}
        }
    }

    /// Follows what a channel stands for no longer.
    pub(super) fn unfollow(&mut self, room: &Room, turn: &mut Turn<'_, '_>) {
        if let Some((id, subject, _)) = room.subject(ValueForm::of(turn.app)) {
            self.requests
                .tell(Request::Unfollow { id, subject }, turn.out);
            return;
        }
        match room {
            Room::Log(_) => self.end_logs(turn),
            Room::System(system) => {
                let building = &turn.ambient.surroundings.building;
                for path in modules(building, system) {
                    self.let_go(path, turn.out);
                }
            }
            Room::Status(_)
            | Room::PublicStatus(_)
            | Room::Module(_)
            | Room::Events
            | Room::People(_)
            | Room::Control(_)
            | Room::Triggers(_) => {}
        }
    }

    /// What a channel stands for is followed: tells the client so, and what is there.
    pub(super) fn followed(&mut self, name: &Arc<str>, reply: Reply, turn: &mut Turn<'_, '_>) {
        turn.text(|out| frames::put_succeeded(name, "{}", out));
        let entered = self.channels.entered(name);
        let Some(room) = entered.and_then(|(_, subscription)| subscription.room.clone()) else {
            return;
        };
        let snapshot = match reply {
            Reply::Following { snapshot } => snapshot,
            Reply::Debugging(module) => return self.shows_log(name, module, turn),
            Reply::Unfollowed
            | Reply::Result { .. }
            | Reply::Found(_)
            | Reply::Entered(_)
            | Reply::Left
            | Reply::Published
            | Reply::Tokens(_)
            | Reply::Messages(_)
            | Reply::Ignored => return,
        };
        let form = match room.subject(ValueForm::of(turn.app)) {
            Some((_, _, form)) => form,
            None => Form::System,
        };
        let is_there = put_snapshot(form, &snapshot, turn.out);
        if !is_there && let Room::Status(path) | Room::PublicStatus(path) = room {
            // A store that many nodes share may not have been read yet. A value of it comes as news.
            let request = Request::Query(Query::Value(path));
            let waiting = Waiting::Value(Arc::clone(name));
            self.requests.ask(request, Form::Session, waiting, turn.out);
        }
    }

    /// It is known whether a status has a value that its channel has not told.
    pub(super) fn value_read(
        &mut self,
        name: &str,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_, '_>,
    ) {
        if let Ok(Reply::Found(Found::Snapshot(events))) = reply
            && events.is_empty()
            && self.channels.is_in(name)
        {
            turn.text(|out| frames::put_cache_miss(name, out));
        }
    }

    /// Tells what modules say that have come into a system.
    pub(super) fn modules_added(
        &mut self,
        name: &str,
        reply: Result<Reply, Failure>,
        turn: &mut Turn<'_, '_>,
    ) {
        if let Ok(Reply::Following { snapshot }) = reply
            && self.channels.is_in(name)
        {
            put_snapshot(Form::System, &snapshot, turn.out);
        }
    }

    /// Tells which modules have come into the systems that the client looks at, and which have gone.
    pub(super) fn systems_changed(
        &mut self,
        before: &BuildingView,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        let rooms = self.channels.rooms();
        let systems: Vec<(Arc<str>, SystemId)> = rooms
            .filter_map(|(name, room)| match room {
                Room::System(system) => Some((Arc::clone(name), system.clone())),
                Room::Status(_)
                | Room::PublicStatus(_)
                | Room::Module(_)
                | Room::People(_)
                | Room::Control(_)
                | Room::Log(_)
                | Room::Triggers(_)
                | Room::Events => None,
            })
            .collect();
        let after = &ambient.surroundings.building;
        for (name, system) in systems {
            let is_in = |building: &BuildingView, path: &Arc<ModulePath>| {
                modules(building, &system).any(|other| other == path)
            };
            for path in modules(before, &system).filter(|path| !is_in(after, path)) {
                self.let_go(path, out);
                out.text(|out| put_module("module.removed", &name, path, out));
            }
            let added = modules(after, &system).filter(|path| !is_in(before, path));
            let added: Vec<&Arc<ModulePath>> = added.collect();
            for path in &added {
                out.text(|out| put_module("module.added", &name, path, out));
            }
            if !added.is_empty() {
                let ticket = self.requests.open(Waiting::Added(name));
                out.step(Step::Follow {
                    ticket,
                    follows: added.into_iter().map(connected_of).collect(),
                    splice: Splice::default(),
                });
            }
        }
    }

    /// Looks no longer whether a module is connected.
    fn let_go(&mut self, path: &Arc<ModulePath>, out: &mut Out<'_>) {
        let Wanted { id, subject, .. } = connected_of(path);
        self.requests.tell(Request::Unfollow { id, subject }, out);
    }
}

/// Writes the values that a client finds, and says whether there were any.
fn put_snapshot(form: Form, snapshot: &[Event], out: &mut Out<'_>) -> bool {
    let values = snapshot.iter().filter_map(Said::of);
    let there = values.filter(|said| said.value.is_some());
    let mut is_there = false;
    for said in there {
        is_there = true;
        out.text(|out| put_value(form, said, Told::Snapshot, out));
    }
    is_there
}

/// The modules of a system.
fn modules<'b>(
    building: &'b BuildingView,
    system: &SystemId,
) -> impl Iterator<Item = &'b Arc<ModulePath>> {
    let view = building.systems.iter().find(|it| it.system.id == *system);
    let modules = view.into_iter().flat_map(|view| &view.modules);
    modules.map(|module| &module.path)
}

fn connected_of(path: &Arc<ModulePath>) -> Wanted {
    let status = StatusName::new(CONNECTED).expect("it is a name");
    let path = BindingPath {
        module: (**path).clone(),
        status,
    };
    Wanted {
        id: OF_SYSTEM,
        subject: Subject::Status(Arc::new(path)),
        form: AnyForm::Pusher(Form::System),
    }
}

fn put_module(event: &str, channel: &str, path: &ModulePath, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Data<'a> {
        sys: &'a str,
        r#mod: &'a str,
        index: u32,
    }
    let data = json(&Data {
        sys: path.system.as_str(),
        r#mod: path.module.as_str(),
        index: path.index.get(),
    });
    put_event(event, Some(channel), &data, out);
}
