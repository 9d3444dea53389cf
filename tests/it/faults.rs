//! Faults that no client can bring about: here the gateway runs inside the test, with a store that panics on demand.
//!
//! The store is a double, since no real one panics; everything else is the gateway's own.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use riser::building_file::{self, KnownDriver};
use riser::core::{Apply, Core, CorePorts, CoreSettings, ForeignForms, NoAutomation, Rehearsal};
use riser::dialects::placeos::{claims, permissions};
use riser::driver_host::in_process::InProcessHost;
use riser::model::{
    BindingKey, ModuleId, Secret, Source, State, StatusChange, SystemId, Timestamp,
};
use riser::server::{Server, ServerSettings};
use riser::stores::embedded::{EmbeddedDocumentStore, EmbeddedMessageStore, EmbeddedTopicStore};
use riser::stores::{StatusStore, StoreFeed};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::harness::Door;

/// The status whose follower makes the store panic.
const CURSED: &str = "cursed";

/// Sends every change straight back, and panics when the cursed status is followed.
struct PanickingStore(Weak<dyn StoreFeed>);

impl StatusStore for PanickingStore {
    fn write(&self, mut changes: Vec<StatusChange>) {
        if let Some(feed) = self.0.upgrade() {
            feed.changed(&mut changes);
        }
    }

    fn follow(&self, key: &BindingKey) {
        assert_ne!(key.status.as_str(), CURSED, "the store panics on demand");
    }

    fn unfollow(&self, _: &BindingKey) {}

    fn follow_system(&self, _: &SystemId) {}

    fn unfollow_system(&self, _: &SystemId) {}

    fn keeps_values(&self) -> bool {
        false
    }

    fn release(&self, _: &ModuleId) {}

    fn read(
        &self,
        _: &ModuleId,
        answer: oneshot::Sender<State>,
    ) -> Result<(), oneshot::Sender<State>> {
        Err(answer)
    }
}

/// A gateway in this process, with one worker. It ends when this is dropped.
struct Inside {
    door: Door,
    stop: CancellationToken,
    server: Option<thread::JoinHandle<()>>,
    drivers: Option<Runtime>,
}

impl Inside {
    fn start() -> Self {
        let drivers = Runtime::new().expect("a runtime");
        let definitions = driver_registry::drivers();
        let known = definitions.iter().map(|driver| KnownDriver {
            id: driver.id,
            configuration: driver.configuration,
            interface: Some(driver.interface),
        });
        let known: Vec<KnownDriver> = known.collect();
        let demo = building_file::demo(&Secret::new("secret"), &known).expect("the demo building");
        let host = InProcessHost::new(definitions, drivers.handle().clone()).expect("drivers");
        let core = Arc::new(Core::new(
            CoreSettings::default(),
            |feed| Arc::new(PanickingStore(feed)),
            CorePorts {
                documents: Arc::new(EmbeddedDocumentStore::in_memory().expect("memory")),
                host: Arc::new(host),
                clock: Arc::new(|| Timestamp(0)),
                main: drivers.handle().clone(),
                executor: Arc::new(drivers.handle().clone()),
                forms: ForeignForms {
                    write_claims: claims::write,
                    read_claims: claims::read,
                    read_permissions: permissions::read,
                    governs: permissions::governs,
                },
                automation: Arc::new(NoAutomation),
                key_inspector: None,
                cluster: None,
                messages: Box::new(|feed| {
                    let store = EmbeddedMessageStore::in_memory().expect("memory");
                    Arc::new(store.reporting_to(feed))
                }),
                topics: Box::new(|process, feed, clock| {
                    Arc::new(EmbeddedTopicStore::new(process, feed, clock))
                }),
            },
        ));
        let apply = Apply {
            building: demo,
            source: Source::Demo,
            rehearsal: Rehearsal::Real,
        };
        let (sender, applied) = std::sync::mpsc::sync_channel(1);
        let applying = Arc::clone(&core);
        drivers.spawn(async move { sender.send(applying.editor.apply(apply).await) });
        let applied = applied.recv().expect("an answer");
        applied.expect("the demo building");
        let settings = ServerSettings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            workers: 1,
            ..ServerSettings::default()
        };
        let server = Server::bind(core, settings, String::new).expect("a free port");
        server.readiness_gate().open();
        let door = Door::new(server.address()).header("X-API-Key", "demo.secret");
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let server = thread::spawn(move || {
            let runtime = Runtime::new().expect("a runtime");
            runtime
                .block_on(server.run(stopping))
                .expect("the server ends well");
        });
        Self {
            door,
            stop,
            server: Some(server),
            drivers: Some(drivers),
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            // A server that panicked has failed the test already.
            let _ = server.join();
        }
        if let Some(drivers) = self.drivers.take() {
            drivers.shutdown_background();
        }
    }
}

fn bind(id: u64, status: &str) -> serde_json::Value {
    json!({"id": id, "cmd": "bind", "sys": "sys-board", "mod": "State", "index": 1, "name": status})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_one_connection_ends_it_with_1011_and_leaves_its_worker_alive() {
    let gateway = Inside::start();
    let mut neighbour = gateway.door.clone().connect().await;
    neighbour.send(bind(1, "scene")).await;
    assert_eq!(neighbour.next().await["type"], "success");
    let mut unlucky = gateway.door.clone().connect().await;

    unlucky.send(bind(1, CURSED)).await;
    let (code, _) = unlucky.expect_closed(Duration::from_secs(5)).await;

    assert_eq!(code, 1011);
    let set = json!({
        "id": 2, "cmd": "exec", "sys": "sys-board", "mod": "State", "index": 1,
        "name": "set", "args": ["scene", "lecture"],
    });
    neighbour.send(set).await;
    let notify = neighbour.next().await;
    assert_eq!(
        (&notify["type"], &notify["value"]),
        (&json!("notify"), &json!("lecture"))
    );
    assert_eq!(neighbour.next().await["type"], "success");
    let mut newcomer = gateway.door.clone().connect().await;
    newcomer.send(bind(1, "scene")).await;
    assert_eq!(newcomer.next().await["type"], "success");
    assert_eq!(newcomer.next().await["value"], "lecture");
}
