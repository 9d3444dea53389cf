//! Many entries, leaves and messages between faults of every kind: in the end every process shows who is there, and no message came twice.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::stores::redis::testkit::proxy::Proxy;

const TOPIC: &str = "4201/p";

/// The connection of each process that stays.
const STAYS: u64 = 99;

/// The processes, and who is in by which of their connections.
struct Storm {
    redis: TestRedis,
    nodes: Vec<(Node, Proxy)>,
    inside: BTreeMap<(usize, u64), String>,
    messages: u64,
    burst: u64,
    random: StdRng,
}

impl Storm {
    async fn start(seed: u64) -> Self {
        let redis = TestRedis::start().await;
        let mut storm = Self {
            redis,
            nodes: Vec::new(),
            inside: BTreeMap::new(),
            messages: 0,
            burst: 0,
            random: StdRng::seed_from_u64(seed),
        };
        for at in 0..3 {
            let proxy = Proxy::start(&storm.redis, &format!("proxy-{at}"));
            let node = node(&proxy.link(), at as u64 + 1, SHORT);
            storm.nodes.push((node, proxy));
            storm.enter(at, STAYS, &format!("n{at}")).await;
        }
        storm
    }

    /// A connection enters, and is in if it is told so.
    async fn enter(&mut self, at: usize, connection: u64, user: &str) {
        let node = &self.nodes[at].0;
        let before = answers(&node.told, connection).len();
        node.enter(connection, TOPIC, Some(user));
        self.note(at, connection, user, before + 1).await;
    }

    /// Waits until a connection has so many answers, of which the last says whether it is in.
    async fn note(&mut self, at: usize, connection: u64, user: &str, count: usize) {
        let told = &self.nodes[at].0.told;
        let is_answered = |told: &Told| answers(told, connection).len() >= count;
        told.until("the answer", is_answered).await;
        if answers(told, connection)[count - 1].contains(" in of ") {
            let place = (at, connection);
            self.inside.entry(place).or_insert_with(|| user.to_owned());
        }
    }

    /// Many connections enter at one time while something fails. Half of them have come and gone before.
    async fn burst(&mut self) {
        let mut entered = Vec::new();
        for at in 0..self.nodes.len() {
            let node = &self.nodes[at].0;
            for _ in 0..20 {
                self.burst += 1;
                let (connection, user) = (100 + self.burst, format!("u{}", self.burst % 7));
                let mut count = 1;
                node.enter(connection, TOPIC, Some(&user));
                if self.burst.is_multiple_of(2) {
                    node.leave(connection, TOPIC);
                    node.enter(connection, TOPIC, Some(&user));
                    count = 2;
                }
                entered.push((at, connection, user, count));
            }
        }
        self.fault().await;
        for (at, connection, user, count) in entered {
            self.note(at, connection, &user, count).await;
            self.nodes[at].0.leave(connection, TOPIC);
            self.inside.remove(&(at, connection));
        }
    }

    async fn fault(&mut self) {
        let at = self.random.random_range(0..self.nodes.len());
        match self.random.random_range(0..4) {
            0 => self.nodes[at].1.close(),
            1 => self.redis.kill_subscribers().await,
            2 => {
                let _: String = self.redis.run(&["FLUSHALL"]).await;
            }
            _ => {
                self.redis.kill().await;
                self.redis.start_again().await;
            }
        }
        self.nodes[at].1.open();
    }

    async fn step(&mut self) {
        let at = self.random.random_range(0..3);
        let connection = self.random.random_range(1..5);
        match self.random.random_range(0..20) {
            0..4 => self.fault().await,
            4 => self.burst().await,
            5..9 => {
                self.nodes[at].0.leave(connection, TOPIC);
                self.inside.remove(&(at, connection));
            }
            9..13 => {
                self.messages += 1;
                let message = message_to(TOPIC, &self.messages.to_string());
                drop(self.nodes[at].0.publish_as(message));
            }
            _ => {
                let user = format!("u{}", self.random.random_range(0..5));
                self.enter(at, connection, &user).await;
            }
        }
    }

    async fn check(&self) {
        let users: BTreeSet<String> = self.inside.values().cloned().collect();
        for (node, _) in &self.nodes {
            until_shown(node, TOPIC, &users).await;
            let told = node.told.of(TOPIC);
            for number in 1..=self.messages {
                let message = format!("message {number}");
                let count = told.iter().filter(|text| **text == message).count();
                assert!(count <= 1, "{message} came {count} times");
            }
        }
        let node = &self.nodes[0].0;
        let expected = format!("{}/{}", self.inside.len(), users.len());
        let deadline = Instant::now() + PATIENCE;
        loop {
            let counts = node.counts(&[TOPIC]).await;
            if counts == [expected.as_str()] {
                return;
            }
            assert!(Instant::now() < deadline, "{counts:?} are not {expected}");
        }
    }
}

/// How a connection's entries were answered.
fn answers(told: &Told, connection: u64) -> Vec<String> {
    let own = format!("{connection} ");
    let all = told.of(TOPIC).into_iter();
    all.filter(|text| text.starts_with(&own)).collect()
}

#[tokio::test]
async fn after_faults_of_every_kind_all_show_who_is_there() {
    for seed in 0..2 {
        let mut storm = Storm::start(seed).await;
        for _ in 0..60 {
            storm.step().await;
        }
        storm.check().await;
    }
}
