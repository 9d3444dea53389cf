//! A building full of lights that report to a device, and somebody who switches them without end.
//!
//! Each light is a module `virtual` whose status `n` is a number that is only ever raised, so whoever watches can tell old from new.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::harness::{Act, DEADLINE, Device, Door, Place, TestClient, display};

/// Enough that each of three nodes has some, but for one case in ten thousand.
pub(crate) const LIGHTS: usize = 24;

/// How often a light reports by itself, in milliseconds.
const BEAT: u64 = 100;

/// The building, whose lights report to this device.
pub(crate) fn lights_building(device: &Device) -> String {
    let ids: Vec<String> = (1..=LIGHTS).map(light_id).collect();
    let modules: Vec<Value> = ids
        .iter()
        .map(|id| {
            let settings = json!({"report": device.url(), "beat": BEAT});
            json!({"id": id, "driver": "virtual", "name": "Light", "settings": settings})
        })
        .collect();
    json!({
        "systems": [{"id": "sys-1", "name": "Hall", "modules": ids}],
        "modules": modules,
        "users": [{"id": "user-eve", "email": "eve@example.test", "level": "admin"}],
        "api_keys": [
            {"id": "user", "secret": "secret-u", "user": "user-eve", "level": "user"},
            {"id": "admin", "secret": "secret-a", "user": "user-eve", "level": "admin"},
        ],
    })
    .to_string()
}

/// The module of a light, counted from 1.
pub(crate) fn light_id(number: usize) -> String {
    format!("mod-light-{number}")
}

/// A status or function of every light.
pub(crate) fn lights(name: &str) -> Vec<Place<'_>> {
    let index = |number| i64::try_from(number).expect("few lights");
    (1..=LIGHTS)
        .map(|number| display(name).of("Light").at(index(number)))
        .collect()
}

/// Raises the numbers of all lights, one after the other, without end, at whichever node answers.
#[derive(Debug)]
pub(crate) struct Switcher {
    doors: Vec<Door>,
    /// The node that is asked.
    at: usize,
    client: Option<TestClient>,
    /// The largest number that was used for any light.
    number: u64,
    /// How often each light was called, counted from 1.
    calls: HashMap<i64, usize>,
}

impl Switcher {
    pub(crate) fn new(doors: Vec<Door>) -> Self {
        Self {
            doors,
            at: 0,
            client: None,
            number: 0,
            calls: HashMap::new(),
        }
    }

    /// Goes on in the background until it is told to stop.
    pub(crate) fn run(mut self) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let places = lights("set");
            for place in places.iter().cycle() {
                if stopping.load(Ordering::Relaxed) {
                    break;
                }
                // What fails is of no interest while faults are under way.
                self.raise(*place).await;
            }
            self
        });
        Running { stop, task }
    }

    /// Raises every light until that is acknowledged, and gives what is true from here on.
    pub(crate) async fn finish(&mut self) -> Vec<u64> {
        let mut truth = Vec::new();
        for place in lights("set") {
            let raise = async {
                loop {
                    if let Some(number) = self.raise(place).await {
                        break number;
                    }
                }
            };
            let raised = timeout(DEADLINE, raise).await;
            let raised = raised.unwrap_or_else(|_| panic!("{place:?} could not be raised"));
            truth.push(raised);
        }
        truth
    }

    /// Asserts that no call was carried out twice.
    pub(crate) fn assert_at_most_once(&self, device: &Device) {
        let acts = device.acts();
        for (number, place) in (1..).zip(lights("set")) {
            let id = light_id(number);
            let is_set = |act: &&Act| act.module == id && act.what == "set";
            let done = acts.iter().filter(is_set).count();
            let called = self.calls.get(&place.index).copied().unwrap_or_default();
            assert!(
                done <= called,
                "{id} was set {done} times by {called} calls"
            );
        }
    }

    /// Raises one light; gives the number if that is acknowledged.
    async fn raise(&mut self, place: Place<'_>) -> Option<u64> {
        if self.client.is_none() {
            self.at = (self.at + 1) % self.doors.len();
            self.client = self.doors[self.at].clone().try_connect().await;
        }
        let client = self.client.as_mut()?;
        self.number += 1;
        let number = self.number;
        *self.calls.entry(place.index).or_default() += 1;
        let answer = async {
            client
                .try_send(place.exec(number, json!(["n", number])))
                .await?;
            loop {
                // A sign of life is no answer.
                match client.next_text_or_end().await {
                    Some(text) if text == "pong" => {}
                    other => break other,
                }
            }
        };
        let answer = timeout(DEADLINE, answer).await;
        let Some(answer) = answer.expect("every call is answered") else {
            // What was under way may have been done or not; the number is not used again.
            self.client = None;
            return None;
        };
        let answer: Value = serde_json::from_str(&answer).expect("a frame is JSON");
        assert_eq!(answer["id"], number, "{answer}");
        (answer["type"] == "success").then_some(number)
    }
}

/// A switcher in the background.
#[derive(Debug)]
pub(crate) struct Running {
    stop: Arc<AtomicBool>,
    task: JoinSet<Switcher>,
}

impl Running {
    pub(crate) async fn stop(mut self) -> Switcher {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.task.join_next().await.expect("there is one task");
        ended.expect("it ends when it is told to")
    }
}
