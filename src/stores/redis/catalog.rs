//! Where modules stand and what they offer, in PlaceOS's keys: `system/{system}` and `interface/{module}`.
//!
//! A mapping is never cleared to be filled again: the differences are written in one step, and nothing where there are none, so no reader sees a room without its modules.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, FutureExt};
use redis::{Pipeline, Value};

use crate::model::{Interface, ModuleId, Slots, SystemId, lock};
use crate::stores::redis::commands::Commands;
use crate::stores::redis::link::Link;
use crate::stores::redis::payload::{Faults, fields, slots, text};
use crate::stores::redis::{interface, keyspace};
use crate::stores::{Catalog, StoreError};

/// The catalog in one Redis, by a connection of its own.
#[derive(Clone)]
pub struct RedisCatalog(Arc<Inner>);

struct Inner {
    commands: Commands,
    faults: Mutex<Faults>,
}

impl RedisCatalog {
    /// The catalog there. Nothing is connected yet.
    pub fn new(link: Link) -> Self {
        Self(Arc::new(Inner {
            commands: Commands::new(link),
            faults: Mutex::default(),
        }))
    }
}

impl Inner {
    async fn hash(&self, key: &str) -> Result<Value, StoreError> {
        let mut command = redis::cmd("HGETALL");
        command.arg(key);
        self.commands.read(&command).await
    }

    fn fault(&self, key: &str, detail: &str) {
        let mut faults = lock(&self.faults);
        faults.tell(key, detail);
    }

    async fn slots(&self, system: &SystemId) -> Result<Slots, StoreError> {
        let key = keyspace::system(system);
        let hash = self.hash(&key).await?;
        let mut faults = lock(&self.faults);
        Ok(slots(&key, hash, &mut faults))
    }

    async fn interface(&self, module: &ModuleId) -> Result<Option<Interface>, StoreError> {
        let key = keyspace::interface(module);
        let mut command = redis::cmd("GET");
        command.arg(&key);
        let value = self.commands.read(&command).await?;
        let Some(json) = text(&value).map(String::from_utf8_lossy) else {
            return Ok(None);
        };
        match interface::read(&json) {
            Ok(interface) => Ok(Some(interface)),
            Err(detail) => {
                self.fault(&key, &detail);
                Ok(None)
            }
        }
    }

    async fn show_slots(&self, system: &SystemId, slots: Slots) -> Result<(), StoreError> {
        let there = fields(self.hash(&keyspace::system(system)).await?).collect();
        match difference(system, &there, &slots) {
            Some(commands) => self.commands.write(&commands).await,
            None => Ok(()),
        }
    }

    async fn show_interface(
        &self,
        module: &ModuleId,
        interface: &Interface,
    ) -> Result<(), StoreError> {
        let mut commands = redis::pipe();
        let set = commands.cmd("SET").arg(keyspace::interface(module));
        set.arg(interface::write(interface));
        self.commands.write(&commands).await
    }
}

/// What makes the slots that are there these: one transaction, with what PlaceOS's own writers publish about it. None when nothing differs.
fn difference(
    system: &SystemId,
    there: &BTreeMap<String, String>,
    slots: &Slots,
) -> Option<Pipeline> {
    let wanted: BTreeMap<String, &str> = slots
        .iter()
        .map(|((name, index), module)| (keyspace::slot(name, *index), module.as_str()))
        .collect();
    let hash = keyspace::system(system);
    let channel = |slot: &str| keyspace::slot_channel(system, slot);
    let mut commands = redis::pipe();
    for (slot, module) in &wanted {
        if there.get(slot).map(String::as_str) != Some(*module) {
            commands.cmd("HSET").arg(&hash).arg(slot).arg(*module);
            commands.cmd("PUBLISH").arg(channel(slot)).arg(*module);
        }
    }
    for slot in there.keys().filter(|slot| !wanted.contains_key(*slot)) {
        commands.cmd("HDEL").arg(&hash).arg(slot);
        commands.cmd("PUBLISH").arg(channel(slot)).arg("null");
    }
    if commands.is_empty() {
        return None;
    }
    let publish = commands.cmd("PUBLISH").arg(keyspace::LOOKUP_CHANGE);
    publish.arg(system.as_str());
    commands.atomic();
    Some(commands)
}

impl Catalog for RedisCatalog {
    fn slots(&self, system: &SystemId) -> BoxFuture<'static, Result<Slots, StoreError>> {
        let (inner, system) = (Arc::clone(&self.0), system.clone());
        async move { inner.slots(&system).await }.boxed()
    }

    fn interface(
        &self,
        module: &ModuleId,
    ) -> BoxFuture<'static, Result<Option<Interface>, StoreError>> {
        let (inner, module) = (Arc::clone(&self.0), module.clone());
        async move { inner.interface(&module).await }.boxed()
    }

    fn show_slots(
        &self,
        system: &SystemId,
        slots: Slots,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (inner, system) = (Arc::clone(&self.0), system.clone());
        async move { inner.show_slots(&system, slots).await }.boxed()
    }

    fn show_interface(
        &self,
        module: &ModuleId,
        interface: Interface,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (inner, module) = (Arc::clone(&self.0), module.clone());
        async move { inner.show_interface(&module, &interface).await }.boxed()
    }
}

impl fmt::Debug for RedisCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCatalog").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use redis::aio::MultiplexedConnection;
    use redis::{PushInfo, PushKind};
    use tokio::sync::watch;
    use tokio::time::timeout;

    use super::*;
    use crate::model::{ModuleIndex, ModuleName};
    use crate::stores::redis::testkit::{PATIENCE, TestRedis};

    fn sys() -> SystemId {
        SystemId::new("sys-1").unwrap()
    }

    fn slots<const N: usize>(slots: [(&str, u32, &str); N]) -> Slots {
        let slot = |(name, index, module): (&str, u32, &str)| {
            let slot = (
                ModuleName::new(name).unwrap(),
                ModuleIndex::new(index).unwrap(),
            );
            (slot, ModuleId::new(module).unwrap())
        };
        slots.map(slot).into()
    }

    /// Everything published, as `channel payload`.
    struct Wire {
        published: watch::Sender<Vec<String>>,
        _connection: MultiplexedConnection,
    }

    impl Wire {
        async fn tap(redis: &TestRedis) -> Self {
            let published = watch::Sender::new(Vec::new());
            let taken = published.clone();
            let on_push = move |push: PushInfo| {
                if push.kind == PushKind::PMessage {
                    let texts = push.data[1..].iter().filter_map(text);
                    let texts: Vec<_> = texts.map(String::from_utf8_lossy).collect();
                    taken.send_modify(|published| published.push(texts.join(" ")));
                }
            };
            let link = redis.link();
            let connecting = link.connect(PATIENCE, Some(Arc::new(on_push)));
            let (mut connection, _) = connecting.await.unwrap();
            connection.psubscribe("*").await.unwrap();
            Self {
                published,
                _connection: connection,
            }
        }

        /// Takes what was published until now.
        async fn take(&self, redis: &TestRedis) -> Vec<String> {
            let _: () = redis.run(&["PUBLISH", "until", "now"]).await;
            let mut follows = self.published.subscribe();
            let mark = |published: &Vec<String>| published.last().is_some_and(|p| p == "until now");
            let wait = timeout(PATIENCE, follows.wait_for(mark)).await;
            drop(wait.unwrap().unwrap());
            let mut published = self.published.send_replace(Vec::new());
            published.pop();
            published
        }
    }

    #[tokio::test]
    async fn only_what_differs_is_written_and_told() {
        let redis = TestRedis::start().await;
        let catalog = RedisCatalog::new(redis.link());
        let wire = Wire::tap(&redis).await;
        let first = slots([("Display", 1, "mod-1"), ("Display", 2, "mod-2")]);
        catalog.show_slots(&sys(), first.clone()).await.unwrap();
        assert_eq!(catalog.slots(&sys()).await.unwrap(), first);
        assert_eq!(
            wire.take(&redis).await,
            [
                "system/sys-1/Display/1 mod-1",
                "system/sys-1/Display/2 mod-2",
                "lookup-change sys-1"
            ]
        );
        catalog.show_slots(&sys(), first).await.unwrap();
        assert_eq!(wire.take(&redis).await, [] as [&str; 0]);

        let _: () = redis.run(&["HSET", "system/sys-1", "no slot", "x"]).await;
        let second = slots([("Display", 1, "mod-3"), ("Camera", 1, "mod-2")]);
        catalog.show_slots(&sys(), second.clone()).await.unwrap();
        assert_eq!(catalog.slots(&sys()).await.unwrap(), second);
        assert_eq!(
            wire.take(&redis).await,
            [
                "system/sys-1/Camera/1 mod-2",
                "system/sys-1/Display/1 mod-3",
                "system/sys-1/Display/2 null",
                "system/sys-1/no slot null",
                "lookup-change sys-1"
            ]
        );
        catalog.show_slots(&sys(), Slots::new()).await.unwrap();
        let keys: Vec<String> = redis.run(&["KEYS", "*"]).await;
        assert!(keys.is_empty(), "{keys:?}");
    }

    #[tokio::test]
    async fn nobody_ever_sees_a_system_without_its_modules() {
        let redis = TestRedis::start().await;
        let catalog = RedisCatalog::new(redis.link());
        let reader = RedisCatalog::new(redis.link());
        let both = [
            slots([("Display", 1, "mod-1"), ("Camera", 1, "mod-2")]),
            slots([("Display", 1, "mod-2"), ("Camera", 2, "mod-1")]),
        ];
        catalog.show_slots(&sys(), both[0].clone()).await.unwrap();
        let edits = async {
            for round in 1..200 {
                let slots = both[round % 2].clone();
                catalog.show_slots(&sys(), slots).await.unwrap();
            }
        };
        let looks = async {
            loop {
                let seen = reader.slots(&sys()).await.unwrap();
                assert!(both.contains(&seen), "{seen:?}");
            }
        };
        let all = futures_util::future::select(Box::pin(edits), Box::pin(looks));
        timeout(PATIENCE, all).await.unwrap();
    }

    #[tokio::test]
    async fn what_a_module_offers_is_kept_as_placeos_keeps_it() {
        let redis = TestRedis::start().await;
        let catalog = RedisCatalog::new(redis.link());
        let module = ModuleId::new("mod-1").unwrap();
        assert_eq!(catalog.interface(&module).await.unwrap(), None);
        let text = r#"{"interface":{"power":{"state":{"type":"boolean"}},"reset":{}},"implements":["Powerable"],"requirements":{},"security":{"support":["reset"]}}"#;
        let interface = interface::read(text).unwrap();
        let shown = catalog.show_interface(&module, interface.clone());
        shown.await.unwrap();
        let kept: String = redis.run(&["GET", "interface/mod-1"]).await;
        assert_eq!(kept, text);
        assert_eq!(catalog.interface(&module).await.unwrap(), Some(interface));
    }

    #[tokio::test]
    async fn garbage_is_as_good_as_nothing() {
        let redis = TestRedis::start().await;
        let catalog = RedisCatalog::new(redis.link());
        let module = ModuleId::new("mod-1").unwrap();
        for garbage in ["hello", "[]", "\u{1}"] {
            let _: () = redis.run(&["SET", "interface/mod-1", garbage]).await;
            assert_eq!(catalog.interface(&module).await.unwrap(), None, "{garbage}");
        }
        let _: () = redis.run(&["DEL", "interface/mod-1"]).await;
        let _: () = redis.run(&["HSET", "interface/mod-1", "a", "b"]).await;
        assert_eq!(catalog.interface(&module).await.unwrap(), None);
        let _: () = redis.run(&["SET", "system/sys-1", "x"]).await;
        assert_eq!(catalog.slots(&sys()).await.unwrap(), Slots::new());
        let refused = catalog.show_slots(&sys(), slots([("A", 1, "mod-1")])).await;
        assert!(refused.unwrap_err().to_string().contains("WRONGTYPE"));
    }

    #[tokio::test]
    async fn a_server_that_was_started_again_is_found() {
        let mut redis = TestRedis::start().await;
        let catalog = RedisCatalog::new(redis.link());
        let there = slots([("A", 1, "mod-1")]);
        catalog.show_slots(&sys(), there.clone()).await.unwrap();
        redis.kill().await;
        let gone = catalog.slots(&sys()).await.unwrap_err();
        assert!(matches!(gone, StoreError::Unreachable { .. }), "{gone}");
        redis.start_again().await;
        catalog.show_slots(&sys(), there.clone()).await.unwrap();
        assert_eq!(catalog.slots(&sys()).await.unwrap(), there);
    }
}
