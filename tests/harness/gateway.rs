//! The gateway as an operator starts it: the real binary on a free port.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{
    BUILDING, Certificate, DEADLINE, Door, Endpoint, Folder, Key, LEASE, Place, Process, Redis,
    Request, Stream, TestClient, WireClient, everywhere, free_port,
};

/// Where PlaceOS's clients look for the websocket.
pub(crate) const CONTROL: &str = "/api/engine/v2/systems/control";

/// What the building file is called in the gateway's folder.
const BUILDING_FILE: &str = "building.yaml";

const FREE_PORT: &str = "127.0.0.1:0";

/// What its certificate and the key are called there.
pub(crate) const CERTIFICATE_FILE: &str = "cert.pem";
pub(crate) const KEY_FILE: &str = "key.pem";

/// Where a gateway has its statuses and its building.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deployment {
    /// In itself.
    Alone,
    /// In a Redis of its own.
    Redis,
}

impl Deployment {
    /// A gateway on this deployment, with [`BUILDING`] and nothing else said, once its modules run.
    pub(crate) async fn start(self) -> Gateway {
        Plan::serve(BUILDING).deployment(self).start().await
    }
}

/// How a gateway is to be started.
#[derive(Debug)]
pub(crate) struct Plan {
    folder: Folder,
    deployment: Deployment,
    certificate: Option<Certificate>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// What stands in front of every path; empty for nothing.
    base_path: String,
    /// In bytes; none when absent.
    file_size_limit: Option<u64>,
}

impl Plan {
    /// `riser` without any argument, in an empty folder and with an empty environment.
    pub(crate) fn bare() -> Self {
        Self {
            folder: Folder::new(),
            deployment: Deployment::Alone,
            certificate: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            base_path: String::new(),
            file_size_limit: None,
        }
    }

    /// `riser serve` with this building on a free port.
    pub(crate) fn serve(building: &str) -> Self {
        Self::bare().file(BUILDING_FILE, building).arguments([
            "serve",
            "--listen",
            FREE_PORT,
            "--building",
            BUILDING_FILE,
        ])
    }

    /// Below this path.
    pub(crate) fn base_path(self, path: &str) -> Self {
        let base_path = path.to_owned();
        Self { base_path, ..self }.variable("RISER_BASE_PATH", path)
    }

    /// By TLS, with this certificate.
    pub(crate) fn tls(self, certificate: &Certificate) -> Self {
        let plan = self
            .file(CERTIFICATE_FILE, &certificate.chain)
            .file(KEY_FILE, &certificate.key)
            .arguments(["--tls-cert", CERTIFICATE_FILE, "--tls-key", KEY_FILE]);
        let certificate = Some(certificate.clone());
        Self {
            certificate,
            ..plan
        }
    }

    /// On this deployment, with [`BUILDING`]: when it has started, all its modules run.
    pub(crate) fn deployment(self, deployment: Deployment) -> Self {
        Self { deployment, ..self }
    }

    /// On the Redis at this address.
    pub(crate) fn on(self, redis: &str) -> Self {
        let lease = format!("{}ms", LEASE.as_millis());
        self.arguments(["--redis", redis])
            .variable("RISER_CLUSTER__LEASE", &lease)
    }

    pub(crate) fn arguments<'a>(mut self, more: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(more.into_iter().map(str::to_owned));
        self
    }

    /// No file of its may become larger than this, until [`Gateway::lift_file_size_limit`].
    pub(crate) fn file_size_limit(self, bytes: u64) -> Self {
        Self {
            file_size_limit: Some(bytes),
            ..self
        }
    }

    /// The folder that the gateway starts in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a variable to the environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into the folder that the gateway starts in.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        self.folder.write(name, text);
        self
    }

    /// Starts it and waits for the ready line.
    pub(crate) async fn start(self) -> Gateway {
        let (plan, redis) = match self.deployment {
            Deployment::Alone => (self, None),
            Deployment::Redis => {
                let redis = Redis::start().await;
                (self.on(&redis.url()), Some(redis))
            }
        };
        let (process, endpoint) = plan.ready().await;
        let gateway = Gateway {
            plan,
            process,
            endpoint,
            _redis: redis,
        };
        gateway.until_settled().await;
        gateway
    }

    /// Starts it at a port that is known beforehand, and waits for nothing.
    pub(crate) fn begin(mut self) -> Starting {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        for argument in &mut self.arguments {
            if argument == FREE_PORT {
                *argument = address.to_string();
            }
        }
        let process = self.spawn();
        Starting {
            plan: self,
            process,
            address,
        }
    }

    /// Starts it, and waits for the end that a mistake makes of it.
    pub(crate) async fn refused(self) -> Refusal {
        let mut process = self.spawn();
        let status = process.ended(DEADLINE).await;
        Refusal {
            code: status.code(),
            out: process.said(Stream::Out),
            err: process.said(Stream::Err),
        }
    }

    fn spawn(&self) -> Process {
        let binary = env!("CARGO_BIN_EXE_riser");
        let mut command = match self.file_size_limit {
            None => Command::new(binary),
            Some(bytes) => {
                let mut shell = Command::new("/bin/sh");
                // The unit of the limit is half a kilobyte.
                let limit = format!("ulimit -S -f {} && exec \"$0\" \"$@\"", bytes / 512);
                shell.args(["-c", &limit, binary]);
                shell
            }
        };
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        Process::start("riser", command, self.folder.path())
    }

    async fn ready(&self) -> (Process, Endpoint) {
        let mut process = self.spawn();
        let endpoint = self.endpoint(&mut process).await;
        (process, endpoint)
    }

    /// Waits for the ready line.
    async fn endpoint(&self, process: &mut Process) -> Endpoint {
        let line = process.next_line(Stream::Out, DEADLINE).await;
        let line = line.expect("the gateway ended before it was ready");
        let (scheme, place) = line
            .strip_prefix("riser ready ")
            .and_then(|url| url.split_once("://"))
            .unwrap_or_else(|| panic!("this is no ready line: {line:?}"));
        let (address, base) = place.split_at(place.find('/').unwrap_or(place.len()));
        assert_eq!(base, self.base_path, "in the ready line");
        let endpoint = Endpoint {
            address: address.parse().expect("an address in the ready line"),
            certificate: self.certificate.clone(),
        };
        assert_eq!(scheme, endpoint.http_scheme(), "in the ready line");
        endpoint
    }
}

/// A gateway that may not be ready yet.
#[derive(Debug)]
pub(crate) struct Starting {
    plan: Plan,
    process: Process,
    address: SocketAddr,
}

impl Starting {
    /// Waits until its log has a line with this text.
    pub(crate) async fn logged(&self, text: &str) -> String {
        self.process.logged(text, DEADLINE).await
    }

    /// Waits until it answers, with this HTTP status, whether it is ready.
    pub(crate) async fn until_readiness(&self, status: u16) -> String {
        until_readiness(self.address.into(), status).await
    }

    /// Waits for the ready line.
    pub(crate) async fn ready(mut self) -> Gateway {
        let endpoint = self.plan.endpoint(&mut self.process).await;
        Gateway {
            plan: self.plan,
            process: self.process,
            endpoint,
            _redis: None,
        }
    }
}

/// The value in a row of `/metrics` that is a series of this measure.
fn value_of(row: &str, name: &str) -> Option<f64> {
    let (head, value) = row.rsplit_once(' ')?;
    let is_its = head == name || head.split('{').next() == Some(name);
    is_its.then(|| value.parse().ok())?
}

/// Waits for this HTTP status at `/readyz`, and gives what it says there.
async fn until_readiness(endpoint: Endpoint, status: u16) -> String {
    let mut last = None;
    let poll = async {
        loop {
            last = Request::new(endpoint.clone(), "GET", "/readyz")
                .try_send()
                .await;
            if last == Some(status) {
                let request = Request::new(endpoint.clone(), "GET", "/readyz");
                break request.send().await.body;
            }
        }
    };
    match timeout(DEADLINE, poll).await {
        Ok(said) => said,
        Err(_) => panic!("/readyz answered {last:?} and never {status}"),
    }
}

/// What a start with a mistake ends in.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<String>,
    pub(crate) err: Vec<String>,
}

/// A running gateway. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Gateway {
    plan: Plan,
    process: Process,
    endpoint: Endpoint,
    /// Its own.
    _redis: Option<Redis>,
}

impl Gateway {
    /// A gateway with this building and nothing else said.
    pub(crate) async fn start(building: &str) -> Self {
        Plan::serve(building).start().await
    }

    /// With a Redis, modules begin only when it is certain that no other node runs them.
    async fn until_settled(&self) {
        if self.plan.deployment == Deployment::Redis {
            self.until_answered(&everywhere("echo")).await;
        }
    }

    /// Waits until each of these is answered. They are functions `echo`.
    pub(crate) async fn until_answered(&self, echoes: &[Place<'_>]) {
        let mut client = self.connect(Key::ADMIN).await;
        for echo in echoes {
            client.until_answered(*echo).await;
        }
    }

    /// The id of its process, while it runs.
    pub(crate) fn process_id(&self) -> Option<u32> {
        self.process.id_if_running()
    }

    /// Sends its process a signal by name, such as `STOP`.
    pub(crate) async fn signal(&self, name: &str) {
        self.process.signal(name).await;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.endpoint.address
    }

    pub(crate) fn url(&self) -> String {
        let (Endpoint { address, .. }, base) = (&self.endpoint, &self.plan.base_path);
        format!("{}://{address}{base}", self.endpoint.http_scheme())
    }

    /// Where it is, and how it is spoken to.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The folder that it was started in.
    pub(crate) fn folder(&self) -> &Path {
        self.plan.folder.path()
    }

    /// What clients want to see of it from here on, as after a change of its certificate.
    pub(crate) fn expect_certificate(&mut self, certificate: &Certificate) {
        self.endpoint.certificate = Some(certificate.clone());
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The next line that it prints for people.
    pub(crate) async fn next_line(&mut self, deadline: Duration) -> Option<String> {
        self.process.next_line(Stream::Out, deadline).await
    }

    /// Waits until its log has a line with this text.
    pub(crate) async fn logged(&self, text: &str) -> String {
        self.process.logged(text, DEADLINE).await
    }

    /// Everything that it has logged.
    pub(crate) fn log(&self) -> Vec<String> {
        self.process.said(Stream::Err)
    }

    /// A websocket with this key in the header, as programs do it.
    pub(crate) async fn connect(&self, key: Key) -> TestClient {
        self.door().key(key).connect().await
    }

    /// A websocket that is still to be asked for.
    pub(crate) fn door(&self) -> Door {
        let base = &self.plan.base_path;
        Door::new(self.endpoint.clone()).path(&format!("{base}{CONTROL}"))
    }

    /// A websocket whose frames are written and read by hand, with this key.
    pub(crate) async fn connect_wire(&self, key: Key) -> WireClient {
        WireClient::connect(self.endpoint.clone(), key, &[]).await
    }

    /// A plain request.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::below(&self.plan.base_path, self.endpoint.clone(), method, path)
    }

    /// Waits until a measure on `/metrics` has this value, that of one series or of all together.
    pub(crate) async fn wait_metric(&self, name: &str, expected: f64) {
        let mut last = None;
        let poll = async {
            while last != Some(expected) {
                let response = self.request("GET", "/metrics").send().await;
                let rows = response.body.lines();
                let found: Vec<f64> = rows.filter_map(|row| value_of(row, name)).collect();
                last = (!found.is_empty()).then(|| found.iter().sum());
            }
        };
        if timeout(DEADLINE, poll).await.is_err() {
            panic!("{name} was {last:?} and did not become {expected}");
        }
    }

    /// Waits until it answers, with this HTTP status, whether it is ready; gives what it says.
    pub(crate) async fn until_readiness(&self, status: u16) -> String {
        until_readiness(self.endpoint.clone(), status).await
    }

    /// Resident memory in bytes now.
    pub(crate) fn memory(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// The most resident memory in bytes that it ever had.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    fn status_bytes(&self, row: &str) -> u64 {
        let path = PathBuf::from(format!("/proc/{}/status", self.process.id()));
        let status = std::fs::read_to_string(path).expect("the kernel tells about our child");
        let number = status.lines().find_map(|line| {
            let kilobytes = line.strip_prefix(row)?.trim().strip_suffix(" kB")?;
            kilobytes.parse::<u64>().ok()
        });
        number.unwrap_or_else(|| panic!("no {row} in\n{status}")) * 1024
    }

    /// Writes its building file anew, as some editors do.
    pub(crate) fn write_building(&self, text: &str) {
        self.plan.folder.write(BUILDING_FILE, text);
    }

    /// Puts another file in the place of its building file, as other editors do.
    pub(crate) fn replace_building(&self, text: &str) {
        let new = self.plan.folder.write("building.yaml.new", text);
        std::fs::rename(new, self.folder().join(BUILDING_FILE)).expect("a file can be replaced");
    }

    /// Its files may become as large as they like.
    pub(crate) async fn lift_file_size_limit(&self) {
        let id = self.process.id().to_string();
        let mut command = Command::new("prlimit");
        let status = command.args(["--pid", &id, "--fsize=unlimited:"]).status();
        let status = status.await.expect("there is a prlimit");
        assert!(status.success(), "the limit is lifted");
    }

    /// From the next start on no building file is named.
    pub(crate) fn forget_building(&mut self) {
        let arguments = &mut self.plan.arguments;
        if let Some(at) = arguments.iter().position(|flag| flag == "--building") {
            arguments.drain(at..at + 2);
        }
    }

    /// Asks it to stop, as a service manager does.
    pub(crate) async fn ask_to_stop(&self) {
        self.process.signal("TERM").await;
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self, deadline: Duration) -> ExitStatus {
        self.process.ended(deadline).await
    }

    /// Asks it to stop and waits for the end.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_stop().await;
        self.ended(DEADLINE).await
    }

    /// Ends it without a chance to say good-bye.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Puts another building in the place of its own, which it reads at the next start.
    pub(crate) fn rewrite_building(&self, building: &str) {
        self.plan.folder.write(BUILDING_FILE, building);
    }

    /// Starts it again after its end, on the same port.
    pub(crate) async fn restart(&mut self) {
        let port = self.endpoint.address.to_string();
        for argument in &mut self.plan.arguments {
            if argument == FREE_PORT {
                argument.clone_from(&port);
            }
        }
        let (process, endpoint) = self.plan.ready().await;
        assert_eq!(endpoint.address, self.endpoint.address, "where it was");
        self.process = process;
        self.until_settled().await;
    }
}

impl Refusal {
    /// Asserts that it said this one line to the operator, nothing to whoever reads its output, and left with code 2.
    pub(crate) fn assert_says(&self, line: &str) {
        self.assert_lines(&[line]);
    }

    /// The same for several lines.
    pub(crate) fn assert_lines(&self, lines: &[&str]) {
        let Self { code, out, err } = self;
        assert_eq!(err, lines, "what it told the operator");
        assert_eq!(*code, Some(2), "its exit code");
        assert!(out.is_empty(), "nothing else is printed: {out:?}");
    }
}
