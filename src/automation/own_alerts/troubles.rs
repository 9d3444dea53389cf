//! What is wrong, for how long, and what of it has been told. Pure: what is seen and the time come in, what is to be told comes out.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::automation::limits::{NAMED_MODULES_MAX, NODES_KNOWN_MAX};
use crate::model::{MessageLevel, ModuleId, NodeUri};

/// When it is told that a certificate ends, before its end.
const CERTIFICATE_NOTICES: [Duration; 2] = [
    Duration::from_secs(14 * 24 * 60 * 60),
    Duration::from_secs(3 * 24 * 60 * 60),
];

/// What there is to be seen at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The modules that run here, and whether each is connected.
    pub(super) modules: Vec<(ModuleId, bool)>,
    /// The nodes that share the building.
    pub(super) nodes: Vec<NodeUri>,
    /// Whether this node is the one that tells of the others.
    pub(super) speaks_of_nodes: bool,
    /// How long the certificate holds yet.
    pub(super) certificate: Option<Duration>,
}

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// These modules are not connected.
    Lost(Vec<ModuleId>),
    /// These are connected again.
    Back(Vec<ModuleId>),
    /// A node is not there any more.
    NodeLost(NodeUri),
    /// It is there again.
    NodeBack(NodeUri),
    /// The certificate holds that long yet.
    CertificateEnds(Duration),
}

/// The state of all that may be wrong.
#[derive(Debug)]
pub(super) struct Troubles {
    after: Duration,
    modules: BTreeMap<ModuleId, Trouble>,
    /// Every node that was there, and whether it is gone.
    nodes: BTreeMap<NodeUri, Option<Trouble>>,
    /// How many of the notices of the certificate have been told.
    certificate: usize,
}

#[derive(Debug, Clone, Copy)]
struct Trouble {
    since: Instant,
    is_told: bool,
}

impl Trouble {
    fn new(since: Instant) -> Self {
        Self {
            since,
            is_told: false,
        }
    }

    /// Whether it is to be told now, which is once.
    fn is_due(&mut self, now: Instant, after: Duration) -> bool {
        let is_due = !self.is_told && now.saturating_duration_since(self.since) >= after;
        self.is_told |= is_due;
        is_due
    }
}

impl Told {
    /// How much it matters.
    pub(super) fn level(&self) -> MessageLevel {
        match self {
            Self::Lost(_) | Self::NodeLost(_) | Self::CertificateEnds(_) => MessageLevel::FAULT,
            Self::Back(_) | Self::NodeBack(_) => MessageLevel::NORMAL_AGAIN,
        }
    }

    /// What it says; `name` is what people call a module.
    pub(super) fn text(&self, name: impl Fn(&ModuleId) -> String) -> String {
        match self {
            Self::Lost(modules) => format!("Not connected: {}", listed(modules, name)),
            Self::Back(modules) => format!("Connected again: {}", listed(modules, name)),
            Self::NodeLost(node) => format!("The node {node} is gone"),
            Self::NodeBack(node) => format!("The node {node} is there again"),
            Self::CertificateEnds(rest) => {
                let within = match rest.as_secs() / (24 * 60 * 60) {
                    0 => "within a day".to_owned(),
                    1 => "in 1 day".to_owned(),
                    days => format!("in {days} days"),
                };
                format!("The certificate of the gateway ends {within}; put a new one in its place")
            }
        }
    }
}

/// Some of the modules by their names, and how many more there are.
fn listed(modules: &[ModuleId], name: impl Fn(&ModuleId) -> String) -> String {
    let names: Vec<String> = modules.iter().take(NAMED_MODULES_MAX).map(name).collect();
    let more = modules.len() - names.len();
    match more {
        0 => names.join(", "),
        _ => format!("{} and {more} more", names.join(", ")),
    }
}

impl Troubles {
    /// Nothing is wrong yet. What is, is told after this long.
    pub(super) fn new(after: Duration) -> Self {
        Self {
            after,
            modules: BTreeMap::new(),
            nodes: BTreeMap::new(),
            certificate: 0,
        }
    }

    /// Takes what is to be seen now, and says what is to be told.
    pub(super) fn look(&mut self, now: Instant, seen: &Seen) -> Vec<Told> {
        let mut told = self.look_at_modules(now, &seen.modules);
        let of_nodes = self.look_at_nodes(now, &seen.nodes);
        if seen.speaks_of_nodes {
            told.extend(of_nodes);
        }
        told.extend(self.look_at_certificate(seen.certificate));
        told
    }

    fn look_at_modules(&mut self, now: Instant, modules: &[(ModuleId, bool)]) -> Vec<Told> {
        let (mut lost, mut back) = (Vec::new(), Vec::new());
        let mut known = std::mem::take(&mut self.modules);
        for (id, is_connected) in modules {
            let before = known.remove(id);
            if *is_connected {
                if before.is_some_and(|trouble| trouble.is_told) {
                    back.push(id.clone());
                }
                continue;
            }
            let mut trouble = before.unwrap_or_else(|| Trouble::new(now));
            if trouble.is_due(now, self.after) {
                lost.push(id.clone());
            }
            self.modules.insert(id.clone(), trouble);
        }
        // One that is left over runs here no more: who runs it now tells of it.
        let of_some = |modules: Vec<ModuleId>| (!modules.is_empty()).then_some(modules);
        let lost = of_some(lost).map(Told::Lost);
        lost.into_iter()
            .chain(of_some(back).map(Told::Back))
            .collect()
    }

    fn look_at_nodes(&mut self, now: Instant, nodes: &[NodeUri]) -> Vec<Told> {
        let mut told = Vec::new();
        for node in nodes {
            if !self.nodes.contains_key(node) && self.nodes.len() >= NODES_KNOWN_MAX {
                continue;
            }
            let before = self.nodes.insert(node.clone(), None).flatten();
            if before.is_some_and(|trouble| trouble.is_told) {
                told.push(Told::NodeBack(node.clone()));
            }
        }
        for (node, gone) in &mut self.nodes {
            if nodes.contains(node) {
                continue;
            }
            let gone = gone.get_or_insert_with(|| Trouble::new(now));
            if gone.is_due(now, self.after) {
                told.push(Told::NodeLost(node.clone()));
            }
        }
        if self.nodes.len() >= NODES_KNOWN_MAX {
            // Addresses that come and go leave room for those that stay.
            self.nodes
                .retain(|_, gone| !gone.is_some_and(|it| it.is_told));
        }
        told
    }

    fn look_at_certificate(&mut self, rest: Option<Duration>) -> Option<Told> {
        let rest = rest?;
        let near = CERTIFICATE_NOTICES.iter().filter(|before| rest <= **before);
        let near = near.count();
        let is_news = near > self.certificate;
        // One that was replaced holds longer again.
        self.certificate = near;
        is_news.then_some(Told::CertificateEnds(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(300);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn module(id: &str) -> ModuleId {
        ModuleId::new(id).unwrap()
    }

    fn node(number: u32) -> NodeUri {
        NodeUri::new(&format!("http://node-{number}")).unwrap()
    }

    fn modules(states: &[(&str, bool)]) -> Seen {
        Seen {
            modules: states.iter().map(|(id, is)| (module(id), *is)).collect(),
            ..Seen::default()
        }
    }

    #[test]
    fn a_module_is_told_of_once_when_it_is_away_for_long_and_once_when_it_is_back() {
        let (mut troubles, start) = (Troubles::new(AFTER), Instant::now());
        let away = modules(&[("mod-1", false), ("mod-2", true)]);
        assert_eq!(troubles.look(start, &away), []);
        let late = start + AFTER;
        assert_eq!(troubles.look(late - Duration::from_millis(1), &away), []);
        assert_eq!(
            troubles.look(late, &away),
            [Told::Lost(vec![module("mod-1")])]
        );
        assert_eq!(troubles.look(late + AFTER, &away), []);
        let back = modules(&[("mod-1", true), ("mod-2", true)]);
        assert_eq!(
            troubles.look(late + AFTER, &back),
            [Told::Back(vec![module("mod-1")])]
        );
        assert_eq!(troubles.look(late + 2 * AFTER, &back), []);
    }

    #[test]
    fn one_that_comes_back_in_time_and_one_that_goes_elsewhere_are_not_told_of() {
        let (mut troubles, start) = (Troubles::new(AFTER), Instant::now());
        troubles.look(start, &modules(&[("mod-1", false), ("mod-2", false)]));
        let half = start + AFTER / 2;
        assert_eq!(troubles.look(half, &modules(&[("mod-1", true)])), []);
        let again = modules(&[("mod-1", false), ("mod-2", false)]);
        assert_eq!(troubles.look(start + AFTER, &again), [], "each begins anew");
    }

    #[test]
    fn many_at_a_time_are_one_message() {
        let (mut troubles, start) = (Troubles::new(AFTER), Instant::now());
        let ids: Vec<String> = (0..25).map(|number| format!("mod-{number:02}")).collect();
        let states: Vec<(&str, bool)> = ids.iter().map(|id| (id.as_str(), false)).collect();
        troubles.look(start, &modules(&states));
        let told = troubles.look(start + AFTER, &modules(&states));
        let [lost] = &told[..] else {
            panic!("{told:?}")
        };
        let text = lost.text(ToString::to_string);
        assert!(text.starts_with("Not connected: mod-00, mod-01,"), "{text}");
        assert!(text.ends_with(" and 15 more"), "{text}");
    }

    #[test]
    fn a_node_that_is_gone_is_told_of_by_the_one_that_speaks() {
        let start = Instant::now();
        let seen = |nodes: &[u32], speaks_of_nodes| Seen {
            nodes: nodes.iter().map(|number| node(*number)).collect(),
            speaks_of_nodes,
            ..Seen::default()
        };
        for speaks in [true, false] {
            let mut troubles = Troubles::new(AFTER);
            troubles.look(start, &seen(&[1, 2], speaks));
            troubles.look(start, &seen(&[1], speaks));
            let lost = troubles.look(start + AFTER, &seen(&[1], speaks));
            assert_eq!(lost == [Told::NodeLost(node(2))], speaks, "{lost:?}");
            let back = troubles.look(start + AFTER, &seen(&[1, 2], speaks));
            assert_eq!(back == [Told::NodeBack(node(2))], speaks, "{back:?}");
        }
    }

    #[test]
    fn addresses_that_come_and_go_take_bounded_memory() {
        let (mut troubles, start) = (Troubles::new(AFTER), Instant::now());
        for number in 0..1_000 {
            let seen = Seen {
                nodes: vec![node(number)],
                ..Seen::default()
            };
            troubles.look(start + AFTER * number, &seen);
        }
        assert!(troubles.nodes.len() <= NODES_KNOWN_MAX);
    }

    #[test]
    fn the_end_of_a_certificate_is_told_twice_and_again_for_the_next() {
        let (mut troubles, start) = (Troubles::new(AFTER), Instant::now());
        let mut told = |days: u32| {
            let seen = Seen {
                certificate: Some(DAY * days),
                ..Seen::default()
            };
            !troubles.look(start, &seen).is_empty()
        };
        let expected = [
            (15, false),
            (14, true),
            (13, false),
            (3, true),
            (2, false),
            (90, false),
            (14, true),
        ];
        for (days, expect) in expected {
            assert_eq!(told(days), expect, "{days} days");
        }
    }
}
