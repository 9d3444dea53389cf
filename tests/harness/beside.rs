//! A gateway beside a PlaceOS: systems, modules and statuses are those in a Redis, and what runs them is the stub of a core.

use serde_json::json;

use crate::harness::{
    CoreStub, Gateway, Key, Place, Plan, Proxy, Redis, TestClient, bookings, interface,
};

/// Who may come in. Nothing else is in the building of a gateway beside a PlaceOS.
const PEOPLE: &str = r"
users:
  - {id: user-eve, email: eve@example.test, name: Eve, level: admin}
api_keys:
  - {id: user, secret: secret-u, user: user-eve, level: user}
  - {id: support, secret: secret-s, user: user-eve, level: support}
  - {id: admin, secret: secret-a, user: user-eve, level: admin}
";

/// What is on the store of a PlaceOS with one room, which has two displays and a list of bookings.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) gateway: Gateway,
    pub(crate) core: CoreStub,
    pub(crate) redis: Redis,
    markers: u32,
}

impl Beside {
    /// With one core, which runs everything.
    pub(crate) async fn start() -> Self {
        let beside = Self::start_without_cores().await;
        beside.core.register(&beside.redis, "01A").await;
        beside
    }

    /// With a core that is not on the list of cores.
    pub(crate) async fn start_without_cores() -> Self {
        Self::with(|plan| plan).await
    }

    /// With something else said to the gateway.
    pub(crate) async fn with(change: impl FnOnce(Plan) -> Plan) -> Self {
        let redis = Redis::start().await;
        let url = redis.url();
        Self::on(redis, &url, change).await
    }

    /// With a proxy between the gateway and Redis.
    pub(crate) async fn behind_a_proxy() -> (Self, Proxy) {
        let redis = Redis::start().await;
        let proxy = Proxy::before(redis.address()).await;
        let url = redis.url_at(proxy.address());
        (Self::on(redis, &url, |plan| plan).await, proxy)
    }

    async fn on(redis: Redis, url: &str, change: impl FnOnce(Plan) -> Plan) -> Self {
        let slots = [
            ("Display/1", "mod-d1"),
            ("Display/2", "mod-d2"),
            ("Bookings/1", "mod-b1"),
        ];
        redis.place("sys-1", &slots).await;
        let functions = ["power", "query", "reset", "wipe"];
        let security = json!({"support": ["reset"], "administrator": ["wipe"]});
        for (_, module) in slots {
            let text = interface(&functions, security.clone());
            redis.set(&format!("interface/{module}"), text).await;
        }
        let plan = Plan::serve(PEOPLE).on(url).arguments(["--placeos"]);
        Self {
            gateway: change(plan).start().await,
            core: CoreStub::start().await,
            redis,
            markers: 0,
        }
    }

    pub(crate) async fn client(&self) -> TestClient {
        self.gateway.connect(Key::USER).await
    }

    /// Expects that nothing is on its way to this client: what Redis has told before comes before the value that is shown here.
    pub(crate) async fn expect_silence(&mut self, client: &mut TestClient) {
        self.markers += 1;
        let name = format!("silence {}", self.markers);
        let marker = bookings(&name);
        self.redis.show("mod-b1", &name, "true").await;
        client.send(marker.bind("marker")).await;
        client.expect(marker.success("marker")).await;
        client.expect(marker.notify("marker", true)).await;
        client.send(marker.unbind("marker")).await;
        client.expect(marker.success("marker")).await;
    }

    /// Binds, and waits until the gateway follows the channel of the status and knows that there is no value: a later one comes by the channel.
    pub(crate) async fn bind_followed(
        &mut self,
        client: &mut TestClient,
        place: Place<'_>,
        id: u64,
        channel: &str,
    ) {
        client.bind(place, id).await;
        self.redis.until_subscribers(channel, 1).await;
        self.expect_silence(client).await;
    }
}
