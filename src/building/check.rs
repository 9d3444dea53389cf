//! What the entries of a building file say about each other: ids are unique, references have targets, zones do not contain themselves.

use std::collections::hash_map::{Entry, HashMap};

use crate::model::{Zone, ZoneId};

use super::nearest::nearest;
use super::parse::{Claim, Entity, Parsed, Reference};
use super::problem::{Position, Problem, ProblemKind};

/// How many missing references get a "did you mean". Each compares with every id there is, so without a bound a large file whose ids were all renamed would take minutes.
const SUGGESTIONS_MAX: usize = 20;

/// Adds what is wrong between the entries to the problems found so far. `drivers` are the ids of the linked-in drivers.
pub(super) fn check(parsed: &mut Parsed, drivers: &[&str]) {
    let mut problems = Vec::new();
    let mut known = unique(&parsed.claims, &mut problems);
    known.extend(
        drivers
            .iter()
            .map(|id| ((Entity::Driver, *id), Position::START)),
    );
    unresolved(parsed, &known, drivers, &mut problems);
    cycles(&parsed.building.zones, &known, &mut problems);
    parsed.problems.append(&mut problems);
}

/// Where each id stands first.
type Known<'p> = HashMap<(Entity, &'p str), Position>;

fn unique<'p>(claims: &'p [Claim], problems: &mut Vec<Problem>) -> Known<'p> {
    let mut known = Known::new();
    for Claim { entity, id, at } in claims {
        match known.entry((*entity, id)) {
            Entry::Vacant(free) => {
                free.insert(*at);
            }
            Entry::Occupied(first) => problems.push(Problem {
                at: *at,
                kind: ProblemKind::Duplicate {
                    what: entity.unique_part(),
                    value: id.clone(),
                    first_line: first.get().line,
                },
            }),
        }
    }
    known
}

fn unresolved(parsed: &Parsed, known: &Known<'_>, drivers: &[&str], problems: &mut Vec<Problem>) {
    let missing = parsed.references.iter().filter(|Reference { to, id, .. }| {
        !parsed.unreadable.contains(to) && !known.contains_key(&(*to, id.as_str()))
    });
    for (count, Reference { to, id, at }) in missing.enumerate() {
        let ids = known.keys().filter(|(entity, _)| entity == to);
        let similar = if count < SUGGESTIONS_MAX {
            nearest(id, ids.map(|(_, id)| *id))
        } else {
            None
        };
        let otherwise = match to {
            Entity::Driver => format!("linked in are {}", drivers.join(", ")),
            Entity::Zone
            | Entity::System
            | Entity::Module
            | Entity::User
            | Entity::Email
            | Entity::ApiKey => format!("add it under `{}`", to.list()),
        };
        let remedy = match similar {
            Some(similar) => format!("did you mean `{similar}`? If not: {otherwise}"),
            None => otherwise,
        };
        problems.push(Problem {
            at: *at,
            kind: ProblemKind::NoSuch {
                what: to.noun(),
                id: id.clone(),
                remedy,
            },
        });
    }
}

/// Finds every ring of zones once, at the zone of the ring that stands first in the file.
fn cycles(zones: &[Zone], known: &Known<'_>, problems: &mut Vec<Problem>) {
    let parents: HashMap<&ZoneId, &ZoneId> = zones
        .iter()
        .filter_map(|zone| Some((&zone.id, zone.parent_id.as_ref()?)))
        .collect();
    // The zone whose walk upwards reached this one first: a walk that meets its own mark has gone round.
    let mut reached_from: HashMap<&ZoneId, &ZoneId> = HashMap::new();
    for zone in zones {
        let mut at = &zone.id;
        while !reached_from.contains_key(at) {
            reached_from.insert(at, &zone.id);
            let Some(parent) = parents.get(at) else {
                break;
            };
            at = parent;
        }
        let went_round = reached_from.get(at) == Some(&&zone.id) && parents.contains_key(at);
        if went_round {
            let ring = ring(at, &parents);
            let first = zones
                .iter()
                .map(|zone| &zone.id)
                .find(|id| ring.contains(id));
            problems.extend(first.map(|first| cycle(first, &parents, known)));
        }
    }
}

/// The zones from `start` upwards until `start` comes again.
fn ring<'z>(start: &'z ZoneId, parents: &HashMap<&'z ZoneId, &'z ZoneId>) -> Vec<&'z ZoneId> {
    let upwards = std::iter::successors(parents.get(start).copied(), |at| parents.get(at).copied());
    std::iter::once(start)
        .chain(upwards.take_while(|at| *at != start))
        .collect()
}

fn cycle(first: &ZoneId, parents: &HashMap<&ZoneId, &ZoneId>, known: &Known<'_>) -> Problem {
    let mut path = String::new();
    for zone in ring(first, parents) {
        path.push_str(zone.as_str());
        path.push_str(" in ");
    }
    path.push_str(first.as_str());
    Problem {
        at: *known
            .get(&(Entity::Zone, first.as_str()))
            .unwrap_or(&Position::START),
        kind: ProblemKind::ZoneCycle {
            id: first.to_string(),
            path,
        },
    }
}
