//! Who a client is: unknown at first, where its dialect signs in inside the socket, and from then on a caller, perhaps another one later.
//!
//! A request is authorised for a [`Caller`], and an anonymous connection has none.

use std::net::IpAddr;
use std::rc::Rc;

use tokio::time::Instant;

use crate::core::Caller;
use crate::model::{Audience, Clearance, CloseReason, Credentials, Failure, FailureKind};
use crate::server::ws::alarms::AlarmKind;
use crate::server::ws::connection::Connection;
use crate::server::ws::follows::Followed;
use crate::server::ws::worker::{WatchSlot, Worker};

/// Who a client is.
#[derive(Debug)]
pub(in crate::server::ws) enum Identity {
    /// It has not said so; where it comes from is all that is known. It has until the alarm [`AlarmKind::SignIn`].
    Anonymous(IpAddr),
    /// Its credentials were good.
    Identified(Caller),
}

impl Identity {
    fn address(&self) -> IpAddr {
        match self {
            Self::Anonymous(address) => *address,
            Self::Identified(caller) => caller.address(),
        }
    }

    /// The clearance; `None` for who is not known.
    pub(in crate::server::ws) fn level(&self) -> Option<Clearance> {
        match self {
            Self::Anonymous(_) => None,
            Self::Identified(caller) => Some(caller.clearance()),
        }
    }

    /// When what the credentials opened ends by itself, in Unix seconds.
    pub(in crate::server::ws) fn expires(&self) -> Option<u64> {
        match self {
            Self::Anonymous(_) => None,
            Self::Identified(caller) => caller.expires(),
        }
    }
}

impl Connection {
    /// Whether the connection belongs to an audience. An anonymous connection belongs only to `Audience::All`.
    pub(in crate::server::ws) fn is_in(&self, audience: &Audience) -> bool {
        match (audience, &*self.identity.borrow()) {
            (Audience::All, _) => true,
            (Audience::Connection(id), _) => *id == self.id,
            (_, Identity::Anonymous(_)) => false,
            (_, Identity::Identified(caller)) => caller.is_in(audience),
        }
    }
}

impl Worker {
    /// A client that has not signed in has so long.
    pub(super) fn await_sign_in(&self, connection: &Connection) {
        let within = connection.kind.profile(&self.dialects).sign_in_within;
        if let (Identity::Anonymous(_), Some(within)) = (&*connection.identity.borrow(), within) {
            let at = Instant::now() + within;
            let mut alarms = self.alarms.borrow_mut();
            alarms.set(connection.id, AlarmKind::SignIn, at);
        }
    }

    /// Lets a caller do what the building has come to allow them since they came in.
    pub(super) fn renew_identity(&self, connection: &Connection) {
        let renewed = match &*connection.identity.borrow() {
            Identity::Identified(caller) => self.core.access.renewed(caller),
            Identity::Anonymous(_) => None,
        };
        if let Some(caller) = renewed {
            connection.identity.replace(Identity::Identified(caller));
        }
    }

    /// Ends the follows of a watch whose followers may no longer: the permissions of zones can change while a client listens.
    pub(in crate::server::ws) fn end_refused_followers(&self, slot: WatchSlot) {
        let Some((subject, followers)) = self.followers_of(slot) else {
            return;
        };
        for connection in followers {
            self.renew_identity(&connection);
            let goes_on = match &*connection.identity.borrow() {
                Identity::Identified(caller) => self.core.access.may_go_on(caller, &subject),
                Identity::Anonymous(_) => false,
            };
            if !goes_on {
                let ids: Vec<Followed> = connection.follows.borrow().of(slot).collect();
                for followed in ids {
                    self.unfollow(&connection, &subject, followed.id);
                }
            }
        }
    }

    /// Finds out who shows these credentials. Reading pauses, since what follows may need to be authorised.
    pub(super) fn authenticate(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        credentials: Credentials,
    ) {
        if connection.identifying.replace(true) {
            return;
        }
        let (worker, connection) = (Rc::clone(self), Rc::clone(connection));
        // One per connection, and bounded in time. No task awaits it: its outcome comes back through the connection.
        actix_rt::spawn(async move {
            let credentials = [credentials];
            worker.core.access.recognise(&credentials).await;
            let address = connection.identity.borrow().address();
            let found = worker.core.access.authenticate(&credentials, address);
            worker.identified(&connection, found);
        });
    }

    /// It is known who shows the credentials. Nothing is awaited between that and here, so no order to close them can be missed.
    fn identified(self: &Rc<Self>, connection: &Rc<Connection>, found: Result<Caller, Failure>) {
        connection.identifying.set(false);
        if !connection.is_open() {
            return;
        }
        let profile = connection.kind.profile(&self.dialects);
        let found = found.and_then(|caller| match profile.opens_to(caller.scopes()) {
            true => Ok(caller),
            false => Err(Failure::new(
                FailureKind::Forbidden,
                "the scopes of these credentials do not open the websocket",
            )),
        });
        match &found {
            Ok(caller) => {
                let mut permit = connection.permit.borrow_mut();
                let counted = permit
                    .as_mut()
                    .map_or(Ok(()), |permit| permit.sign_in(caller.credential()));
                drop(permit);
                if counted.is_err() {
                    self.metrics.turned_away.increment(1);
                    self.close(connection, CloseReason::TooManyConnections);
                    return;
                }
                connection
                    .identity
                    .replace(Identity::Identified(caller.clone()));
                self.core.sign_ins.note_use(caller);
                self.alarms
                    .borrow_mut()
                    .clear(connection.id, AlarmKind::SignIn);
                // The new caller may have fewer rights to follow.
                for (subject, id) in self.followed_by(connection) {
                    if !self.core.access.may_go_on(caller, &subject) {
                        self.unfollow(connection, &subject, id);
                    }
                }
            }
            Err(_) => self.metrics.not_let_in.increment(1),
        }
        self.ask(connection, |session, ambient, out| match found {
            Ok(caller) => session.identified(Ok(caller.user()), ambient, out),
            Err(failure) => session.identified(Err(failure), ambient, out),
        });
        connection.made_room();
    }
}
