//! The building on the stage.

use std::sync::Arc;

use crate::dialects::Surroundings;
use crate::model::{
    BuildingView, Content, Function, FunctionName, Interface, JsonText, ModuleId, ModuleIndex,
    ModuleName, ModulePath, ModuleView, Parameter, Parameters, Procedure, ProcedureId, Steps,
    System, SystemId, SystemView, Value,
};

/// A building of systems with ids, names and modules, as `("sys-1", "Board Room", &["Display_1"])`.
/// Each module has the functions `power(state)` and `volume(level)`, but for those that have told none: theirs begin with `_`.
pub(in crate::dialects::platypush) fn building(systems: &[(&str, &str, &[&str])]) -> BuildingView {
    let systems = systems.iter().map(|(id, name, modules)| {
        let id = SystemId::new(id).unwrap();
        let system = System {
            name: (*name).to_owned(),
            ..System::new(&id)
        };
        let modules = modules
            .iter()
            .map(|module| Arc::new(module_view(&id, module)));
        SystemView {
            system: Arc::new(system),
            modules: modules.collect(),
        }
    });
    BuildingView {
        systems: systems.collect(),
        ..BuildingView::default()
    }
}

/// A module as the view has it.
pub(in crate::dialects::platypush) fn module_view(system: &SystemId, module: &str) -> ModuleView {
    ModuleView {
        path: Arc::new(module_path(&format!("{system}/{module}"))),
        id: ModuleId::new(&format!("mod-{module}")).unwrap(),
        driver: Arc::from("demo"),
        driver_text: Arc::from("Demo"),
        interface: (!module.starts_with('_')).then(|| Arc::new(interface())),
        statuses: Arc::from([]),
        public: Arc::from([]),
    }
}

/// A place, as `sys-1/Display_1`.
pub(in crate::dialects::platypush) fn module_path(text: &str) -> ModulePath {
    let (system, module) = text.split_once('/').unwrap();
    let (name, index) = module.rsplit_once('_').unwrap();
    ModulePath {
        system: SystemId::new(system).unwrap(),
        module: ModuleName::new(name).unwrap(),
        index: ModuleIndex::new(index.parse().unwrap()).unwrap(),
    }
}

fn interface() -> Interface {
    let parameter = |name: &str, kind: &str| Parameter {
        name: name.to_owned(),
        schema: JsonText::parse(&format!(r#"{{"type":"{kind}"}}"#)).unwrap(),
        default: None,
    };
    let function = |name: &str, parameter: Parameter| {
        let function = Function {
            description: format!("Sets the {name}."),
            parameters: vec![parameter],
            ..Function::default()
        };
        (FunctionName::new(name).unwrap(), function)
    };
    let functions = [
        function("power", parameter("state", "boolean")),
        function("volume", parameter("level", "integer")),
    ];
    Interface {
        functions: functions.into_iter().collect(),
        ..Interface::default()
    }
}

/// The building of most tests: a board room and a lobby, with two procedures.
pub(in crate::dialects::platypush) fn surroundings() -> Surroundings {
    let mut building = building(&[
        ("sys-1", "Board Room", &["Display_1", "Display_2"]),
        ("sys-2", "Lobby", &["Lights_1", "_Secret_1"]),
    ]);
    building.procedures = vec![procedure("at_home", &["who"]), procedure("foo.bar", &[])];
    Surroundings::new(building, &Surroundings::default())
}

fn procedure(id: &str, parameters: &[&str]) -> Arc<Procedure> {
    let names = parameters.iter().map(|name| (*name).into());
    let parameters = Parameters::make(Value::Texts(names.collect())).unwrap();
    let id = ProcedureId::new(id).unwrap();
    Arc::new(Procedure {
        parameters,
        id,
        steps: Steps::default(),
    })
}
