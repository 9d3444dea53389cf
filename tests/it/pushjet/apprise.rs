//! Apprise, which sends to many kinds of services, and to this one by JSON that says it is a form.

use super::door::{Made, PHONE, messages, open_plan};
use super::library::Library;
use crate::harness::{DEADLINE, Gateway, Plan};

// Case 29
#[tokio::test]
async fn apprise_sends() {
    let mut gateway = listening(open_plan()).start().await;
    let address = own_address(&mut gateway).await;
    let made = Made::new(&gateway, "Lobby").await;
    made.subscribe(&gateway, PHONE).await;
    let mut library = Library::start(&gateway);
    for (user, title, body) in [
        ("", "", "plain"),
        ("", "Overpressure", "2.6 bar ü 🔥"),
        ("ann:pass@", "", "with a user"),
    ] {
        let url = format!("pjet://{user}{address}/{}", made.secret);
        assert!(library.notify(&url, title, body).await, "{url}");
        let got = messages(&gateway, PHONE).await;
        assert_eq!(got.len(), 1, "{got:?}");
        assert_eq!(
            (&got[0]["message"], &got[0]["title"]),
            (&body.into(), &title.into())
        );
        assert_eq!((&got[0]["level"], &got[0]["link"]), (&3.into(), &"".into()));
    }
    let wrong = format!("pjet://{address}/{}", "0".repeat(32));
    assert!(!library.notify(&wrong, "", "nobody").await);
}

/// With an address at which Pushjet has the root.
pub(super) fn listening(plan: Plan) -> Plan {
    plan.variable("RISER_PUSHJET__LISTEN", "127.0.0.1:0")
}

/// That address, from the line behind the ready line.
pub(super) async fn own_address(gateway: &mut Gateway) -> String {
    let line = gateway.next_line(DEADLINE).await;
    let line = line.expect("a line of the listener");
    let address = line.strip_prefix("listening pushjet http://");
    address.unwrap_or_else(|| panic!("{line}")).to_owned()
}
