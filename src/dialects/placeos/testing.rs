//! Helpers for this dialect's tests.

use std::sync::LazyLock;
use std::time::Duration;

use crate::dialects::{
    Ambient, DialectSettings, Incoming, Out, PusherSettings, Session, Step, Surroundings,
};
use crate::model::{
    BindingPath, ConnectionId, DriverRef, EntryInfo, Failure, Module, ModuleId, ModuleIndex,
    ModuleName, ModulePath, ProcessId, Reply, Secret, Source, StatusName, System, SystemId, Ticket,
    Version, Zone, ZoneId,
};

/// What an operator may have set.
pub(super) const SETTINGS: DialectSettings = DialectSettings {
    message_max_bytes: 1024,
    ping_after: Duration::from_secs(30),
    pong_every: Duration::from_secs(80),
    reap_after: Duration::from_secs(90),
    pusher: PusherSettings::DEFAULT,
};

/// What surrounds the connections of these tests.
pub(super) fn ambient() -> Ambient<'static> {
    static SURROUNDINGS: LazyLock<Surroundings> = LazyLock::new(Surroundings::default);
    Ambient {
        process: ProcessId(7),
        connection: ConnectionId(1),
        clock: &|| CREATED,
        draw: &|| 7,
        level: None,
        settings: &SETTINGS,
        surroundings: &SURROUNDINGS,
    }
}

/// What a session gives back: its messages, each a text of its own, and its steps.
pub(super) fn given<T>(speak: impl FnOnce(&mut Out<'_>) -> T) -> (T, Vec<String>, Vec<Step>) {
    let (mut bytes, mut steps) = (Vec::new(), Vec::new());
    let spoken = speak(&mut Out::new(
        &mut bytes,
        |out, _| out.push(b'\n'),
        &mut steps,
    ));
    let texts = String::from_utf8(bytes).unwrap();
    (spoken, texts.lines().map(str::to_owned).collect(), steps)
}

/// What a session makes of one text.
pub(super) fn received(session: &mut Session, text: &str) -> (Vec<String>, Vec<Step>) {
    let ((), texts, steps) = given(|out| session.receive(Incoming::Text(text), &ambient(), out));
    (texts, steps)
}

/// What a session says to an answer.
pub(super) fn replied(
    session: &mut Session,
    ticket: Ticket,
    reply: Result<Reply, Failure>,
) -> Vec<String> {
    let ((), texts, steps) = given(|out| session.reply(ticket, reply, &ambient(), out));
    assert!(steps.is_empty(), "PlaceOS asks for nothing more");
    texts
}

/// When the entries of these tests were made.
pub(super) const CREATED: u64 = 1_700_000_000;

/// When they last changed.
pub(super) const UPDATED: u64 = 1_700_000_007;

/// What is known of them.
pub(super) const INFO: EntryInfo = EntryInfo {
    source: Source::File,
    version: Version(3),
    created_at: CREATED,
    updated_at: UPDATED,
    place: 1,
};

/// A status by its place.
pub(super) fn path(system: &str, module: &str, index: u32, status: &str) -> BindingPath {
    BindingPath {
        module: ModulePath {
            system: SystemId::new(system).unwrap(),
            module: ModuleName::new(module).unwrap(),
            index: ModuleIndex::new(index).unwrap(),
        },
        status: StatusName::new(status).unwrap(),
    }
}

/// A system with something in every field.
pub(super) fn system() -> System {
    System {
        name: "Board Room".to_owned(),
        display_name: Some("The Board Room".to_owned()),
        description: "Level 1".to_owned(),
        email: Some("board@example.com".to_owned()),
        capacity: 8,
        bookable: true,
        features: vec!["vc".to_owned(), "whiteboard".to_owned()],
        map_id: Some("map-1".to_owned()),
        timezone: Some("Etc/UTC".to_owned()),
        zones: vec![
            ZoneId::new("zone-hq").unwrap(),
            ZoneId::new("zone-l1").unwrap(),
        ],
        modules: vec![
            ModuleId::new("mod-d1").unwrap(),
            ModuleId::new("mod-d2").unwrap(),
        ],
        ..System::new(&SystemId::new("sys-1").unwrap())
    }
}

/// A zone inside another.
pub(super) fn zone() -> Zone {
    Zone {
        name: "Level 1".to_owned(),
        tags: vec!["level".to_owned(), "quiet".to_owned()],
        parent_id: Some(ZoneId::new("zone-hq").unwrap()),
        ..Zone::new(&ZoneId::new("zone-l1").unwrap())
    }
}

/// A module at this address, with a password in its settings.
pub(super) fn module(uri: Option<&str>) -> Module {
    Module {
        driver: DriverRef::LinkedIn("pjlink".to_owned()),
        name: Some(ModuleName::new("Projector").unwrap()),
        uri: uri.map(str::to_owned),
        settings: Secret::new(r#"{"password":"hunter2"}"#),
        ..Module::new(&ModuleId::new("mod-d1").unwrap())
    }
}
