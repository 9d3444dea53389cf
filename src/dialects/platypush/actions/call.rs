//! Calls: of functions, of procedures, and reading what a module says.

use std::sync::Arc;

use crate::dialects::platypush::actions::Plan;
use crate::dialects::platypush::actions::reading::Reading;
use crate::dialects::platypush::errors::ActionError;
use crate::dialects::platypush::message::Arguments;
use crate::dialects::platypush::view::Plugin;
use crate::model::{
    BindingPath, ExecRequest, FunctionName, JsonText, ModulePath, ProcedureId, Query, Request,
    RunRequest, StatusName,
};

/// Calls a function of a module. What is wrong with the arguments is the module's to say.
pub(super) fn call(plugin: &Plugin, function: FunctionName, arguments: &Arguments) -> Plan {
    let request = Request::Call(ExecRequest {
        module: ModulePath::clone(&plugin.module.path).into(),
        function,
        arguments: arguments.for_call(),
        act: None,
    });
    Plan::Ask(request, Reading::Result)
}

/// Runs a procedure.
pub(super) fn run(procedure: &ProcedureId, arguments: &Arguments) -> Plan {
    let request = Request::Run(RunRequest {
        procedure: procedure.clone(),
        arguments: arguments.json().cloned(),
    });
    Plan::Ask(request, Reading::Result)
}

/// Reads one status of a module, or all of them.
pub(super) fn status(plugin: &Plugin, name: Option<JsonText>) -> Result<Plan, ActionError> {
    let path = ModulePath::clone(&plugin.module.path);
    let Some(name) = name else {
        let query = Query::Statuses(path);
        return Ok(Plan::Ask(Request::Query(query), Reading::Statuses));
    };
    let text = name.to::<String>().ok();
    let status = text.and_then(|name| StatusName::new(&name).ok());
    let status = status.ok_or(ActionError::Argument {
        action: "status",
        name: "name",
        what: "the name of a status",
    })?;
    let path = Arc::new(BindingPath {
        module: path,
        status,
    });
    let reading = Reading::Status {
        plugin: Arc::clone(&plugin.name),
        path: Arc::clone(&path),
    };
    Ok(Plan::Ask(Request::Query(Query::Value(path)), reading))
}
