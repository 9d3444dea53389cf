//! TCP, TLS and UDP on loopback.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use driver_sdk::transport::{Connection, Device, DeviceBuilder, Link, Tcp, Tokens, Trust, Udp};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::harness::{Host, Peer};

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    (listener, at)
}

async fn accept(listener: &TcpListener) -> Peer<TcpStream> {
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    Peer::new(stream)
}

/// A device that is polled with `?`, ten times a second, whose answer is the status `power`.
fn polled(host: &Host, link: impl Link) -> DeviceBuilder {
    let power = host.publisher("power");
    Device::over(&host.context(), link).poll(Duration::from_millis(100), move |device| {
        let power = power.clone();
        async move {
            power(device.ask("?\r").await?);
            Ok(())
        }
    })
}

fn tcp(at: &str) -> Tcp {
    Tcp::new(&format!("tcp://{at}"), None, Tokens::delimited("\r")).unwrap()
}

#[tokio::test]
async fn a_device_over_tcp_is_read_though_its_answer_comes_in_pieces() {
    let (listener, at) = listen().await;
    let host = Host::new().await;
    let _device = polled(&host, tcp(&at)).start();
    let mut peer = accept(&listener).await;
    peer.expect("?").await;
    for piece in ["stand", "by", "\r"] {
        peer.say(piece).await;
    }
    host.wait_status("power", "standby").await;
    host.wait_connected(true).await;
}

#[tokio::test]
async fn a_driver_makes_messages_of_a_stream_by_itself_and_gives_its_uri_a_scheme() {
    let (listener, at) = listen().await;
    let host = Host::new().await;
    let of = |uri: &str| Tcp::of_schemes(uri, ("door", 1), ("doors", 2));
    let tcp = of(&format!("door://{at}")).unwrap();
    let link = move || {
        let tcp = tcp.clone();
        async move {
            Ok(Connection::bytes(
                tcp.stream().await?,
                &Tokens::delimited("\r"),
            ))
        }
    };
    let _device = polled(&host, link).start();
    let mut peer = accept(&listener).await;
    peer.answer("?", "open\r").await;
    host.wait_status("power", "open").await;
    let expect = "the uri is not of the form door://HOST or door://HOST:PORT or doors://HOST or doors://HOST:PORT";
    assert_eq!(of("tcp://door").unwrap_err().message(), expect);
}

#[tokio::test]
async fn a_device_over_tcp_that_goes_away_is_not_connected_and_says_why() {
    let (listener, at) = listen().await;
    let host = Host::new().await;
    let device = polled(&host, tcp(&at)).start();
    let mut peer = accept(&listener).await;
    peer.answer("?", "on\r").await;
    host.wait_connected(true).await;
    drop((listener, peer));
    host.wait_connected(false).await;
    host.wait_line("it refuses connections").await;
    let error = device.ask("on\r").await.unwrap_err();
    assert!(
        error
            .message()
            .starts_with("the device is not connected: it"),
        "{error}"
    );
    let listener = TcpListener::bind(&at).await.unwrap();
    accept(&listener).await.answer("?", "off\r").await;
    host.wait_status("power", "off").await;
}

#[tokio::test]
async fn a_device_that_never_stops_talking_is_still_asked_and_others_have_their_turn() {
    let (listener, at) = listen().await;
    let host = Host::new().await;
    let device = Device::over(&host.context(), tcp(&at)).start();
    let mut peer = accept(&listener).await;
    peer.say("hello\r").await;
    host.wait_connected(true).await;
    let flood = async move {
        // All of it is more than the sockets hold, so the module has to read.
        for _ in 0..2_000 {
            peer.say("noise\r".repeat(1_000)).await;
        }
        peer.answer("?", "power=on\r").await;
        peer
    };
    let question = driver_sdk::transport::Command::new("?\r")
        .timeout(Duration::from_secs(60))
        .answered_by(|it| it.starts_with(b"power="));
    let (answer, _peer) = tokio::join!(device.ask(question), flood);
    assert_eq!(answer.unwrap().text(), "power=on");
}

/// A listener's side of TLS for `localhost`, and the file of the authority that vouches for it.
struct TlsDevice {
    listener: TcpListener,
    at: String,
    acceptor: TlsAcceptor,
    authority: PathBuf,
    _folder: Folder,
}

/// A folder of its own that is removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl TlsDevice {
    async fn new(name: &str) -> Self {
        let names = vec!["localhost".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let folder = std::env::temp_dir().join(format!("transport-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let authority = folder.join("authority.pem");
        let mut file = std::fs::File::create(&authority).unwrap();
        file.write_all(cert.pem().as_bytes()).unwrap();
        let (listener, at) = listen().await;
        let port = at.rsplit_once(':').unwrap().1.to_owned();
        Self {
            listener,
            at: port,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority,
            _folder: Folder(folder),
        }
    }

    fn link(&self, host: &str, trust: Trust) -> Tcp {
        let uri = format!("tls://{host}:{}", self.at);
        let link = Tcp::new(&uri, None, Tokens::delimited("\r")).unwrap();
        link.trust(trust)
    }

    /// Answers the first poll of whichever connection gets through the handshake.
    async fn answer_one(&self) {
        loop {
            let (stream, _) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                Peer::new(stream).answer("?", "on\r").await;
                return;
            }
        }
    }
}

#[tokio::test]
async fn a_device_over_tls_is_believed_when_its_authority_is_trusted() {
    let tls = TlsDevice::new("trusted").await;
    let host = Host::new().await;
    let link = tls.link("localhost", Trust::Authority(tls.authority.clone()));
    let _device = polled(&host, link).start();
    tls.answer_one().await;
    host.wait_status("power", "on").await;
}

#[tokio::test]
async fn a_device_over_tls_with_a_certificate_of_its_own_is_believed_only_on_demand() {
    let tls = TlsDevice::new("own").await;
    let host = Host::new().await;
    let _device = polled(&host, tls.link("127.0.0.1", Trust::Anyone)).start();
    tls.answer_one().await;
    host.wait_status("power", "on").await;
}

#[tokio::test]
async fn a_device_over_tls_that_is_not_believed_is_told_in_words() {
    for (host_name, trusts_it, words) in [
        ("localhost", false, "signed by no authority that is trusted"),
        ("127.0.0.1", true, "its certificate is for another name"),
    ] {
        let tls = TlsDevice::new(host_name).await;
        let other = TlsDevice::new(&format!("{host_name}-other")).await;
        let authority = if trusts_it { &tls } else { &other }.authority.clone();
        let host = Host::new().await;
        let link = tls.link(host_name, Trust::Authority(authority));
        let _device = polled(&host, link).start();
        tokio::select! {
            () = tls.answer_one() => panic!("it was believed"),
            () = host.wait_line(words) => {}
        }
    }
}

#[tokio::test]
async fn each_datagram_is_a_message() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("udp://{}", socket.local_addr().unwrap());
    let host = Host::new().await;
    let _device = polled(&host, Udp::new(&uri, None).unwrap()).start();
    let mut datagram = [0; 16];
    let (length, from) = socket.recv_from(&mut datagram).await.unwrap();
    assert_eq!(&datagram[..length], b"?\r");
    socket.send_to(b"o\rn", from).await.unwrap();
    host.wait_status("power", "o\rn").await;
    host.wait_connected(true).await;
}

#[tokio::test]
async fn a_single_datagram_is_sent_whether_or_not_it_is_taken() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    let device = Udp::new(&format!("udp://{at}"), None).unwrap();
    drop(socket);
    device.send(b"lost").await.unwrap();
    device.send(b"lost too").await.unwrap();
    let socket = UdpSocket::bind(at).await.unwrap();
    device.send(b"taken").await.unwrap();
    let mut datagram = [0; 16];
    let (length, _) = socket.recv_from(&mut datagram).await.unwrap();
    assert_eq!(&datagram[..length], b"taken");
}

#[tokio::test]
async fn a_device_whose_udp_port_is_closed_is_not_connected() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("udp://{}", socket.local_addr().unwrap());
    drop(socket);
    let host = Host::new().await;
    let _device = polled(&host, Udp::new(&uri, None).unwrap()).start();
    host.wait_line("it refuses connections").await;
    assert_eq!(host.connected(), ["false"]);
}

#[test]
fn a_uri_that_a_transport_does_not_have_is_refused_with_the_form_that_is_expected() {
    let refusal = |uri| {
        let error = Tcp::new(uri, 23, Tokens::lines()).unwrap_err();
        error.message().to_owned()
    };
    for uri in [
        "screen",
        "http://screen",
        "tcp://",
        "tcp://screen:99999",
        "tcp:///x",
    ] {
        assert_eq!(
            refusal(uri),
            "the uri is not of the form tcp://HOST or tcp://HOST:PORT or tls://HOST or tls://HOST:PORT",
            "{uri}"
        );
    }
    let with_password = refusal("tcp://user:secret@screen");
    assert!(!with_password.contains("secret"), "{with_password}");
    assert!(Udp::new("udp://screen", None).is_err());
    assert!(Tcp::new("tcp://[::1]:23", None, Tokens::lines()).is_ok());
}
