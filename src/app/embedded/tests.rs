//! A gateway inside of a program: what the program can do, and what it is told.

use std::pin::pin;

use driver_sdk::{Context, Error, Status, driver};
use futures_util::StreamExt as _;

use super::*;
use crate::core::CommandRefusal;
use crate::model::FailureKind;

const BUILDING: &str = "
systems:
  - {id: sys-desk, name: Desk, modules: [mod-lamp, mod-notes]}
modules:
  - {id: mod-lamp, driver: lamp}
  - {id: mod-notes, driver: virtual, name: Notes}
";

const NOTES: &str = "
systems: [{id: sys-desk, name: My Desk, modules: [mod-notes]}]
modules: [{id: mod-notes, driver: virtual, name: Notes}]
";

/// A driver of the program's own.
struct Lamp(Context);

/// A lamp.
#[driver(id = "lamp", name = "Lamp")]
impl Lamp {
    const POWER: Status<bool> = Status::new("power");

    async fn start(context: Context) -> Result<Self, Error> {
        context.set(&Self::POWER, &false);
        Ok(Self(context))
    }

    /// Switches it.
    pub async fn power(&self, state: bool) {
        self.0.set(&Self::POWER, &state);
    }
}

async fn gateway() -> Gateway {
    let builder = Gateway::builder(BUILDING).driver(Lamp::DEFINITION);
    builder.start().await.unwrap()
}

#[tokio::test]
async fn a_program_sees_the_statuses_of_a_driver_of_its_own_and_calls_it() {
    let gateway = gateway().await;
    let mut power = gateway.bind("sys-desk/Lamp_1/power").unwrap();
    assert_eq!(power.next().await.unwrap().as_str(), "false");
    let value = gateway.call("sys-desk/Lamp_1", "power", &[true]);
    assert!(value.await.unwrap().is_null());
    assert_eq!(power.next().await.unwrap().as_str(), "true");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_program_has_risers_drivers_too() {
    let gateway = gateway().await;
    let mut text = gateway.bind("sys-desk/Notes/text").unwrap();
    let set = gateway.call("sys-desk/Notes", "set", &("text", "hello"));
    set.await.unwrap();
    assert_eq!(text.next().await.unwrap().as_str(), "\"hello\"");
}

#[tokio::test]
async fn a_program_alone_runs_actions_by_their_names_and_nothing_listens() {
    let gateway = Gateway::start(NOTES).await.unwrap();
    assert_eq!(gateway.address(), None);
    let set = gateway.run("my_desk.notes.set", &("text", "hello"));
    set.await.unwrap();
    let get = gateway.run("sys-desk/Notes_1/get", &["text"]);
    assert_eq!(get.await.unwrap().as_str(), "\"hello\"");
    let wrong = gateway
        .run("my_dsk.notes.get", &["text"])
        .await
        .unwrap_err();
    assert_eq!(
        wrong.to_string(),
        r#"there is no system "my_dsk"; did you mean "my_desk"?"#
    );
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_program_runs_procedures_by_their_ids() {
    const GREET: &str =
        "procedures: [{id: greet.all, parameters: [who], steps: [{return: 'hello {{ who }}'}]}]";
    let gateway = Gateway::start(GREET).await.unwrap();
    let said = gateway.run("procedure.greet.all", &["Ann"]);
    assert_eq!(said.await.unwrap().as_str(), "\"hello Ann\"");
    let missing = gateway.run("procedure.nosuch", &[(); 0]).await.unwrap_err();
    assert!(missing.to_string().contains("nosuch"), "{missing}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_module_is_stopped_with_a_gateway_without_a_listener() {
    let builder = Gateway::builder(BUILDING).driver(Lamp::DEFINITION);
    let gateway = builder.without_listener().start().await.unwrap();
    let mut power = gateway.bind("sys-desk/Lamp_1/power").unwrap();
    assert_eq!(power.next().await.unwrap().as_str(), "false");
    let core = Arc::clone(&gateway.core);
    gateway.stop().await.unwrap();
    let (slot, returned) = ReplySlot::for_exec();
    let exec = ExecRequest {
        module: module_path("sys-desk/Lamp_1").unwrap().into(),
        function: FunctionName::new("power").unwrap(),
        arguments: JsonText::of(&[true]).unwrap(),
        act: None,
    };
    core.calls.exec(&the_program(), exec, slot);
    let failure = returned.await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Unavailable);
}

#[tokio::test]
async fn a_program_hears_what_is_announced_by_a_name_and_no_other() {
    let gateway = Gateway::start("{}").await.unwrap();
    let mut doors = gateway.subscribe("doors").unwrap();
    gateway.announce("windows", &1).unwrap();
    gateway.announce("doors", &["Ann"]).unwrap();
    let heard = doors.next().await.unwrap();
    assert_eq!((&*heard.name, heard.data.as_str()), ("doors", r#"["Ann"]"#));
    gateway.stop().await.unwrap();
    let ended = doors.next().await.unwrap_err();
    assert_eq!(ended.to_string(), "the gateway has ended");
}

#[tokio::test]
async fn who_does_not_keep_up_with_what_is_announced_is_told() {
    let gateway = Gateway::start("{}").await.unwrap();
    let mut doors = gateway.subscribe("doors").unwrap();
    for _ in 0..10_000 {
        gateway.announce("doors", &()).unwrap();
    }
    let behind = loop {
        if let Err(error) = doors.next().await {
            break error;
        }
    };
    assert!(matches!(behind, GatewayError::Behind), "{behind}");
}

#[tokio::test]
async fn values_and_events_come_as_streams_that_end_with_the_gateway() {
    let gateway = Gateway::start(NOTES).await.unwrap();
    let text = gateway.bind("sys-desk/Notes_1/text").unwrap();
    let doors = gateway.subscribe("doors").unwrap();
    let set = gateway.run("sys-desk.notes.set", &("text", "hello"));
    set.await.unwrap();
    gateway.announce("doors", &1).unwrap();
    let mut text = pin!(text.into_stream());
    let mut doors = pin!(doors.into_stream());
    assert_eq!(text.next().await.unwrap().as_str(), "\"hello\"");
    assert_eq!(doors.next().await.unwrap().data.as_str(), "1");
    gateway.stop().await.unwrap();
    assert!(text.next().await.is_none() && doors.next().await.is_none());
}

#[tokio::test]
async fn clients_come_in_where_the_program_is_told() {
    let gateway = gateway().await;
    assert!(
        tokio::net::TcpStream::connect(gateway.address().unwrap())
            .await
            .is_ok()
    );
}

fn message() -> (Caller, JsonText) {
    let person = AutomationId::new("test").unwrap();
    let person = Principal::automation(person, Clearance::User);
    let who = Caller::new(Arc::new(person), IpAddr::V4(Ipv4Addr::LOCALHOST));
    (who, JsonText::parse(r#"{"n":1e400}"#).unwrap())
}

/// What the program's command answers to a message of a user.
async fn answer(gateway: &Gateway, command: &str) -> Result<String, (FailureKind, String)> {
    let (who, fields) = message();
    let (slot, returned) = ReplySlot::for_exec();
    let commands = &gateway.core.custom_commands;
    commands.run(&who, command, fields, slot);
    let returned = returned.await;
    returned
        .map(|returned| returned.value.as_str().to_owned())
        .map_err(|failure| {
            let code = failure.code().unwrap_or_default();
            (failure.kind(), format!("{code} {}", failure.message()))
        })
}

#[tokio::test]
async fn a_program_answers_commands_of_its_own() {
    let echo = Command::new("desk/echo", |message| async move { Ok(message.fields) });
    let refuse = Command::new("desk/refuse", |_| async {
        Err::<(), _>(CommandRefusal {
            code: "no_desk".to_owned(),
            message: "There is none".to_owned(),
        })
    });
    let panic = Command::new("desk/panic", |_| async {
        assert!(std::hint::black_box(false), "as the test wants it");
        Ok(())
    });
    let reset = Command::new("desk/reset", |_| async { Ok(()) }).for_administrators();
    let builder = Gateway::builder("{}").command(echo).command(refuse);
    let builder = builder.command(panic).command(reset);
    let gateway = builder.start().await.unwrap();
    let answered = answer(&gateway, "desk/echo").await;
    assert_eq!(answered.unwrap(), r#"{"n":1e400}"#);
    let failed = |kind, text: &str| Err((kind, text.to_owned()));
    assert_eq!(
        answer(&gateway, "desk/refuse").await,
        failed(FailureKind::DriverFailed, "no_desk There is none")
    );
    assert_eq!(
        answer(&gateway, "desk/panic").await,
        failed(FailureKind::Internal, " the program's handler panicked")
    );
    assert_eq!(
        answer(&gateway, "desk/reset").await,
        failed(FailureKind::Forbidden, " the command is for administrators")
    );
    let offered = gateway.core.views.view().offered.len();
    assert_eq!(offered, 4);
}

#[tokio::test]
async fn a_command_that_cannot_be_one_is_told_before_anything_starts() {
    let wrong = Command::new("hello", |_| async { Ok(()) });
    let error = Gateway::builder("{}").command(wrong).start().await;
    assert!(matches!(error, Err(GatewayError::Command(_))));
}

#[tokio::test]
async fn a_binding_ends_with_the_gateway() {
    let gateway = gateway().await;
    let mut power = gateway.bind("sys-desk/Lamp/power").unwrap();
    power.next().await.unwrap();
    gateway.stop().await.unwrap();
    let ended = power.next().await.unwrap_err();
    assert_eq!(ended.to_string(), "the gateway has ended");
}

#[tokio::test]
async fn what_cannot_be_called_says_why() {
    let gateway = gateway().await;
    let off = gateway.call("sys-desk/Lamp", "off", &());
    assert!(matches!(off.await, Err(GatewayError::Call(_))));
    let nowhere = gateway.call("Lamp", "power", &[true]).await.unwrap_err();
    assert!(matches!(nowhere, GatewayError::Address { .. }));
}

#[tokio::test]
async fn a_mistake_in_the_building_is_told_before_anything_starts() {
    let builder = Gateway::builder("modules: [{id: mod-lamp, driver: lamp}]");
    let error = builder.start().await.unwrap_err();
    assert!(matches!(error, GatewayError::App(AppError::Building(_))));
    let text = error.to_string();
    let expected = "the building:1:34: there is no driver `lamp`; linked in are ";
    assert!(text.starts_with(expected), "{text}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let first = gateway().await;
    let second = Gateway::builder("{}")
        .listen(first.address().unwrap())
        .start();
    let error = second.await.unwrap_err();
    assert!(
        matches!(error, GatewayError::App(AppError::Bind(_))),
        "{error}"
    );
}

#[test]
fn a_module_is_written_with_its_system_and_its_index() {
    for (text, name, index) in [
        ("sys-1/Lamp_2", "Lamp", 2),
        ("sys-1/Lamp", "Lamp", 1),
        ("sys-1/Lamp_left", "Lamp_left", 1),
    ] {
        let path = module_path(text).unwrap();
        assert_eq!(path.system.as_str(), "sys-1");
        assert_eq!((path.module.as_str(), path.index.get()), (name, index));
    }
    for text in ["Lamp", "/Lamp", "sys-1/", "sys-1/Lamp_0"] {
        let error = module_path(text).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{text:?} is no module, which is written sys-desk/Lamp_1")
        );
    }
}
