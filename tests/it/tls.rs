//! TLS: the same gateway behind encryption, and the certificate that it shows.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ProtocolVersion, SupportedProtocolVersion};

use crate::harness::{
    BUILDING, CERTIFICATE_FILE, CONTROL, Carrier, Certificate, DEADLINE, Door, Endpoint, Gateway,
    KEY_FILE, Key, Page, Plan, Request, Terminal, TestClient, display, scratch, within,
};

/// How long a newcomer has for its handshake.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);

/// What a service manager waits.
const PATIENCE: Duration = Duration::from_secs(8);

async fn start() -> Gateway {
    Plan::serve(BUILDING).tls(&Certificate::new()).start().await
}

/// Writes a pair where a running gateway looks for its own.
fn write_pair(folder: &Path, chain: &str, key: &str) {
    fs::write(folder.join(CERTIFICATE_FILE), chain).expect("the folder takes a file");
    fs::write(folder.join(KEY_FILE), key).expect("the folder takes a file");
}

/// Connects again and again until the gateway shows this certificate.
async fn until_it_shows(gateway: &mut Gateway, certificate: &Certificate) {
    gateway.expect_certificate(certificate);
    let endpoint = gateway.endpoint().clone();
    let connect = async { while endpoint.connect(None).await.is_err() {} };
    within(DEADLINE, || "the new certificate".to_owned(), connect).await;
}

#[tokio::test]
async fn binds_calls_and_rest_work_as_they_do_without() {
    let gateway = start().await;
    let mut client = gateway.connect(Key::USER).await;
    client.bind(display("power"), 1).await;

    let mut other = gateway.connect(Key::USER).await;
    other.set(display("power"), true).await;

    client.expect(display("power").notify(1, true)).await;
    let value = client.call(scratch("echo"), json!(["over tls"])).await;
    assert_eq!(value, "over tls");
    let path = "/api/engine/v2/systems/sys-1/Display/power";
    let power = gateway.request("GET", path).key(Key::USER).ok().await;
    assert_eq!(power, json!(true));
    let refused = gateway.request("GET", path).send().await;
    assert_eq!(refused.status, 401);
    assert_eq!(gateway.door().refused().await, 401);
    client.close().await;
}

#[tokio::test]
async fn a_request_that_only_looks_like_an_upgrade_is_answered() {
    let gateway = start().await;
    let request = gateway.request("POST", "/api/engine/v2/systems/sys-1/Display/echo");
    let request = request.header("Upgrade", "websocket").key(Key::USER);
    assert_eq!(request.json(json!(["stray"])).ok().await, json!("stray"));
}

#[tokio::test]
async fn large_messages_pass_whole_in_both_directions() {
    let gateway = start().await;
    let mut client = gateway.connect(Key::USER).await;
    let large = "x".repeat(1_500_000);
    for _ in 0..3 {
        let value = client.call(scratch("echo"), json!([large])).await;
        assert_eq!(value, *large);
    }
    // More at once than a record, a turn of reading and an outbox hold.
    let texts = (0..2_000_u64).map(|id| scratch("echo").exec(id, json!(["y".repeat(2_000)])));
    for text in client.pipeline(texts, 2_000).await {
        assert!(text.contains("\"success\""), "{text}");
    }
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken_and_http_1_1_alone_inside() {
    let certificate = Certificate::new();
    let gateway = Plan::serve(BUILDING).tls(&certificate).start().await;
    let shake = async |version: &'static SupportedProtocolVersion, protocols: &[&str]| {
        let connector = certificate.connector_with(&[version], protocols);
        let stream = TcpStream::connect(gateway.address())
            .await
            .expect("a stream");
        let name = ServerName::from(gateway.address().ip());
        let stream = connector.connect(name, stream).await.ok()?;
        let session = stream.get_ref().1;
        let protocol = session.alpn_protocol().map(<[u8]>::to_vec);
        Some((session.protocol_version(), protocol))
    };
    let http_1_1 = Some(b"http/1.1".to_vec());
    let tls13 = shake(&TLS13, &["h2", "http/1.1"]).await;
    assert_eq!(tls13, Some((Some(ProtocolVersion::TLSv1_3), http_1_1)));
    let tls12 = shake(&TLS12, &[]).await;
    assert_eq!(tls12, Some((Some(ProtocolVersion::TLSv1_2), None)));
    assert_eq!(shake(&TLS13, &["h2"]).await, None);
}

#[tokio::test]
async fn placeos_own_client_binds_and_calls_by_tls() {
    let certificate = Certificate::new();
    let gateway = Plan::serve(BUILDING).tls(&certificate).start().await;
    for carrier in [Carrier::Cookie, Carrier::Query] {
        let url = gateway.url();
        let mut page = Page::open_trusting(Some(&certificate), &url, Key::USER, carrier).await;
        let mut bind = display("v").meta();
        bind["cmd"] = json!("bind");
        page.tell(bind).await;
        let is_bound =
            |event: &Value| event["event"] == "received" && event["frame"]["type"] == "success";
        page.wait("the bind", is_bound).await;

        let mut console = gateway.connect(Key::USER).await;
        console.set(display("v"), json!({"by": "tls"})).await;

        let is_value =
            |event: &Value| event["event"] == "value" && event["value"] == json!({"by": "tls"});
        page.wait("the value", is_value).await;
        let mut exec = scratch("echo").meta();
        exec["cmd"] = json!("exec");
        exec["ref"] = json!(1);
        exec["args"] = json!(["hello"]);
        page.tell(exec).await;
        let result = page
            .wait("the result", |event| event["event"] == "result")
            .await;
        assert_eq!(result["value"], "hello");
        page.close().await;
    }
}

#[tokio::test]
async fn the_terminal_client_comes_in_when_it_trusts_the_certificate() {
    let certificate = Certificate::new();
    let gateway = Plan::serve(BUILDING).tls(&certificate).start().await;
    let terminal = Terminal::at(&gateway, Key::USER).file("ca.pem", &certificate.chain);

    let ran = terminal.run(&["systems", "--ca", "ca.pem"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.join("\n").contains("Board Room"), "{ran:?}");

    let other = terminal.file("ca.pem", &Certificate::new().chain);
    let ran = other.run(&["systems", "--ca", "ca.pem"]).await;
    assert_ne!(ran.code, Some(0), "{ran:?}");
}

/// The changes that go by a client that does not read, each of 4 kB: all of them would be 24 MB for each.
const CHANGES: u64 = 6_000;
const STUCK: usize = 10;

/// A sixth of what queues would take.
const MEMORY_MAX: u64 = 40 * 1024 * 1024;

#[tokio::test]
async fn clients_that_stop_reading_cost_little_and_end_with_the_last_value() {
    let gateway = start().await;
    let v = display("v");
    let value = |number: u64| json!([number, "x".repeat(4 * 1024)]);
    let number_in = |value: &Value| value.get(0)?.as_u64();
    let mut stuck = Vec::new();
    for _ in 0..STUCK {
        let door = gateway.door().key(Key::USER).receive_buffer(16 * 1024);
        let mut client = door.connect().await;
        client.bind(v, 1).await;
        stuck.push(client);
    }
    let mut reader = gateway.connect(Key::USER).await;
    reader.bind(v, 1).await;
    let mut console = gateway.connect(Key::USER).await;
    let before = gateway.memory();

    // In steps that fit into its outbox, so that whoever reads is never behind and must miss nothing.
    for first in (1..=CHANGES).step_by(5) {
        let set = |number| display("set").exec(number, json!(["v", value(number)]));
        console.pipeline((first..first + 5).map(set), 5).await;
        let numbers = reader.numbers_until(first + 4, number_in).await;
        assert_eq!(numbers.len(), 5, "from {first} on");
    }

    let grown = gateway.memory_peak().saturating_sub(before);
    assert!(grown < MEMORY_MAX, "it has grown by {} KiB", grown / 1024);
    for client in &mut stuck {
        let numbers = client.numbers_until(CHANGES, number_in).await;
        assert!((numbers.len() as u64) < CHANGES / 2, "it was never behind");
        client.expect_silence().await;
    }
    console.set(v, value(CHANGES + 1)).await;
    for client in stuck.iter_mut().chain([&mut reader]) {
        client.expect(v.notify(1, value(CHANGES + 1))).await;
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_newcomers_and_disturbs_nobody() {
    let mut gateway = start().await;
    let mut old = gateway.connect(Key::USER).await;
    old.bind(display("power"), 1).await;
    let second = Certificate::new();

    write_pair(gateway.folder(), &second.chain, &second.key);

    until_it_shows(&mut gateway, &second).await;
    let mut new = gateway.connect(Key::USER).await;
    new.set(display("power"), true).await;
    old.expect(display("power").notify(1, true)).await;
    assert_eq!(old.call(scratch("echo"), json!([1])).await, 1);
}

#[tokio::test]
async fn a_link_that_points_to_a_new_pair_is_noticed() {
    // As Kubernetes lays secrets out: files are links through a folder that is a link, which alone is replaced.
    let (first, second) = (Certificate::new(), Certificate::new());
    let plan = Plan::serve(BUILDING).tls(&first);
    let folder = plan.folder().to_owned();
    for (version, certificate) in [("v1", &first), ("v2", &second)] {
        let version = folder.join(version);
        fs::create_dir(&version).expect("a folder");
        write_pair(&version, &certificate.chain, &certificate.key);
    }
    symlink("v1", folder.join("data")).expect("a link");
    for name in [CERTIFICATE_FILE, KEY_FILE] {
        fs::remove_file(folder.join(name)).expect("it is there");
        symlink(Path::new("data").join(name), folder.join(name)).expect("a link");
    }
    let mut gateway = plan.start().await;
    let mut old = gateway.connect(Key::USER).await;

    symlink("v2", folder.join("new")).expect("a link");
    fs::rename(folder.join("new"), folder.join("data")).expect("one link for the other");

    until_it_shows(&mut gateway, &second).await;
    old.expect_silence().await;
}

#[tokio::test]
async fn a_pair_that_does_not_belong_together_is_refused_and_the_old_one_stays() {
    let first = Certificate::new();
    let mut gateway = Plan::serve(BUILDING).tls(&first).start().await;
    let second = Certificate::new();

    write_pair(gateway.folder(), &second.chain, &first.key);

    let line = gateway.logged("the new certificate is refused").await;
    assert!(
        line.contains("does not belong to the certificate in cert.pem"),
        "{line}"
    );
    gateway.connect(Key::USER).await.expect_silence().await;
    write_pair(gateway.folder(), &second.chain, &second.key);
    until_it_shows(&mut gateway, &second).await;
}

#[tokio::test]
async fn a_hang_up_has_an_unchanged_certificate_read_again() {
    let mut gateway = start().await;
    let served = |gateway: &Gateway| {
        let log = gateway.log();
        let lines = log.iter();
        lines
            .filter(|line| line.contains("new connections get this certificate"))
            .count()
    };
    assert_eq!(served(&gateway), 1);

    gateway.process().signal("HUP").await;

    let read_again = async {
        while served(&gateway) < 2 {
            gateway.connect(Key::USER).await.expect_silence().await;
        }
    };
    within(DEADLINE, || "a second line".to_owned(), read_again).await;
}

/// Starts with this pair, and expects to be told exactly this.
async fn check_refused(chain: &str, key: &str, line: &str) {
    let plan = Plan::serve(BUILDING)
        .tls(&Certificate::new())
        .file(CERTIFICATE_FILE, chain)
        .file(KEY_FILE, key);
    plan.refused().await.assert_says(line);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_refused_at_the_start() {
    let Certificate { chain, key } = &Certificate::new();
    let other = Certificate::new();
    check_refused(
        chain,
        &other.key,
        "riser: key.pem: this key does not belong to the certificate in cert.pem; name the key that the certificate was made with, and put the gateway's own certificate first",
    )
    .await;
    check_refused(
        "",
        key,
        "riser: cert.pem: the file of the certificate is empty; write the certificate into it, in PEM",
    )
    .await;
    check_refused(
        key,
        chain,
        "riser: cert.pem: holds a private key where a certificate should be; name the certificate's file by --tls-cert or tls.cert",
    )
    .await;
    check_refused(
        chain,
        chain,
        "riser: key.pem: holds a certificate where a private key should be; name the key's file by --tls-key or tls.key",
    )
    .await;
    check_refused(
        "not a certificate",
        key,
        "riser: cert.pem: holds no PEM where a certificate should be; convert it to PEM, which begins with -----BEGIN",
    )
    .await;
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    check_refused(
        chain,
        &encrypted,
        "riser: key.pem: holds an encrypted key where a private key should be; write it without a password: openssl pkey -in OLD -out NEW",
    )
    .await;
    check_refused(
        chain,
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "riser: key.pem: the private key cannot be used (it is damaged, or of another kind); use RSA of 2048 bits or more, ECDSA on P-256 or P-384, or Ed25519",
    )
    .await;
    let (cut, _) = chain.split_at(chain.len() / 2);
    check_refused(
        cut,
        key,
        "riser: cert.pem: the certificate cannot be used (its end is missing); write the file anew",
    )
    .await;
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_named() {
    let plan = Plan::serve(BUILDING).arguments(["--tls-cert", "none.pem", "--tls-key", "key.pem"]);
    plan.refused().await.assert_says(
        "riser: none.pem: could not read the certificate (No such file or directory (os error 2)); check the path and its permissions",
    );
    let plan = Plan::serve(BUILDING).arguments(["--tls-cert", "cert.pem"]);
    plan.refused()
        .await
        .assert_says("riser: --tls-cert: `tls.cert` needs `tls.key`; set both or neither");
}

#[tokio::test]
async fn until_when_the_certificate_holds_is_a_measure() {
    let gateway = start().await;
    let metrics = gateway.request("GET", "/metrics").send().await.body;
    // The first moment of the year 4096, which the tests' certificates end with.
    let measure = "\nriser_tls_certificate_valid_until_seconds 67090118400\n";
    assert!(metrics.contains(measure), "{metrics}");
}

#[tokio::test]
async fn an_expired_certificate_is_served_with_a_warning() {
    let mut gateway = Plan::serve(BUILDING)
        .tls(&Certificate::expired())
        .start()
        .await;
    let line = gateway.logged("the certificate has expired").await;
    assert!(line.contains("valid_until=2002-01-01T00:00:00Z"), "{line}");
    assert!(gateway.terminate().await.success());
}

#[tokio::test]
async fn plain_bytes_are_answered_with_an_alert_and_the_end() {
    let gateway = start().await;
    let mut stream = TcpStream::connect(gateway.address())
        .await
        .expect("a stream");
    let request = format!("GET {CONTROL} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is taken");
    let mut answer = Vec::new();
    let read = within(
        DEADLINE,
        || "the end".to_owned(),
        stream.read_to_end(&mut answer),
    );
    read.await.expect("an end");
    // An alert, whatever its version and reason.
    assert_eq!(answer.first(), Some(&21), "{answer:?}");
    gateway.connect(Key::USER).await.expect_silence().await;
    gateway
        .wait_metric("riser_tls_handshakes_failed_total", 1.0)
        .await;
}

#[tokio::test]
async fn who_says_nothing_or_half_a_handshake_is_dropped_at_the_deadline() {
    let gateway = start().await;
    let began = Instant::now();
    let answer_to = async |hello: &[u8]| {
        let mut stream = TcpStream::connect(gateway.address())
            .await
            .expect("a stream");
        stream.write_all(hello).await.expect("it is taken");
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let read = within(DEADLINE, || "the end".to_owned(), read);
        read.await.expect("an end");
        answer
    };
    let half_a_hello = b"\x16\x03\x01\x02\x00\x01\x00";

    let (nothing, half) = tokio::join!(answer_to(b""), answer_to(half_a_hello));

    assert!(
        nothing.is_empty() && half.is_empty(),
        "{nothing:?} {half:?}"
    );
    let took = began.elapsed();
    assert!(took >= HANDSHAKE_DEADLINE, "{took:?}");
    gateway.connect(Key::USER).await.expect_silence().await;
    gateway
        .wait_metric("riser_tls_handshakes_failed_total", 2.0)
        .await;
}

/// A gateway with a plain address beside the encrypted one, and where that is.
async fn with_plain_address(mode: &str) -> (Gateway, Endpoint) {
    let settings = format!("[tls]\nplain_listen = \"127.0.0.1:0\"\nplain_mode = \"{mode}\"\n");
    let plan = Plan::serve(BUILDING)
        .tls(&Certificate::new())
        .file("riser.toml", &settings);
    let gateway = plan.start().await;
    let line = gateway.logged("a plain address").await;
    let address = line
        .split("address=")
        .nth(1)
        .expect("an address in the log");
    let address: std::net::SocketAddr = address.trim().parse().expect("an address");
    (gateway, Endpoint::from(address))
}

#[tokio::test]
async fn the_plain_address_sends_on_all_but_health_and_metrics() {
    let (gateway, plain) = with_plain_address("redirect").await;
    let ask = |method: &str, path: &str| Request::new(plain.clone(), method, path);

    let secure = gateway.url();
    for (method, path) in [
        ("GET", "/"),
        ("POST", "/api/engine/v2/systems?a=b%20c"),
        ("GET", CONTROL),
    ] {
        let answer = ask(method, path).key(Key::USER).send().await;
        assert_eq!(answer.status, 308, "{method} {path}");
        assert_eq!(answer.header("location"), Some(&*format!("{secure}{path}")));
    }
    assert_eq!(Door::new(plain.clone()).key(Key::USER).refused().await, 308);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(ask("GET", path).send().await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_plain_address_may_serve_everything() {
    let (gateway, plain) = with_plain_address("stay").await;
    let mut open = Door::new(plain.clone()).key(Key::USER).connect().await;
    let mut encrypted = gateway.connect(Key::USER).await;
    open.bind(display("power"), 1).await;
    encrypted.set(display("power"), true).await;
    open.expect(display("power").notify(1, true)).await;
    assert_eq!(
        Request::new(plain, "GET", "/readyz").send().await.status,
        200
    );
}

#[tokio::test]
async fn a_stop_is_told_to_every_client_with_1001_and_the_end_of_tls() {
    let mut gateway = start().await;
    let mut clients: Vec<TestClient> = Vec::new();
    for _ in 0..10 {
        let mut client = gateway.connect(Key::USER).await;
        client.bind(display("power"), 1).await;
        clients.push(client);
    }
    // Somebody who never gets as far as that holds nobody up.
    let silent = TcpStream::connect(gateway.address())
        .await
        .expect("a stream");
    let mut deaf = gateway.connect_wire(Key::USER).await;
    let began = Instant::now();

    gateway.ask_to_stop().await;

    for client in &mut clients {
        // The end would be an error to the client if TLS had not ended before the stream did.
        let closed = client.expect_closed(DEADLINE).await;
        assert_eq!(closed, (1001, "going_away".to_owned()));
    }
    assert_eq!(deaf.expect_close(DEADLINE).await.0, 1001);
    assert_eq!(gateway.ended(PATIENCE).await.code(), Some(0));
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    drop(silent);
}
