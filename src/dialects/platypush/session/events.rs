//! Events of one connection: all that is on the bus and all that modules say, as far as the client may follow it; and what it publishes.
//!
//! What is followed is written once for all (`encode.rs`). What may not be followed is left out by the server, and tried again when systems change.

use std::collections::HashSet;
use std::sync::Arc;

use crate::dialects::platypush::Form;
use crate::dialects::platypush::errors::shown;
use crate::dialects::platypush::message::{EventMessage, Ignored};
use crate::dialects::{Ambient, Form as AnyForm, Out, Splice, Step, Surroundings, Wanted};
use crate::model::{FollowId, ModulePath, Request, Subject, Ticket};

/// Everything is followed by one id.
const THE_FOLLOW: FollowId = FollowId(0);

/// The one ticket: no answer is waited for.
const NO_TICKET: Ticket = Ticket(0);

/// What a connection of events follows.
#[derive(Debug, Default)]
pub(super) struct Events {
    modules: HashSet<Arc<ModulePath>>,
}

impl Events {
    pub(super) fn open(ambient: &Ambient<'_>, out: &mut Out<'_>) -> Self {
        let mut events = Self::default();
        events.follow_all(ambient, out);
        events
    }

    /// Follows the bus and every module. What is followed already stays.
    fn follow_all(&mut self, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        let modules = ambient.surroundings.building.modules();
        self.modules = modules.map(|module| Arc::clone(&module.path)).collect();
        let mut paths: Vec<_> = self.modules.iter().cloned().collect();
        paths.sort_by(|one, two| order(one).cmp(&order(two)));
        let bus = wanted(Subject::Bus, Form::Bus);
        let modules = paths.into_iter().map(of_module);
        follow([bus].into_iter().chain(modules).collect(), out);
    }

    /// Takes one message. What is no event is passed over, as in Platypush; a type that is not taken is counted.
    pub(super) fn receive(&mut self, text: &str, ambient: &Ambient<'_>, out: &mut Out<'_>) {
        match EventMessage::read_text(text) {
            Ok(EventMessage { name, data }) => out.step(Step::Request {
                ticket: NO_TICKET,
                request: Request::Announce {
                    name,
                    data,
                    act: (ambient.draw)(),
                },
                form: AnyForm::Platypush(Form::Session),
                splice: Splice::default(),
            }),
            Err(Ignored::Type(kind)) => out.step(Step::Refused {
                command: shown(&kind),
            }),
            Err(Ignored::Malformed) => {}
        }
    }

    /// Modules have come or gone, or what the client may follow is another.
    pub(super) fn looked_around(
        &mut self,
        before: &Surroundings,
        ambient: &Ambient<'_>,
        out: &mut Out<'_>,
    ) {
        let building = &ambient.surroundings.building;
        let there: HashSet<&Arc<ModulePath>> = building.modules().map(|it| &it.path).collect();
        let gone = self.modules.iter().filter(|path| !there.contains(path));
        let mut gone: Vec<Arc<ModulePath>> = gone.cloned().collect();
        gone.sort_by(|one, two| order(one).cmp(&order(two)));
        for path in gone {
            self.modules.remove(&path);
            out.step(Step::Request {
                ticket: NO_TICKET,
                request: Request::Unfollow {
                    id: THE_FOLLOW,
                    subject: Subject::Module(path),
                },
                form: AnyForm::Platypush(Form::Session),
                splice: Splice::default(),
            });
        }
        let now = &ambient.surroundings.platypush;
        if !now.has_systems_of(&before.platypush) {
            return self.follow_all(ambient, out);
        }
        let mut new = Vec::new();
        for module in building.modules() {
            if self.modules.insert(Arc::clone(&module.path)) {
                new.push(of_module(Arc::clone(&module.path)));
            }
        }
        if !new.is_empty() {
            follow(new, out);
        }
    }
}

fn order(path: &ModulePath) -> (&str, &str, u32) {
    (path.system.as_str(), path.module.as_str(), path.index.get())
}

fn of_module(path: Arc<ModulePath>) -> Wanted {
    wanted(Subject::Module(path), Form::Status)
}

fn wanted(subject: Subject, form: Form) -> Wanted {
    Wanted {
        id: THE_FOLLOW,
        subject,
        form: AnyForm::Platypush(form),
    }
}

fn follow(follows: Vec<Wanted>, out: &mut Out<'_>) {
    out.step(Step::Follow {
        ticket: NO_TICKET,
        follows,
        splice: Splice::default(),
    });
}
