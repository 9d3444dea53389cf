//! A client as it hangs on a wall: it follows some statuses through anything that happens, and holds what it is told to the rules.
//!
//! The values are whole numbers that whoever writes them only ever raises. What is checked of each binding, at every frame:
//!
//! - no value is smaller than one that was told before, also across connections;
//! - `null` comes only where the test says that the value may be unknown for a while;
//! - at the end it shows what is true.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::harness::{DEADLINE, Door, Place, TestClient};

/// Whether a status may be told as unknown in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    Never,
    InBetween,
}

/// An open client.
#[derive(Debug)]
pub(crate) struct Panel {
    door: Door,
    nulls: Nulls,
    client: TestClient,
    bindings: Vec<Binding>,
}

#[derive(Debug)]
struct Binding {
    system: String,
    module: String,
    index: i64,
    name: String,
    /// The largest number that was told.
    largest: Option<u64>,
    /// What is shown.
    shown: Option<u64>,
}

impl Binding {
    fn place(&self) -> Place<'_> {
        Place {
            sys: &self.system,
            module: &self.module,
            index: self.index,
            name: &self.name,
        }
    }

    fn take(&mut self, value: Option<u64>, nulls: Nulls) {
        match value {
            Some(number) => {
                let largest = self.largest;
                assert!(
                    Some(number) >= largest,
                    "{number} after {largest:?} at {self:?}"
                );
                self.largest = Some(number);
            }
            None => assert_eq!(nulls, Nulls::InBetween, "null at {self:?}"),
        }
        self.shown = value;
    }
}

impl Panel {
    /// Connects and binds. The ids of the bindings are their numbers, from 0.
    pub(crate) async fn open(door: Door, places: &[Place<'_>], nulls: Nulls) -> Self {
        let bindings = places.iter().map(|place| Binding {
            system: place.sys.to_owned(),
            module: place.module.to_owned(),
            index: place.index,
            name: place.name.to_owned(),
            largest: None,
            shown: None,
        });
        let client = door.clone().connect().await;
        let mut panel = Self {
            door,
            nulls,
            client,
            bindings: bindings.collect(),
        };
        panel.bind().await;
        panel
    }

    /// Connects again after the end of its connection, and binds again.
    pub(crate) async fn come_back(&mut self) {
        self.client = self.door.clone().connect().await;
        self.bind().await;
    }

    /// Reads until its connection ends.
    pub(crate) async fn until_gone(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        let read = async { while self.take_frame().await.is_some() {} };
        let gone = timeout_at(deadline, read).await;
        assert!(gone.is_ok(), "the connection did not end");
    }

    /// Reads until every binding shows what is true.
    pub(crate) async fn until_shows(&mut self, truth: &[u64], deadline: Duration) {
        assert_eq!(
            truth.len(),
            self.bindings.len(),
            "a number for each binding"
        );
        let deadline = Instant::now() + deadline;
        let mut wrong: HashMap<usize, u64> = truth.iter().copied().enumerate().collect();
        wrong.retain(|at, number| self.bindings[*at].shown != Some(*number));
        while !wrong.is_empty() {
            match timeout_at(deadline, self.take_frame()).await {
                Ok(Some(Told::Value(at))) => {
                    if self.bindings[at].shown == Some(truth[at]) {
                        wrong.remove(&at);
                    } else {
                        wrong.insert(at, truth[at]);
                    }
                }
                Ok(Some(Told::Else)) => {}
                Ok(None) => panic!("the connection ended; {}", self.client.shown()),
                Err(_) => {
                    let (at, number) = wrong.iter().next().expect("one is wrong");
                    let binding = &self.bindings[*at];
                    panic!(
                        "{} bindings are wrong, such as {binding:?}, where {number} is true; {}",
                        wrong.len(),
                        self.client.shown()
                    )
                }
            }
        }
    }

    /// Reads until something else is done.
    pub(crate) async fn follow<T>(&mut self, work: impl Future<Output = T>) -> T {
        let read = async {
            while self.take_frame().await.is_some() {}
            panic!("the connection ended; {}", self.client.shown());
        };
        tokio::select! {
            biased;
            done = work => done,
            () = read => unreachable!("it ends in a panic"),
        }
    }

    async fn bind(&mut self) {
        for binding in &mut self.bindings {
            // What is told on this connection counts.
            binding.shown = None;
        }
        let requests: Vec<_> = (0..)
            .zip(&self.bindings)
            .map(|(id, binding): (u64, _)| binding.place().bind(id))
            .collect();
        for request in requests {
            self.client.send(request).await;
        }
    }

    /// Takes the next frame and holds it to the rules. `None` at the end of the connection.
    async fn take_frame(&mut self) -> Option<Told> {
        let text = self.client.next_text_or_end().await?;
        if text == "pong" {
            return Some(Told::Else);
        }
        let frame: Value = serde_json::from_str(&text).expect("a frame is JSON");
        if frame["type"] != "notify" {
            assert_ne!(frame["type"], "error", "{frame}");
            return Some(Told::Else);
        }
        let id = frame["id"].as_u64().and_then(|id| usize::try_from(id).ok());
        let at = id.expect("the number of a binding");
        let binding = &mut self.bindings[at];
        assert_eq!(frame["meta"], binding.place().meta());
        let value = &frame["value"];
        let number = value.as_u64();
        assert!(value.is_null() || number.is_some(), "no number: {frame}");
        binding.take(number, self.nulls);
        Some(Told::Value(at))
    }
}

/// What a frame was.
enum Told {
    /// A value of the binding with this number.
    Value(usize),
    /// An answer, or a sign of life.
    Else,
}
