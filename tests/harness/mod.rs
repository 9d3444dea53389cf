//! What the black-box tests stand on: the real binary as a child process, and clients that speak to it over real sockets.
//!
//! - `gateway` starts, stops and restarts the binary.
//! - `socket` is a websocket client for tests of frames; `wire` one that answers nothing by itself, for tests of the protocol below.
//! - `terminal` runs the binary's own client commands; `front` puts TLS before a gateway.
//! - `http` asks one plain request, and `specification` looks whether the answer is as specified; `page` is PlaceOS's own client library in a Node process.
//! - `variable` lets a test run longer than in CI.
//! - `transport` connects clients, plain or by TLS.
//! - `redis` is a redis-server of a test's own, `proxy` stands in front of one and lets everything stand still, `cluster` is several gateways on one.
//! - `core_stub` stands in for a core of a PlaceOS, `beside` is a gateway next to one, `device` hears from modules who acts for them, `lights` are many such modules and somebody who switches them, `panel` is a client that holds what it is told to rules.
//! - `home_assistant_library` is Home Assistant's own client library in a Node process, `home_assistant_socket` a bare websocket at its door, `home_assistant_building` what they talk to; `home_assistant_program` is what such programs have in common.
//! - `browser` is a page of another make in a browser: Home Assistant's dashboard, and Platypush's pages.
//! - `places` has the frames of requests and answers, `buildings` what there is to talk to.
//! - `document` reads the project's own documents.
//! - Child processes, programs of other makes, folders, ports, certificates and deadlines are the crate `test-support`, on which drivers' tests stand too.
//!
//! Nothing here sleeps: whatever is waited for has a deadline and fails with what was seen last.
//! Every process is ended by its own id when its owner is dropped; what it said is printed if the test failed.

mod beside;
mod browser;
mod buildings;
mod cluster;
mod core_stub;
mod device;
mod document;
mod front;
mod gateway;
mod home_assistant_building;
mod home_assistant_library;
mod home_assistant_program;
mod home_assistant_socket;
mod http;
mod lights;
mod page;
mod panel;
mod places;
mod proxy;
mod redis;
mod socket;
pub(crate) mod specification;
mod terminal;
mod transport;
mod variable;
mod wire;

pub(crate) use beside::Beside;
pub(crate) use browser::{Browser, dashboard_files, platypush_pages};
pub(crate) use buildings::{BUILDING, Key, everywhere};
pub(crate) use cluster::{Cluster, LEASE, TAKEOVER};
pub(crate) use core_stub::{Answer, Asked, CoreStub, interface, list_core, unlist_core};
pub(crate) use device::{Act, Device};
pub(crate) use document::{Block, Document};
pub(crate) use front::Front;
pub(crate) use gateway::{CERTIFICATE_FILE, CONTROL, Deployment, Gateway, KEY_FILE, Plan, Refusal};
pub(crate) use home_assistant_building::{Console, LABORATORY, PASSWORD, soft};
pub(crate) use home_assistant_library::Library;
pub(crate) use home_assistant_program::Program;
pub(crate) use home_assistant_socket::{Socket, WEBSOCKET};
pub(crate) use http::{Request, Response};
pub(crate) use lights::{LIGHTS, Switcher, light_id, lights, lights_building};
pub(crate) use page::{Carrier, Page, SignIn};
pub(crate) use panel::{Nulls, Panel};
pub(crate) use places::{Place, bookings, display, scratch};
pub(crate) use proxy::Proxy;
pub(crate) use redis::{Redis, show};
pub(crate) use socket::{Door, TestClient};
pub(crate) use terminal::{Ran, Terminal};
pub(crate) use test_support::{
    Certificate, DEADLINE, Folder, Process, Stream, free_port, node_client, python_client, root,
    within,
};
pub(crate) use transport::{Endpoint, Transport};
pub(crate) use variable::number_from;
pub(crate) use wire::{Fin, Opcode, WireClient};
