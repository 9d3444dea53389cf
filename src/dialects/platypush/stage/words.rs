//! What is asked of the core, in the words of transcripts.

use crate::model::{ModuleAddress, Query, Request, Subject};

/// A question.
pub(super) fn described(request: &Request) -> String {
    match request {
        Request::Call(call) => {
            let ModuleAddress::Place(place) = &call.module else {
                panic!("modules are named by their places");
            };
            format!(
                "{}/{}_{} {}({})",
                place.system, place.module, place.index, call.function, call.arguments
            )
        }
        Request::Run(run) => {
            let given = run.arguments.as_ref().map(ToString::to_string);
            format!("run {}({})", run.procedure, given.unwrap_or_default())
        }
        Request::Query(Query::Systems) => "systems".to_owned(),
        Request::Query(Query::Statuses(place)) => {
            format!("statuses {}/{}_{}", place.system, place.module, place.index)
        }
        Request::Query(Query::Value(path)) => {
            let place = &path.module;
            let module = format!("{}/{}_{}", place.system, place.module, place.index);
            format!("value {module}/{}", path.status)
        }
        Request::Query(Query::Snapshot(places)) => format!("snapshot of {}", places.len()),
        Request::Follow { subject, .. } => format!("follow {}", subject_words(subject)),
        other @ (Request::Query(Query::Modules(_) | Query::Functions(_) | Query::Procedures)
        | Request::Unfollow { .. }
        | Request::CallOnce { .. }
        | Request::Enter(_)
        | Request::Leave(_)
        | Request::Publish(_)
        | Request::Announce { .. }
        | Request::Custom { .. }
        | Request::Tokens(_)
        | Request::Messages(_)
        | Request::Debug(_)
        | Request::Ignore(_)) => panic!("this dialect does not ask {other:?}"),
    }
}

/// What is followed.
pub(super) fn subject_words(subject: &Subject) -> String {
    match subject {
        Subject::Bus => "bus".to_owned(),
        Subject::Calls => "calls".to_owned(),
        Subject::Module(place) => format!("{}/{}_{}", place.system, place.module, place.index),
        other @ (Subject::Status(_)
        | Subject::Log(_)
        | Subject::Directory
        | Subject::Announced(_)
        | Subject::Topic(_)
        | Subject::Service(_)
        | Subject::Device(_)) => panic!("this dialect does not follow {other:?}"),
    }
}
