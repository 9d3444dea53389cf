//! The devices of the room: servers of other makes where there are any, else those of the drivers' own tests.
//!
//! It is separate because each can be unplugged and plugged in again at its address while the room stands.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::UdpSocket;

use super::broker::{Broker, Client, Door, USER};
use super::calendar::{self, Calendar};
use super::http_server::{Answer, Server};
use super::projector::{Mood, Power, Projector, Simulator};
use crate::harness::{DEADLINE, Plan, Process, Stream, free_port, python_client, within};

const PROJECTOR_PASSWORD: &str = "JBMIAProjectorLink";
const HEATER_PASSWORD: &str = "heater-secret";

/// The variables that the building file names, and their values.
pub(super) const SECRETS: [(&str, &str); 4] = [
    ("CALENDAR_PASSWORD", calendar::PASSWORD),
    ("PROJECTOR_PASSWORD", PROJECTOR_PASSWORD),
    ("MQTT_PASSWORD", USER.1),
    ("HEATER_PASSWORD", HEATER_PASSWORD),
];

/// What the heater wants to see: `riser` and its password, as basic credentials.
pub(super) const HEATER_CREDENTIALS: &str = "Basic cmlzZXI6aGVhdGVyLXNlY3JldA==";

/// A device that can be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    Calendar,
    Projector,
    Broker,
    Meter,
    Heater,
}

impl Device {
    pub(super) const ALL: [Self; 5] = [
        Self::Calendar,
        Self::Projector,
        Self::Broker,
        Self::Meter,
        Self::Heater,
    ];

    /// The name of its module.
    pub(super) fn module(self) -> &'static str {
        match self {
            Self::Calendar => "Bookings",
            Self::Projector => "Display",
            Self::Broker => "Sensors",
            Self::Meter => "Meter",
            Self::Heater => "Heater",
        }
    }
}

/// The devices, each at a port of its own. What is `None` is unplugged.
pub(super) struct Devices {
    ports: Ports,
    pub(super) calendar: Calendar,
    projector: Option<Simulator>,
    broker: Option<Broker>,
    meter: Option<Process>,
    heater: Option<Server>,
    /// The network card of the PC, which sleeps.
    pc: UdpSocket,
}

struct Ports {
    calendar: u16,
    projector: u16,
    broker: u16,
    meter: u16,
    heater: u16,
    pc: u16,
}

impl Devices {
    pub(super) async fn start() -> Self {
        let pc = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let ports = Ports {
            calendar: free_port(),
            projector: free_port(),
            broker: free_port(),
            meter: free_port(),
            heater: free_port(),
            pc: pc.local_addr().expect("it is bound").port(),
        };
        let (calendar, projector, broker, meter, heater) = tokio::join!(
            Calendar::start(ports.calendar),
            projector(ports.projector),
            Broker::start_at(ports.broker, Door::Password),
            meter(ports.meter, 2305),
            heater(ports.heater),
        );
        Self {
            ports,
            calendar,
            projector: Some(projector),
            broker: Some(broker),
            meter: Some(meter),
            heater: Some(heater),
            pc,
        }
    }

    /// The building file with the addresses of these devices.
    pub(super) fn building(&self, text: &str) -> String {
        let Ports {
            calendar,
            projector,
            broker,
            meter,
            heater,
            pc,
        } = self.ports;
        let ports = [
            ("5232/", format!("{calendar}/")),
            ("4352\n", format!("{projector}\n")),
            ("1883\n", format!("{broker}\n")),
            ("502\n", format!("{meter}\n")),
            ("8080/", format!("{heater}/")),
            ("9\n", format!("{pc}\n")),
        ];
        ports.iter().fold(text.to_owned(), |text, (usual, port)| {
            let usual = format!("127.0.0.1:{usual}");
            assert_eq!(text.matches(&usual).count(), 1, "{usual}");
            text.replace(&usual, &format!("127.0.0.1:{port}"))
        })
    }

    /// `riser serve` in this room.
    pub(super) fn plan(&self, building: &str) -> Plan {
        let plan = Plan::serve(&self.building(building));
        SECRETS
            .iter()
            .fold(plan, |plan, (name, value)| plan.variable(name, value))
    }

    pub(super) async fn unplug(&mut self, device: Device) {
        match device {
            Device::Calendar => self.calendar.unplug().await,
            Device::Projector => drop(self.projector.take()),
            Device::Broker => self.broker.take().expect(PLUGGED).kill().await,
            Device::Meter => {
                let mut meter = self.meter.take().expect(PLUGGED);
                meter.signal("KILL").await;
                meter.ended(DEADLINE).await;
            }
            Device::Heater => drop(self.heater.take()),
        }
    }

    /// Plugs a device in again. The meter has 229 V now.
    pub(super) async fn plug(&mut self, device: Device) {
        let ports = &self.ports;
        match device {
            Device::Calendar => self.calendar.plug().await,
            Device::Projector => self.projector = Some(projector(ports.projector).await),
            Device::Broker => {
                self.broker = Some(Broker::start_at(ports.broker, Door::Password).await);
            }
            Device::Meter => self.meter = Some(meter(ports.meter, 2290).await),
            Device::Heater => self.heater = Some(heater(ports.heater).await),
        }
    }

    /// From now on a device is there and says nothing.
    pub(super) async fn hang(&self, device: Device) {
        match device {
            Device::Calendar => self.calendar.signal("STOP").await,
            Device::Projector => self.projector().projector().mood = Mood::AnswersNothing,
            Device::Broker => self.broker().process.signal("STOP").await,
            Device::Meter => self.meter.as_ref().expect(PLUGGED).signal("STOP").await,
            Device::Heater => {
                for (line, _) in heater_answers() {
                    self.heater().react(line, Answer::Silence);
                }
            }
        }
    }

    /// A device that hung speaks again.
    pub(super) async fn go_on(&self, device: Device) {
        match device {
            Device::Calendar => self.calendar.signal("CONT").await,
            Device::Projector => self.projector().projector().mood = Mood::Well,
            Device::Broker => self.broker().process.signal("CONT").await,
            Device::Meter => self.meter.as_ref().expect(PLUGGED).signal("CONT").await,
            Device::Heater => answer_all(self.heater()),
        }
    }

    fn broker(&self) -> &Broker {
        self.broker.as_ref().expect(PLUGGED)
    }

    pub(super) fn projector(&self) -> &Simulator {
        self.projector.as_ref().expect(PLUGGED)
    }

    pub(super) fn heater(&self) -> &Server {
        self.heater.as_ref().expect(PLUGGED)
    }

    /// A foreign client at the broker.
    pub(super) async fn mqtt_client(&self) -> Client {
        self.broker().client().await
    }

    /// What a foreign client prints that reads a register of the meter.
    pub(super) async fn read_meter(&self, table: &str, address: u16) -> String {
        let mut command = python_client("pymodbus", "client.py");
        let (port, address) = (self.ports.meter.to_string(), address.to_string());
        command.args([&port, "read", table, &address, "1"]);
        let mut client = Process::start("a pymodbus client", command, Path::new("."));
        let said = client.next_line(Stream::Out, DEADLINE).await;
        client.ended(DEADLINE).await;
        said.expect("the client has read it")
    }

    /// Waits until the PC hears the magic packet that is meant for it.
    pub(super) async fn pc_is_woken(&self) {
        let mac = [0x00, 0x11, 0x22, 0xaa, 0xbb, 0xcc];
        let expected = [vec![0xff; 6], mac.repeat(16)].concat();
        let mut heard = [0; 200];
        let hear = self.pc.recv(&mut heard);
        let length = within(DEADLINE, || "a magic packet".to_owned(), hear).await;
        assert_eq!(heard[..length.expect("a packet")], expected);
    }
}

const PLUGGED: &str = "the device is plugged in";

/// For how long the projector warms up and cools down: so long that a poll sees it.
const SETTLING: Duration = Duration::from_millis(1_500);

/// One of class 2 in standby.
async fn projector(port: u16) -> Simulator {
    let projector = Projector {
        password: Some(PROJECTOR_PASSWORD),
        power: Power::Off,
        warm_up: SETTLING,
        cool_down: SETTLING,
        ..Projector::class_2()
    };
    Simulator::at(&format!("127.0.0.1:{port}"), projector).await
}

/// A server of pymodbus.
async fn meter(port: u16, decivolts: u16) -> Process {
    let mut command = python_client("pymodbus", "server.py");
    command.args([port.to_string(), decivolts.to_string()]);
    let mut process = Process::start("the pymodbus server", command, Path::new("."));
    let ready = process.next_line(Stream::Out, DEADLINE).await;
    assert_eq!(ready.as_deref(), Some("ready"));
    process
}

async fn heater(port: u16) -> Server {
    let server = Server::at(&format!("127.0.0.1:{port}"), None).await;
    answer_all(&server);
    server
}

fn answer_all(heater: &Server) {
    for (line, body) in heater_answers() {
        heater.answer(line, body.to_string());
    }
}

/// What the heater is asked, and what it answers.
fn heater_answers() -> [(&'static str, Value); 4] {
    let climate = json!({"now": {"temperature": 20.5, "humidity": 41}});
    [
        ("GET /api/climate", climate),
        ("GET /api/mode", json!("comfort")),
        ("PUT /api/heater", json!({"until": "12:30"})),
        ("POST /api/zones/a%2Fb/stop", json!(null)),
    ]
}
