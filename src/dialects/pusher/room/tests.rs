//! Names of rooms, both ways.

use super::*;
use crate::dialects::pusher::channel::{Access, Channel, Keeping};

fn named(name: &str) -> Option<Result<Room, NoRoom>> {
    Room::named(name, &BuildingView::default())
}

fn status(system: &str, module: &str, index: u32, status: &str) -> Room {
    Room::Status(Arc::new(BindingPath {
        module: ModulePath {
            system: SystemId::new(system).unwrap(),
            module: ModuleName::new(module).unwrap(),
            index: ModuleIndex::new(index).unwrap(),
        },
        status: StatusName::new(status).unwrap(),
    }))
}

#[test]
fn a_status_is_named_by_its_place() {
    let room = status("sys-B0", "Display", 1, "input/hdmi 2");
    let name = "private-cache-st.sys-B0.Display_1.input=2Fhdmi=202";
    assert_eq!(room.channel(), name);
    assert_eq!(named(name), Some(Ok(room)));
    let channel = Channel::named(name).unwrap();
    assert_eq!(channel.access(), Access::Private);
    assert_eq!(channel.keeping(), Keeping::Last);
}

#[test]
fn each_beginning_is_a_kind_of_room() {
    let system = || SystemId::new("sys-1").unwrap();
    for (name, room) in [
        ("private-sys.sys-1", Room::System(system())),
        ("presence-room.sys-1", Room::People(system())),
        ("private-ctl.sys-1", Room::Control(system())),
        ("private-trg.sys-1", Room::Triggers(system())),
        ("private-events", Room::Events),
    ] {
        assert_eq!(room.channel(), name);
        assert_eq!(named(name), Some(Ok(room)), "{name}");
    }
    for name in [
        "private-mod.sys-1.A_b_2",
        "private-debug.sys-1.Display_1",
        "cache-pub.sys-1.Display_1.power",
    ] {
        assert_eq!(named(name).unwrap().unwrap().channel(), name);
    }
}

#[test]
fn other_names_are_channels_that_stand_for_nothing() {
    for name in [
        "private-a",
        "private-system",
        "private-events2",
        "private-sys-1.Display_1",
        "cache-st.sys-1.Display_1.power",
        "presence-rooms",
        "st.sys-1",
    ] {
        assert_eq!(named(name), None, "{name}");
    }
}

#[test]
fn what_is_not_written_in_the_one_way_is_no_room() {
    for parts in [
        "",
        "sys-1",
        "sys-1.Display_1",
        "sys-1.Display_1.power.x",
        "sys-1..power",
        "sys-1.Display.power",
        "sys-1.Display_0.power",
        "sys-1.Display_01.power",
        "sys-1.Display_+1.power",
        "sys-1.Display_x.power",
        "sys-1.Display_1.",
        "sys-1.Display_1.a=2fb",
        "sys-1.Display_1.=41",
        "sys-1.Display_1.a=2",
        "sys-1.Display_1.a=",
        "sys-1.Display_1.=FF",
        "sys-1.Display_1.=0A",
        "sys-1.Display_1.a@b",
    ] {
        let name = format!("private-cache-st.{parts}");
        assert_eq!(named(&name), Some(Err(NoRoom)), "{name}");
    }
}

#[test]
fn a_long_name_is_a_digest_that_is_found_in_the_building() {
    use crate::model::{ModuleId, SeenStatus, Shape, System, SystemView};

    let long = "é".repeat(60);
    let room = status("sys-1", "Display", 1, &long);
    let name = room.channel();
    assert_eq!(name.len(), "private-cache-st.h.".len() + 40);
    assert_eq!(room.hashed_channel(), Some(name.clone()));
    assert!(Channel::named(&name).is_some());
    assert_eq!(
        named(&name),
        Some(Err(NoRoom)),
        "it is not in this building"
    );

    let Room::Status(path) = &room else {
        unreachable!()
    };
    let module = ModuleView {
        path: Arc::new(path.module.clone()),
        id: ModuleId::new("mod-1").unwrap(),
        driver: "demo".into(),
        driver_text: "Demo".into(),
        interface: None,
        statuses: Arc::new([SeenStatus {
            name: path.status.clone(),
            shape: Shape::Text,
        }]),
        public: Arc::new([path.status.clone()]),
    };
    let building = BuildingView {
        systems: vec![SystemView {
            system: Arc::new(System::new(&path.module.system)),
            modules: vec![Arc::new(module)],
        }],
        ..BuildingView::default()
    };
    assert_eq!(Room::named(&name, &building), Some(Ok(room.clone())));
    let public = Room::PublicStatus(Arc::clone(path));
    let found = Room::named(&public.channel(), &building);
    assert_eq!(found, Some(Ok(public)));
}

#[test]
fn the_longest_name_stands_for_itself() {
    let beginning = "private-cache-st.sys-1.Display_1.".len();
    let fits = status("sys-1", "Display", 1, &"a".repeat(164 - beginning));
    assert_eq!(fits.channel().len(), 164);
    assert_eq!(fits.hashed_channel(), None);
    let longer = status("sys-1", "Display", 1, &"a".repeat(165 - beginning));
    assert!(longer.hashed_channel().is_some());
    let written_out = format!(
        "private-cache-st.sys-1.Display_1.{}",
        "a".repeat(165 - beginning)
    );
    assert_eq!(named(&written_out), Some(Err(NoRoom)));
}
