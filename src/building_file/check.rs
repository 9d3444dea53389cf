//! Checks the entries of a building file against each other, and words each mistake for a file: with a line and a remedy.
//!
//! The rules themselves are the model's, since an edit of the running building is held to the same ones.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::model::rules::{self, Breach, Claim, ForeignRules, Reference, ShadowedId, Thing};
use crate::model::{ZoneId, nearest};

use super::KnownDriver;
use super::parse::Parsed;
use super::problem::{Position, Problem, ProblemKind, is_word};

/// How many missing references get a "did you mean". Each compares with every id there is, so without a bound a large file whose ids were all renamed would take minutes.
const SUGGESTIONS_MAX: usize = 20;

/// Adds what is wrong between the entries to the problems found so far. `drivers` are the ids of the linked-in drivers; without them each is taken for one.
pub(super) fn check(
    parsed: &mut Parsed,
    drivers: Option<&[KnownDriver]>,
    foreign: ForeignRules<'_>,
) {
    if drivers.is_none() {
        parsed
            .references
            .retain(|reference| reference.to != Thing::Driver);
    }
    let drivers = drivers.unwrap_or_default();
    let mut claims = parsed.claims.clone();
    claims.extend(drivers.iter().map(|driver| Claim {
        thing: Thing::Driver,
        id: Cow::Borrowed(driver.id),
        at: Position::START,
    }));
    let zones: Vec<(&ZoneId, Option<&ZoneId>)> = parsed
        .building
        .zones
        .iter()
        .map(|zone| (&zone.id, zone.parent_id.as_ref()))
        .collect();
    let mut suggestions = Suggestions {
        claims: &claims,
        drivers,
        left: SUGGESTIONS_MAX,
    };
    let problems: Vec<Problem> = rules::check(&claims, &parsed.references, &zones)
        .into_iter()
        .filter_map(|breach| match breach {
            Breach::Taken { claim, first } => Some(taken(claim, first)),
            Breach::Missing(reference) if is_unreadable(reference.to, &parsed.unreadable) => None,
            Breach::Missing(reference) => Some(suggestions.missing(reference)),
            Breach::Ring(ring) => Some(cycle(&ring, &claims)),
        })
        .collect();
    parsed.problems.extend(problems);
    let unreachable = parsed.claims.iter().filter(|claim| {
        let is_it = |word: &ShadowedId| word.thing == claim.thing && word.id == claim.id;
        foreign.shadowed.iter().any(is_it)
    });
    let unreachable = unreachable.map(|claim| Problem {
        at: claim.at,
        kind: ProblemKind::Shadowed {
            what: claim.thing.noun(),
            id: claim.id.to_string(),
        },
    });
    let misread = misread(parsed, foreign);
    parsed
        .problems
        .extend(unreachable.chain(misread).collect::<Vec<_>>());
}

/// The metadata of zones whose permissions cannot be read.
fn misread<'p>(
    parsed: &'p Parsed,
    foreign: ForeignRules<'p>,
) -> impl Iterator<Item = Problem> + use<'p> {
    let claimed = |thing: Thing| {
        let claims = parsed.claims.iter();
        claims.filter(move |claim| claim.thing == thing)
    };
    let places: HashMap<&str, Position> = claimed(Thing::Metadata)
        .map(|claim| (&*claim.id, claim.at))
        .collect();
    let zones: HashSet<&str> = claimed(Thing::Zone).map(|claim| &*claim.id).collect();
    let metadata = parsed.building.metadata.iter();
    metadata.filter_map(move |metadata| {
        if !zones.contains(metadata.id.parent.as_str()) {
            return None;
        }
        let reason = (foreign.misread)(metadata)?;
        let place = places.get(&*metadata.id.to_string());
        Some(Problem {
            at: place.copied().unwrap_or(Position::START),
            kind: ProblemKind::Misread { reason },
        })
    })
}

/// Nothing can be said about references into a list that could not be read.
fn is_unreadable(to: Thing, unreadable: &HashSet<Thing>) -> bool {
    to.targets().iter().any(|thing| unreadable.contains(thing))
}

fn taken(claim: &Claim<'_, Position>, first: &Claim<'_, Position>) -> Problem {
    Problem {
        at: claim.at,
        kind: ProblemKind::Duplicate {
            what: claim.thing.unique_part(),
            value: claim.id.to_string(),
            first_line: first.at.line,
        },
    }
}

struct Suggestions<'p> {
    claims: &'p [Claim<'p, Position>],
    drivers: &'p [KnownDriver],
    left: usize,
}

impl Suggestions<'_> {
    fn missing(&mut self, Reference { to, id, at }: &Reference<'_, Position>) -> Problem {
        let similar = if self.left > 0 {
            self.left -= 1;
            let targets = to.targets();
            let ids = self.claims.iter();
            let ids = ids.filter(|claim| targets.contains(&claim.thing));
            let ids = ids.map(|claim| &*claim.id);
            nearest(id, ids.filter(|id| is_word(id)))
        } else {
            None
        };
        let otherwise = match list(*to) {
            Some(list) => format!("add it under `{list}`"),
            None => {
                let drivers: Vec<&str> = self.drivers.iter().map(|driver| driver.id).collect();
                format!("linked in are {}", drivers.join(", "))
            }
        };
        let remedy = match similar {
            Some(similar) => format!("did you mean `{similar}`? If not: {otherwise}"),
            None => otherwise,
        };
        Problem {
            at: *at,
            kind: ProblemKind::NoSuch {
                what: to.noun(),
                id: id.to_string(),
                remedy,
            },
        }
    }
}

/// The list of the file that holds such things.
fn list(thing: Thing) -> Option<&'static str> {
    match thing {
        Thing::Zone => Some("zones"),
        Thing::System => Some("systems"),
        Thing::Module => Some("modules"),
        Thing::User | Thing::Email => Some("users"),
        Thing::ApiKey => Some("api_keys"),
        Thing::Metadata => Some("metadata"),
        Thing::Parent => Some("zones"),
        Thing::Entity => Some("entities"),
        Thing::Command => Some("commands"),
        Thing::App | Thing::AppKey => Some("apps"),
        Thing::Service => Some("services"),
        Thing::Procedure => Some("procedures"),
        Thing::Hook => Some("hooks"),
        Thing::Trigger => Some("triggers"),
        Thing::Driver => None,
    }
}

fn cycle(ring: &[&ZoneId], claims: &[Claim<'_, Position>]) -> Problem {
    let first = ring.first().map(|zone| zone.as_str()).unwrap_or_default();
    let claim = claims
        .iter()
        .find(|claim| claim.thing == Thing::Zone && claim.id == first);
    Problem {
        at: claim.map_or(Position::START, |claim| claim.at),
        kind: ProblemKind::ZoneCycle {
            id: first.to_owned(),
            path: match ring.iter().all(|zone| is_word(zone.as_str())) {
                true => rules::show_ring(ring),
                false => String::new(),
            },
        },
    }
}
