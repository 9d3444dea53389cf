//! Edits of every kind, one after the other: what follows from each is what would follow if everything were looked at anew.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::core::access::{KeyRing, Principal, resolve_key_secret};
use crate::core::building::plan;
use crate::core::directory::{Directory, Touched};
use crate::core::ledger_replica::Materialized;
use crate::core::tests::doubles::FORMS;
use crate::model::{ApiKey, ModuleIndex, ModuleName, System};
use crate::stores::Document;

const ZONES: [&str; 3] = ["zone-1", "zone-2", "zone-3"];
const SYSTEMS: [&str; 3] = ["sys-1", "sys-2", "sys-3"];
const MODULES: [&str; 4] = ["mod-1", "mod-2", "mod-3", "mod-4"];
const NAMES: [&str; 2] = ["Scratch", "Panel"];
const USERS: [&str; 2] = ["user-1", "user-2"];
const KEYS: [&str; 3] = ["key-1", "key-2", "key-3"];
const SETTINGS: [&str; 4] = ["{}", "{}", r#"{"a":1}"#, r#"{"a":2}"#];
const SECRETS: [&str; 2] = ["secret", "other"];
const LEVELS: [Clearance; 3] = [Clearance::User, Clearance::Support, Clearance::Admin];
const SAID: [&str; 3] = ["{}", r#"{"deny":["guests"]}"#, r#"{"admin":["crew"]}"#];

proptest! {
    // Each case is two cores.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_follows_from_an_edit_is_what_follows_from_the_whole_building(
        turns in prop::collection::vec(any_turn(), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let documents = MemoryDocuments::new();
            let (editor, follower) = (Shown::over(&documents).await, Shown::over(&documents).await);
            for turn in turns {
                let states = (editor.state(), follower.state());
                editor.make(turn).await;
                editor.check(&states.0);
                follower.catch_up_with(&editor).await;
                follower.check(&states.1);
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_is_refused_when_the_building_would_not_be_sound_as_a_whole(
        before in prop::collection::vec(any_entry(), 0..12),
        entries in prop::collection::vec(any_entry(), 1..4),
    ) {
        let before = before.into_iter().fold(empty(), |now, entry| {
            planned(&now, vec![Edit::put(entry)]).unwrap_or(now)
        });
        let edits = entries.iter().cloned().map(Edit::put).collect();
        let made = planned(&before, edits);
        let whole = stored(&documents_with(&before, &entries));
        prop_assert_eq!(made.is_some(), whole.is_some());
    }
}

#[test]
fn no_two_entries_have_one_place_when_one_comes_back_in_the_batch_that_took_it_away() {
    let zone = |id| Entry::Zone(zone(id));
    let before = planned(
        &empty(),
        ["zone-1", "zone-2"].map(zone).map(Edit::put).into(),
    )
    .unwrap();
    let last = zone("zone-2");
    let edits = vec![
        Edit::delete(last.id()),
        Edit::put(zone("zone-3")),
        Edit::put(last),
    ];
    let after = planned(&before, edits).unwrap();
    let place = |id| after.info(&id).unwrap().place;
    let mut places: Vec<u64> = after.ids().map(place).collect();
    places.dedup();
    assert_eq!(places.len(), 3, "{places:?}");
    assert!(places.is_sorted());
}

fn empty() -> Directory {
    stored(&[]).unwrap()
}

fn planned(now: &Directory, edits: Vec<Edit>) -> Option<Directory> {
    doubles::planned(now, edits).map(|(next, ..)| next)
}

fn stored(documents: &[Document]) -> Option<Directory> {
    plan::stored(documents, &*ScriptedHost::new(), FORMS.permissions()).ok()
}

/// What the store would hold if these were put.
fn documents_with(before: &Directory, entries: &[Entry]) -> Vec<Document> {
    let mut all: Vec<Entry> = before.ids().filter_map(|id| before.entry(&id)).collect();
    for entry in entries {
        all.retain(|other| other.id() != entry.id());
        all.push(entry.clone());
    }
    let info = |place| EntryInfo {
        source: Source::Elsewhere,
        version: Version(1),
        created_at: NOW,
        updated_at: NOW,
        place,
    };
    let documents = all.iter().zip(0..);
    documents
        .map(|(entry, place)| Document::of(entry, &info(place)))
        .collect()
}

/// What is done to the building at a time.
#[derive(Debug, Clone)]
enum Turn {
    Edits(Vec<Edit>),
    /// What is there is deleted and made again: as it was, or a system with another description.
    Remade(EntryId, String),
    /// A building file that has these entries.
    File(Vec<Entry>),
    /// A key or user is taken away while the store takes nothing.
    Unkept(EntryId),
}

fn some(of: &[&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(of.to_vec(), 0..=of.len())
}

fn one(of: &[&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(of.to_vec())
}

fn zone_ids(ids: &[&str]) -> Vec<ZoneId> {
    ids.iter().map(|id| ZoneId::new(id).unwrap()).collect()
}

fn user_id(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let level = || prop::sample::select(LEVELS.to_vec());
    let settings = || one(&SETTINGS).prop_map(Secret::new);
    let any_zone = (one(&ZONES), prop::option::of(one(&ZONES)), any::<bool>());
    let any_module = (one(&MODULES), prop::option::of(one(&NAMES)), any::<bool>());
    let any_user = (one(&USERS), level(), any::<bool>(), any::<bool>());
    let any_key = (
        (one(&KEYS), one(&USERS), level(), one(&SECRETS)),
        (some(&SYSTEMS), some(&ZONES)),
    );
    let any_metadata = (one(&["zone-1", "zone-2", "sys-1", "mod-1"]), one(&SAID));
    prop_oneof![
        (any_zone, settings()).prop_map(|((id, parent, governs), settings)| {
            let mut zone = zone(id);
            zone.settings = settings;
            zone.parent_id = parent.map(|id| ZoneId::new(id).unwrap());
            zone.tags.extend(governs.then(|| "org".to_owned()));
            Entry::Zone(zone)
        }),
        (
            one(&SYSTEMS),
            some(&MODULES).prop_shuffle(),
            some(&ZONES),
            settings()
        )
            .prop_map(|(id, modules, zones, settings)| {
                Entry::System(System {
                    zones: zone_ids(&zones),
                    settings,
                    ..room(id, &modules)
                })
            }),
        (any_module, settings()).prop_map(|((id, name, elsewhere), settings)| {
            let mut module = scripted(id, name);
            module.settings = settings;
            module.uri = elsewhere.then(|| "tcp://10.0.0.7".to_owned());
            Entry::Module(module)
        }),
        any_user.prop_map(|(id, level, is_first, in_crew)| {
            let address = if is_first { "a@x.test" } else { "b@x.test" };
            Entry::User(User {
                id: user_id(id),
                email: address.to_owned(),
                groups: in_crew.then(|| "crew".to_owned()).into_iter().collect(),
                ..user(level)
            })
        }),
        any_key.prop_map(|((id, owner, level, secret), (systems, zones))| {
            let secret = KeySecret::Plain(Secret::new(secret));
            Entry::ApiKey(ApiKey {
                user: user_id(owner),
                secret: resolve_key_secret(secret, None),
                systems: systems.into_iter().map(system).collect(),
                zones: zone_ids(&zones),
                ..api_key(id, level)
            })
        }),
        any_metadata.prop_map(|(parent, said)| {
            let mut metadata = metadata(parent);
            metadata.id.name = MetadataName::new("permissions").unwrap();
            metadata.details = JsonText::parse(said).unwrap();
            Entry::Metadata(metadata)
        }),
    ]
}

fn any_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => any_entry().prop_map(Edit::put),
        1 => any_entry().prop_map(|entry| Edit::delete(entry.id())),
    ]
}

fn any_turn() -> impl Strategy<Value = Turn> {
    let credential = prop_oneof![
        one(&KEYS).prop_map(|id| EntryId::ApiKey(KeyId::new(id).unwrap())),
        one(&USERS).prop_map(|id| EntryId::User(user_id(id))),
    ];
    prop_oneof![
        8 => prop::collection::vec(any_edit(), 1..5).prop_map(Turn::Edits),
        2 => (any_entry(), one(&["", "made anew"])).prop_map(|(entry, description)| {
            Turn::Remade(entry.id(), description.to_owned())
        }),
        2 => prop::collection::vec(any_entry(), 0..8).prop_map(Turn::File),
        1 => credential.prop_map(Turn::Unkept),
    ]
}

/// A building of two rooms, of which each turn makes another.
fn furnished() -> Vec<Entry> {
    let mut zoned = room("sys-1", &["mod-1", "mod-2"]);
    zoned.zones = zone_ids(&["zone-1"]);
    let mut organisation = zone("zone-1");
    organisation.tags.push("org".to_owned());
    let mut permissions = metadata("zone-1");
    permissions.id.name = MetadataName::new("permissions").unwrap();
    permissions.details = JsonText::parse(SAID[1]).unwrap();
    let mut restricted = api_key("key-2", Clearance::Support);
    restricted.zones = zone_ids(&["zone-1"]);
    vec![
        Entry::Zone(organisation),
        Entry::Zone(zone("zone-2")),
        Entry::Module(scripted("mod-1", None)),
        Entry::Module(scripted("mod-2", None)),
        Entry::System(zoned),
        Entry::System(room("sys-2", &["mod-2"])),
        Entry::User(user(Clearance::Admin)),
        Entry::ApiKey(api_key("key-1", Clearance::Admin)),
        Entry::ApiKey(restricted),
        Entry::Metadata(permissions),
    ]
}

/// A core, and what it tells of connections that are to close.
struct Shown {
    core: Arc<Core>,
    documents: Arc<MemoryDocuments>,
    inbox: Arc<Inbox>,
}

/// What a core shows, found out without what it knew before.
struct State {
    directory: Arc<Directory>,
    keys: KeyRing,
}

impl Shown {
    async fn over(documents: &Arc<MemoryDocuments>) -> Self {
        let host = ScriptedHost::new();
        let core = doubles::core(
            CoreSettings::default(),
            documents,
            &host,
            &Handle::current(),
        );
        core.open().await.unwrap();
        core.begin();
        let clockwork = Arc::clone(&core);
        drop(Handle::current().spawn(async move { clockwork.run().await }));
        let furnished = furnished().into_iter().map(Edit::put).collect();
        core.editor.edit_at_rest(furnished).await.unwrap();
        let inbox = Inbox::new();
        core.follows.attach(Arc::clone(&inbox) as Arc<dyn Outlet>);
        Self {
            core,
            documents: Arc::clone(documents),
            inbox,
        }
    }

    /// Does it, or has it refused.
    async fn make(&self, turn: Turn) {
        match turn {
            Turn::Edits(edits) => drop(self.core.editor.edit_at_rest(edits).await),
            Turn::Remade(id, description) => {
                if let Some(mut entry) = self.core.queries.directory().entry(&id) {
                    if let Entry::System(system) = &mut entry {
                        system.description = description;
                    }
                    let edits = vec![Edit::delete(id), Edit::put(entry)];
                    drop(self.core.editor.edit_at_rest(edits).await);
                }
            }
            Turn::File(entries) => drop(doubles::apply(&self.core, file(entries)).await),
            Turn::Unkept(id) => {
                self.documents.set_failing(true);
                drop(self.core.editor.edit_at_rest(vec![Edit::delete(id)]).await);
                self.documents.set_failing(false);
            }
        }
    }

    async fn catch_up_with(&self, other: &Self) {
        let infos = |shown: &Self| -> Vec<(EntryId, EntryInfo)> {
            let directory = shown.core.queries.directory();
            let infos = directory.ids().map(|id| {
                let info = *directory.info(&id).unwrap();
                (id, info)
            });
            infos.collect()
        };
        for _ in 0..1_000 {
            if infos(self) == infos(other) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("it does not show what the other does");
    }

    fn state(&self) -> State {
        let service = &self.core.building;
        let documents = service.documents();
        let directory = Arc::new(stored(&documents).expect("it is sound"));
        let trusted = service.revocations.without(&directory);
        let mut keys = KeyRing::new();
        keys.align(&trusted, &Touched::all(&Directory::default(), &trusted));
        State { directory, keys }
    }

    /// Everything is as the building says, and those connections were closed that lost something.
    #[track_caller]
    fn check(&self, before: &State) {
        let now = self.state();
        self.check_directory(&now.directory);
        self.check_slots(&now.directory);
        self.check_modules(&now.directory);
        self.check_keys(&now.keys);
        self.check_closings(before, &now);
    }

    #[track_caller]
    fn check_directory(&self, expected: &Directory) {
        let directory = self.core.queries.directory();
        let ids: Vec<EntryId> = directory.ids().collect();
        assert_eq!(ids, expected.ids().collect::<Vec<_>>());
        for id in &ids {
            assert_eq!(directory.entry(id), expected.entry(id));
            assert_eq!(directory.info(id), expected.info(id));
        }
        for id in MODULES.map(module) {
            let around = |directory: &Directory| -> Vec<String> {
                let systems = directory.systems_of(&id);
                systems.map(|system| system.id.to_string()).collect()
            };
            assert_eq!(around(&directory), around(expected), "{id}");
        }
        for system in expected.systems() {
            let said: Vec<_> = directory.permissions().in_system(system).collect();
            let expected: Vec<_> = expected.permissions().in_system(system).collect();
            assert_eq!(said, expected, "{}", system.id);
        }
    }

    #[track_caller]
    fn check_slots(&self, expected: &Directory) {
        for id in SYSTEMS {
            let slots = expected.system(&system(id));
            let slots = slots.map(|system| expected.slots(system));
            for (name, index) in NAMES
                .iter()
                .flat_map(|name| (1..=4).map(move |at| (name, at)))
            {
                let slot = (
                    ModuleName::new(name).unwrap(),
                    ModuleIndex::new(index).unwrap(),
                );
                let expected = slots.as_ref().and_then(|slots| slots.get(&slot).cloned());
                let found = self.core.subscriptions.resolve(&place(id, name, index));
                assert_eq!(found.ok(), expected, "{id} {name} {index}");
            }
        }
    }

    #[track_caller]
    fn check_modules(&self, expected: &Directory) {
        for id in MODULES.map(module) {
            let running = self.core.modules.get(&id);
            match (&running, expected.module(&id)) {
                (Some(running), Some(entry)) => {
                    assert!(
                        running.current().runs_as(&expected.configured(entry)),
                        "{id} runs as it was"
                    );
                }
                (running, entry) => {
                    assert_eq!(running.is_some(), entry.is_some(), "{id}");
                }
            }
        }
    }

    #[track_caller]
    fn check_keys(&self, expected: &KeyRing) {
        let keys = self.core.building.keys();
        for (id, shown) in shown_keys() {
            match (keys.find(&shown), expected.find(&shown)) {
                (Ok(is), Ok(expected_is)) => {
                    assert!(expected.still_admits(&is), "{id} opens more");
                    assert!(keys.still_admits(&expected_is), "{id} opens less");
                }
                (is, expected) => assert_eq!(is.is_ok(), expected.is_ok(), "{id}"),
            }
        }
    }

    #[track_caller]
    fn check_closings(&self, before: &State, now: &State) {
        let was = shown_keys().into_iter().filter_map(|(id, shown)| {
            let found: Option<Arc<Principal>> = before.keys.find(&shown).ok();
            Some((id, found?))
        });
        let weakened = was.filter(|(_, was)| !now.keys.still_admits(was));
        let left = shown_keys().into_iter().filter_map(|(id, shown)| {
            let is: Arc<Principal> = now.keys.find(&shown).ok()?;
            // A deleted system counts as left behind by no key.
            let mut moved = before.directory.systems().filter_map(|was| {
                let is = now.directory.system(&was.id)?;
                (was.zones != is.zones).then_some((was, is))
            });
            let lost = |(a, b): (&System, &System)| {
                let reaches = |system| is.policy().reaches(system);
                is.policy().is_restricted() && reaches(a) && !reaches(b)
            };
            moved.any(lost).then_some(id)
        });
        let expected: BTreeSet<String> = weakened.map(|(id, _)| id).chain(left).collect();
        let closed = self.inbox.take().into_iter().filter_map(closed);
        assert_eq!(closed.collect::<BTreeSet<String>>(), expected);
    }
}

/// Every key with every secret.
fn shown_keys() -> Vec<(String, Secret)> {
    let all = KEYS
        .iter()
        .flat_map(|key| SECRETS.map(|secret| (key, secret)));
    all.map(|(key, secret)| ((*key).to_owned(), Secret::new(format!("{key}.{secret}"))))
        .collect()
}

fn file(entries: Vec<Entry>) -> Building {
    let mut building = Building::default();
    for entry in entries {
        match entry {
            Entry::Zone(zone) => building.zones.push(zone),
            Entry::System(system) => building.systems.push(system),
            Entry::Module(module) => building.modules.push(module),
            Entry::User(user) => building.users.push(user),
            Entry::ApiKey(key) => building.api_keys.push(key),
            Entry::Metadata(metadata) => building.metadata.push(metadata),
            Entry::Entity(entity) => building.entities.push(entity),
            Entry::Command(command) => building.commands.push(command),
            Entry::App(app) => building.apps.push(app),
            Entry::Service(service) => building.services.push(service),
            Entry::Procedure(procedure) => building.procedures.push(procedure),
            Entry::Hook(hook) => building.hooks.push(hook),
            Entry::Trigger(trigger) => building.triggers.push(trigger),
        }
    }
    building
}
