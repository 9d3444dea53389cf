//! Members of one channel who come, until all are there, and go again: each a client and a user of its own.
//!
//! They come some at a time, as people into a room, and the next when all have been told; they go likewise.
//! What each client is told has to lead to who is there, and none is told anything twice.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::now;
use crate::engine::Engine;
use crate::machine;
use crate::protocol::{Members, Message, Protocol, Role, users};
use crate::scenario::{Figures, Loads, PATIENCE, Size};
use crate::target::Running;

const MEMBERS: usize = 1000;

/// How many come or go at a time.
const AT_ONCE: usize = 20;

/// How long nobody must be told anything once all have gone.
const QUIET: Duration = Duration::from_millis(100);

/// How many members come and go in a second, and what it costs that all are told.
pub(super) fn cycles(server: &Running, size: Size) -> Result<Figures> {
    let members = size.connections.unwrap_or(MEMBERS).max(1);
    machine::allow(members, server.pid())?;
    let protocol = server.protocol();
    let mut engine = Engine::of(server)?;
    engine.open(protocol, Role::Client, members, PATIENCE)?;
    let mut room = Room::empty(members);
    let mut changes = 0_u64;
    let mut figures = Figures::new();
    let loads = Loads::begin(server)?;
    let end = now() + Duration::from_secs(size.seconds);
    while now() < end {
        for way in [Way::In, Way::Out] {
            for first in (0..members).step_by(AT_ONCE) {
                let some = first..members.min(first + AT_ONCE);
                changes += some.len() as u64;
                room.send(&mut engine, protocol, way, some)?;
                room.settle(&mut engine, protocol)?;
            }
        }
    }
    let (cpu, took) = loads.end(&mut figures)?;
    let quiet = now() + QUIET;
    while now() < quiet {
        room.turn(&mut engine, protocol)?;
    }
    let (changes, told) = (changes as f64, room.told as f64);
    figures.insert("joins+leaves/s", changes / took.as_secs_f64());
    figures.insert(
        "CPU µs/join or leave",
        cpu.total.as_secs_f64() * 1e6 / changes,
    );
    figures.insert("notifies/s", told / took.as_secs_f64());
    figures.insert("CPU µs/notify", cpu.total.as_secs_f64() * 1e6 / told);
    Ok(figures)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Out,
    /// It has asked to be let in.
    Coming,
    In,
    /// It has said that it goes.
    Going,
}

/// Who is in the channel, and whom each client takes to be in it.
struct Room {
    stages: Vec<Stage>,
    /// For each client, for each user: whether the client has been told that the user is there.
    known: Vec<bool>,
    /// How much has still to be told before all know who is there, and all who go have been let go.
    missing: usize,
    /// How many messages about members there were.
    told: u64,
}

impl Room {
    fn empty(members: usize) -> Self {
        Self {
            stages: vec![Stage::Out; members],
            known: vec![false; members * members],
            missing: 0,
            told: 0,
        }
    }

    /// Has these come or go.
    fn send(
        &mut self,
        engine: &mut Engine,
        protocol: &dyn Protocol,
        way: Way,
        some: std::ops::Range<usize>,
    ) -> Result<()> {
        for client in some.clone() {
            let mut out = Vec::new();
            match way {
                Way::In => protocol.enter(client, &mut out)?,
                Way::Out => protocol.leave(&mut out)?,
            }
            engine.send(client, &out)?;
        }
        self.begin(way, some);
        Ok(())
    }

    /// Notes that these come or go, and what is to be told of it.
    fn begin(&mut self, way: Way, some: std::ops::Range<usize>) {
        let moving = some.len();
        self.stages[some].fill(match way {
            Way::In => Stage::Coming,
            Way::Out => Stage::Going,
        });
        let inside = self.stages.iter().filter(|stage| **stage == Stage::In);
        let inside = inside.count();
        self.missing = match way {
            Way::In => inside * moving + moving * (inside + moving),
            Way::Out => inside * moving + moving,
        };
    }

    /// Waits until everybody knows who is there.
    fn settle(&mut self, engine: &mut Engine, protocol: &dyn Protocol) -> Result<()> {
        let give_up = now() + PATIENCE;
        while self.missing > 0 {
            self.turn(engine, protocol)?;
            if now() > give_up {
                let missing = self.missing;
                bail!("after {PATIENCE:?} {missing} comings or goings have not been told");
            }
        }
        Ok(())
    }

    fn turn(&mut self, engine: &mut Engine, protocol: &dyn Protocol) -> Result<()> {
        engine.turn(protocol, &mut |client, message| match message {
            Message::Members(members) => self.tell(client, members),
            Message::Done { .. } => self.let_go(client),
            Message::Change { .. } => bail!("connection {client} got a value"),
            Message::Ping { .. } | Message::Several { .. } | Message::Other => Ok(()),
        })?;
        Ok(())
    }

    /// Checks what a client is told.
    fn tell(&mut self, client: usize, members: Members<'_>) -> Result<()> {
        self.told += 1;
        let stage = self.stages[client];
        match (members, stage) {
            (Members::Are { names }, Stage::Coming) => {
                for user in users(names)? {
                    self.learn(client, user)?;
                }
                if !self.known[client * self.stages.len() + client] {
                    bail!("connection {client} is no member among those that it was told");
                }
                self.stages[client] = Stage::In;
                Ok(())
            }
            (Members::Joined { user }, Stage::In) => self.learn(client, user),
            // Who goes may hear of others who go, until it is let go.
            (Members::Left { user }, Stage::In | Stage::Going) => self.forget(client, user),
            (Members::Are { .. }, Stage::Out | Stage::In | Stage::Going)
            | (Members::Joined { .. }, Stage::Out | Stage::Coming | Stage::Going)
            | (Members::Left { .. }, Stage::Out | Stage::Coming) => {
                bail!("connection {client} was told {members:?} while it was {stage:?}")
            }
        }
    }

    fn learn(&mut self, client: usize, user: usize) -> Result<()> {
        let is_there = matches!(self.stages.get(user), Some(Stage::Coming | Stage::In));
        let known = self.known.get_mut(client * self.stages.len() + user);
        match known {
            Some(known) if is_there && !*known => *known = true,
            _ => bail!("connection {client} was told wrongly, or twice, that {user} has come"),
        }
        self.missing -= 1;
        Ok(())
    }

    fn forget(&mut self, client: usize, user: usize) -> Result<()> {
        let has_gone = matches!(self.stages.get(user), Some(Stage::Going | Stage::Out));
        let known = self.known.get_mut(client * self.stages.len() + user);
        match known {
            Some(known) if has_gone && *known && user != client => *known = false,
            _ => bail!("connection {client} was told wrongly, or twice, that {user} has gone"),
        }
        if self.stages[client] == Stage::In {
            self.missing -= 1;
        }
        Ok(())
    }

    /// A client has gone, and must not be told anything from here on.
    fn let_go(&mut self, client: usize) -> Result<()> {
        if self.stages[client] != Stage::Going {
            bail!("connection {client} was answered, which asked nothing");
        }
        self.stages[client] = Stage::Out;
        let members = self.stages.len();
        self.known[client * members..(client + 1) * members].fill(false);
        self.missing -= 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOINED_1: Members<'_> = Members::Joined { user: 1 };
    const LEFT_1: Members<'_> = Members::Left { user: 1 };

    fn are(names: &str) -> Members<'_> {
        Members::Are {
            names: names.as_bytes(),
        }
    }

    /// A room of three, in which the first is.
    fn room() -> Room {
        let mut room = Room::empty(3);
        room.begin(Way::In, 0..1);
        room.tell(0, are("u0")).expect("it is alone");
        assert_eq!(room.missing, 0);
        room
    }

    #[test]
    fn all_have_to_know_who_comes_by_the_list_or_by_being_told() {
        let mut room = room();
        room.begin(Way::In, 1..3);
        for (client, told) in [
            (1, are("u1,u0")),
            (0, JOINED_1),
            (2, are("u2,u0,u1")),
            (1, Members::Joined { user: 2 }),
        ] {
            assert!(room.missing > 0, "before {client} is told {told:?}");
            room.tell(client, told).expect("it is so");
        }
        room.tell(0, Members::Joined { user: 2 }).expect("it is so");
        assert_eq!(room.missing, 0);
    }

    #[test]
    fn who_stays_has_to_know_who_goes_and_who_goes_has_to_be_let_go() {
        let mut room = room();
        room.begin(Way::In, 1..2);
        room.tell(1, are("u0,u1")).expect("it is so");
        room.tell(0, JOINED_1).expect("it is so");
        room.begin(Way::Out, 1..2);
        room.tell(0, LEFT_1).expect("it is so");
        assert_eq!(room.missing, 1);
        room.let_go(1).expect("it goes");
        assert_eq!(room.missing, 0);
    }

    #[test]
    fn what_is_not_so_is_an_error() {
        let check = |client: usize, told: Members<'_>| {
            let mut room = room();
            room.begin(Way::In, 1..2);
            assert!(room.tell(client, told).is_err(), "{client}: {told:?}");
        };
        check(0, Members::Joined { user: 2 });
        check(0, Members::Joined { user: 0 });
        check(0, Members::Left { user: 1 });
        check(0, Members::Joined { user: 3 });
        check(0, are("u0,u1"));
        check(1, JOINED_1);
        check(1, are("u0"));
        check(1, are("u0,u1,u1"));
        check(1, are("u0,u1,u2"));
        check(2, are("u0,u1,u2"));
    }

    #[test]
    fn what_is_told_twice_or_to_one_who_has_gone_is_an_error() {
        let mut room = room();
        room.begin(Way::In, 1..2);
        room.tell(1, are("u0,u1")).expect("it is so");
        room.tell(0, JOINED_1).expect("it is so");
        assert!(room.tell(0, JOINED_1).is_err());
        room.begin(Way::Out, 1..2);
        room.tell(0, LEFT_1).expect("it is so");
        assert!(room.tell(0, LEFT_1).is_err());
        room.let_go(1).expect("it goes");
        assert!(room.tell(1, LEFT_1).is_err());
        assert!(room.let_go(1).is_err());
    }
}
