//! The driver `wake_on_lan`: wakes a computer with a magic packet.
//!
//! There is nothing to keep connected: the computer is off when it matters, and never answers.
//! So each call opens a socket of its own, and whether the computer came up is for others to see.

mod mac;

use driver_sdk::transport::Udp;
use driver_sdk::{Context, Error, debug, driver, settings};

use crate::mac::Mac;

/// The port of the discard service, to which magic packets go by habit; the card looks at no port.
const PORT: u16 = 9;

/// A computer that can be woken.
#[derive(Debug)]
pub struct WakeOnLan {
    context: Context,
    network: Udp,
    mac: Mac,
}

/// What the building file may say about a computer.
#[settings]
struct Settings {
    /// The address of its network card, such as "00:11:22:aa:bb:cc": with `:`, with `-` or without.
    mac: Mac,
}

/// Wakes a computer over the network.
#[driver(
    id = "wake_on_lan",
    name = "PC",
    uri(default = "udp://255.255.255.255:9", "udp")
)]
impl WakeOnLan {
    async fn start(context: Context, settings: Settings) -> Result<Self, Error> {
        let network = Udp::new(context.uri().unwrap_or_default(), PORT)?;
        context.set_connected(true);
        Ok(Self {
            context,
            network,
            mac: settings.mac,
        })
    }

    /// Sends the magic packet. That it was sent is all that can be known: a computer does not answer.
    pub async fn wake(&self) -> Result<(), Error> {
        let sent = self.network.send(&self.mac.magic_packet()).await;
        sent.map_err(|error| error.prefixed("the magic packet could not be sent"))?;
        debug!(self.context, "-> magic packet");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use driver_sdk::serde_json::json;
    use driver_sdk::testkit::Module;
    use tokio::net::UdpSocket;
    use tokio::time::timeout;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    const MAC: &str = "00:11:22:aa:bb:cc";

    /// Where a computer listens, and its module.
    async fn computer() -> (UdpSocket, Module) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("udp://{}", socket.local_addr().unwrap());
        let module = Module::of(&WakeOnLan::DEFINITION).uri(&uri);
        (socket, module.start(json!({"mac": MAC})).await.unwrap())
    }

    async fn received(socket: &UdpSocket) -> Vec<u8> {
        let mut packet = [0; 1024];
        let receiving = timeout(DEADLINE, socket.recv(&mut packet)).await;
        let length = receiving.expect("no packet came").unwrap();
        packet[..length].to_vec()
    }

    #[tokio::test]
    async fn wake_sends_one_magic_packet() {
        let (socket, module) = computer().await;
        module.call("wake", ()).await.unwrap();
        let packet = received(&socket).await;
        let (head, addresses) = packet.split_at(6);
        assert_eq!(head, [0xFF; 6]);
        let address = [0x00, 0x11, 0x22, 0xaa, 0xbb, 0xcc];
        assert_eq!(addresses, address.repeat(16));
        assert!(socket.try_recv(&mut [0; 1]).is_err(), "a second packet");
    }

    #[tokio::test]
    async fn a_computer_that_refuses_the_packet_is_as_connected_as_before_and_can_be_woken_again() {
        let (socket, module) = computer().await;
        let at = socket.local_addr().unwrap();
        drop(socket);
        module.call("wake", ()).await.unwrap();
        module.call("wake", ()).await.unwrap();
        module.wait_connected(true).await;
        let socket = UdpSocket::bind(at).await.unwrap();
        module.call("wake", ()).await.unwrap();
        assert_eq!(received(&socket).await.len(), 102);
    }

    #[tokio::test]
    async fn without_a_uri_the_packet_is_for_the_whole_network() {
        let uri = WakeOnLan::DEFINITION.configuration.uri;
        let expect = driver_sdk::UriPresence::Default("udp://255.255.255.255:9");
        assert_eq!(uri.presence, expect);
        let module = Module::start(&WakeOnLan::DEFINITION, json!({"mac": MAC})).await;
        module.unwrap().wait_connected(true).await;
    }

    #[tokio::test]
    async fn a_packet_that_cannot_be_sent_is_an_error_that_says_why() {
        // The machine has no such name, whatever its resolver is.
        let module = Module::of(&WakeOnLan::DEFINITION).uri("udp://pc.invalid:9");
        let module = module.start(json!({"mac": MAC})).await.unwrap();
        let error = module.call("wake", ()).await.unwrap_err();
        let what = "the magic packet could not be sent: ";
        assert!(error.message().starts_with(what), "{error}");
        module.wait_connected(true).await;
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_with_what_is_expected() {
        for settings in [json!({"mac": 1122}), json!({"mac": "00:11"}), json!({})] {
            let error = Module::start(&WakeOnLan::DEFINITION, &settings).await;
            let error = error.unwrap_err();
            let expect = "a MAC address in quotes, such as \"00:11:22:aa:bb:cc\"";
            assert!(error.message().ends_with(expect), "{settings}: {error}");
        }
    }
}
