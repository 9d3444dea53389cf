//! A Modbus device that the test plays, byte by byte.

use test_support::{DEADLINE, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where the module's connections arrive.
pub(crate) struct Device(TcpListener);

/// One connection of the module.
pub(crate) struct Line(TcpStream);

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) transaction: u16,
    pub(crate) unit: u8,
    pub(crate) body: Vec<u8>,
}

impl Device {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        Self(listener.expect("a port is free"))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().expect("it listens").port()
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> Line {
        let what = || "a connection of the module".to_owned();
        let (stream, _) = within(DEADLINE, what, self.0.accept())
            .await
            .expect("it comes");
        Line(stream)
    }
}

impl Line {
    /// The next request.
    pub(crate) async fn request(&mut self) -> Request {
        let what = || "a request of the module".to_owned();
        within(DEADLINE, what, self.read())
            .await
            .expect("the module stays")
    }

    /// Waits until the module has hung up.
    pub(crate) async fn wait_closed(&mut self) {
        let what = || "the end of the connection".to_owned();
        let closing = async { while self.read().await.is_ok() {} };
        within(DEADLINE, what, closing).await;
    }

    async fn read(&mut self) -> std::io::Result<Request> {
        let mut header = [0; 7];
        self.0.read_exact(&mut header).await?;
        let [t0, t1, p0, p1, l0, l1, unit] = header;
        assert_eq!([p0, p1], [0, 0], "the protocol is Modbus");
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let mut body = vec![0; length - 1];
        self.0.read_exact(&mut body).await?;
        Ok(Request {
            transaction: u16::from_be_bytes([t0, t1]),
            unit,
            body,
        })
    }

    /// Sends bytes. The module may have hung up.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// Answers a request with this body.
    pub(crate) async fn answer(&mut self, request: &Request, body: &[u8]) {
        self.send(&message(request.transaction, request.unit, body))
            .await;
    }

    /// Answers the next request, which reads one register, with this value.
    pub(crate) async fn give(&mut self, value: u16) -> Request {
        let request = self.request().await;
        self.answer(&request, &register(value)).await;
        request
    }
}

/// A whole message.
pub(crate) fn message(transaction: u16, unit: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 1).expect("a test's message is short");
    let head = [transaction.to_be_bytes(), [0, 0], length.to_be_bytes()];
    [&head.concat()[..], &[unit], body].concat()
}

/// The body that gives one holding register.
pub(crate) fn register(value: u16) -> Vec<u8> {
    let [high, low] = value.to_be_bytes();
    vec![3, 2, high, low]
}
