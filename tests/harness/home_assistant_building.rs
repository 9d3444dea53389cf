//! A laboratory for Home Assistant's clients: demo devices, whose functions and statuses are declared, and a soft module, which has what a test sets.

use serde_json::{Value, json};

use crate::harness::{Gateway, Key, Place, TestClient};

/// What the user `ann` signs in with.
pub(crate) const PASSWORD: &str = "correct horse";

/// One room. Ann's password is hashed at the lowest costs there are.
pub(crate) const LABORATORY: &str = r"
zones:
  - {id: zone-l1, name: Level 1, tags: [level]}
systems:
  - {id: sys-lab, name: Lab, zones: [zone-l1], modules: [mod-display, mod-lights, mod-soft]}
modules:
  - {id: mod-display, driver: demo_display, settings: {warm_up_seconds: 0}}
  - {id: mod-lights, driver: demo_lighting}
  - {id: mod-soft, driver: virtual, name: Soft}
users:
  - {id: user-ann, email: ann@example.test, name: Ann, level: admin, password_hash: '$argon2id$v=19$m=8,t=1,p=1$htfT2ARDMRC2EBG6oJw0Vw$+MZ0bVQRC6imlXycEOODJbac0hEbvCwSOTeOpkudvnw'}
  - {id: user-tom, email: tom@example.test, name: Tom}
api_keys:
  - {id: user, secret: secret-u, user: user-tom, level: user}
  - {id: admin, secret: secret-a, user: user-ann, level: admin}
";

/// A status or function of the soft module of the laboratory.
pub(crate) fn soft(name: &str) -> Place<'_> {
    Place {
        sys: "sys-lab",
        module: "Soft",
        index: 1,
        name,
    }
}

/// Who changes statuses beside the client that is tested: a client of PlaceOS's dialect.
#[derive(Debug)]
pub(crate) struct Console(TestClient);

impl Console {
    pub(crate) async fn connect(gateway: &Gateway) -> Self {
        Self(gateway.connect(Key::ADMIN).await)
    }

    /// Sets a status of the soft module.
    pub(crate) async fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.set(soft(name), value).await;
    }

    /// Has the soft module log a line so many times.
    pub(crate) async fn log(&mut self, line: &str, times: usize) {
        let ids = 1..=u64::try_from(times).expect("it fits");
        let requests = ids.map(|id| soft("log").exec(id, json!(["warn", line])));
        for answer in self.0.pipeline(requests, times).await {
            assert!(answer.contains("\"success\""), "{answer}");
        }
    }

    /// Sets many of them, and waits until all are set.
    pub(crate) async fn set_all(&mut self, values: impl IntoIterator<Item = (Place<'_>, Value)>) {
        let set = |(id, (place, value)): (u64, (Place<'_>, Value))| {
            let args = json!([place.name, value]);
            place.named("set").exec(id, args)
        };
        let requests: Vec<_> = (1..).zip(values).map(set).collect();
        let count = requests.len();
        for answer in self.0.pipeline(requests, count).await {
            assert!(answer.contains("\"success\""), "{answer}");
        }
    }
}
