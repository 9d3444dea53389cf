//! The building on the stage: a room with two displays, and some apps.

use std::sync::Arc;

use crate::dialects::Surroundings;
use crate::dialects::pusher::stage::{KEY, SECRET, Stage, system};
use crate::model::{
    AppId, AppKeys, AppLimits, AppSigning, AppWebhooks, BuildingView, ChannelApp, JsonText,
    ModuleId, ModuleIndex, ModuleName, ModulePath, ModuleView, SeenStatus, Shape, StatusName,
    System, SystemView, TriggerId, TriggerView, UserId,
};

/// A place such as `sys-1 Display_1`.
pub(super) fn module_path(text: &str) -> ModulePath {
    let (of, module) = text.split_once(' ').unwrap();
    let (name, index) = module.rsplit_once('_').unwrap();
    ModulePath {
        system: system(of),
        module: ModuleName::new(name).unwrap(),
        index: ModuleIndex::new(index.parse().unwrap()).unwrap(),
    }
}

/// The building as each test finds it. Its status `free` is public, its one trigger is `warm`, and its first display stands in another room as well.
///
/// App 4201 may do all; 4202 has no user and no client events, 4203 counts and has values alone.
pub(super) fn building() -> Surroundings {
    let keys =
        format!(r#"[{{"key":"{KEY}","secret":"{SECRET}"}},{{"key":"second","secret":"other"}}]"#);
    let all = ChannelApp {
        client_events: true,
        ..app("4201", &keys, Some("user-panel"))
    };
    let plain = app("4202", r#"[{"key":"plain","secret":"s"}]"#, None);
    let raw = ChannelApp {
        raw: true,
        subscription_counts: true,
        ..app(
            "4203",
            &format!(r#"[{{"key":"raw","secret":"{SECRET}"}}]"#),
            Some("user-panel"),
        )
    };
    let view = BuildingView {
        systems: vec![
            SystemView {
                system: Arc::new(System::new(&system("sys-1"))),
                modules: vec![module("sys-1 Display_1"), module("sys-1 Display_2")],
            },
            SystemView {
                system: Arc::new(System::new(&system("sys-2"))),
                modules: vec![module("sys-2 Display_1")],
            },
        ],
        apps: [all, plain, raw].map(Arc::new).to_vec(),
        triggers: vec![TriggerView {
            id: TriggerId::new("warm").unwrap(),
            name: "Too warm".to_owned(),
        }],
        ..BuildingView::default()
    };
    Surroundings::new(view, &Surroundings::default())
}

fn app(id: &str, keys: &str, user: Option<&str>) -> ChannelApp {
    ChannelApp {
        id: AppId::new(id).unwrap(),
        name: String::new(),
        keys: AppKeys::read(&JsonText::parse(keys).unwrap()).unwrap(),
        user: user.map(|user| UserId::new(user).unwrap()),
        client_events: false,
        subscription_counts: false,
        raw: false,
        sign: AppSigning::Rooms,
        webhooks: AppWebhooks::default(),
        limits: AppLimits::default(),
    }
}

fn module(place: &str) -> Arc<ModuleView> {
    let path = module_path(place);
    Arc::new(ModuleView {
        id: ModuleId::new(&format!("mod-{}-{}", path.module, path.index)).unwrap(),
        driver: Arc::from("demo"),
        driver_text: Arc::from("Demo"),
        interface: None,
        statuses: Arc::new([SeenStatus {
            name: StatusName::new("power").unwrap(),
            shape: Shape::Boolean,
        }]),
        public: Arc::from([StatusName::new("free").unwrap()]),
        path: Arc::new(path),
    })
}

impl Stage {
    /// The module at a place.
    pub(super) fn module_at(&self, path: &ModulePath) -> ModuleId {
        let mut modules = self.surroundings.building.modules();
        let found = modules.find(|module| *module.path == *path);
        found.unwrap().id.clone()
    }

    /// A module comes into its system.
    pub(in crate::dialects::pusher) fn add_module(&mut self, place: &str) {
        self.rebuild(|view| view.systems[0].modules.push(module(place)));
    }

    /// A module goes.
    pub(in crate::dialects::pusher) fn remove_module(&mut self, place: &str) {
        let path = module_path(place);
        self.rebuild(|view| {
            let modules = &mut view.systems[0].modules;
            modules.retain(|module| *module.path != path);
        });
    }

    /// An app goes.
    pub(in crate::dialects::pusher) fn remove_apps(&mut self) {
        self.rebuild(|view| view.apps.clear());
    }

    fn rebuild(&mut self, change: impl FnOnce(&mut BuildingView)) {
        let mut view = (*self.surroundings.building).clone();
        change(&mut view);
        let after = Surroundings::new(view, &self.surroundings);
        let before = std::mem::replace(&mut self.surroundings, after);
        self.with(|session, ambient, out| session.looked_around(&before, ambient, out));
    }
}
