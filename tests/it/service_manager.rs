//! The gateway under a service manager: what it says on the socket named by `NOTIFY_SOCKET`, as systemd's `Type=notify` wants it.

use std::time::Duration;

use tokio::net::UnixDatagram;

use crate::harness::{BUILDING, DEADLINE, Folder, Plan, within};

/// A service manager's end of the socket.
struct Manager {
    folder: Folder,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let folder = Folder::new();
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a socket");
        Self { folder, socket }
    }

    fn name(&self) -> String {
        self.folder.path().join("notify").display().to_string()
    }

    async fn told(&self, deadline: Duration) -> String {
        let mut message = [0; 1024];
        let what = || "a word to the service manager".to_owned();
        let read = within(deadline, what, self.socket.recv(&mut message)).await;
        let length = read.expect("our socket can be read");
        String::from_utf8_lossy(&message[..length]).into_owned()
    }
}

#[tokio::test]
async fn a_service_manager_is_told_of_readiness_of_a_reload_and_of_the_stop() {
    let manager = Manager::new();
    let plan = Plan::serve(BUILDING).variable("NOTIFY_SOCKET", &manager.name());

    let mut gateway = plan.start().await;

    assert_eq!(manager.told(DEADLINE).await, "READY=1\n");
    let ready = gateway.request("GET", "/readyz").send().await;
    assert_eq!(ready.status, 200, "what is called ready is");

    gateway.process().signal("HUP").await;
    let reloading = manager.told(DEADLINE).await;
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(manager.told(DEADLINE).await, "READY=1\n");

    gateway.ask_to_stop().await;
    assert_eq!(manager.told(DEADLINE).await, "STOPPING=1\n");
    assert_eq!(gateway.ended(DEADLINE).await.code(), Some(0));
}

#[tokio::test]
async fn a_service_manager_that_is_gone_stops_nothing() {
    let plan = Plan::serve(BUILDING).variable("NOTIFY_SOCKET", "/nowhere/notify");
    let mut gateway = plan.start().await;
    gateway.logged("could not notify the service manager").await;
    assert_eq!(gateway.terminate().await.code(), Some(0));
}
