//! Serial ports, by a pseudo-terminal whose other side the test has.

use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

use driver_sdk::transport::{Device, Serial, Tokens};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::harness::Host;

#[tokio::test]
async fn a_device_at_a_serial_port_is_asked_and_answers() {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&far).unwrap();
    unlockpt(&far).unwrap();
    let path = ptsname(&far, Vec::new()).unwrap().into_string().unwrap();
    let mut far = File::from(far);
    let device = std::thread::spawn(move || {
        let mut question = [0; 2];
        far.read_exact(&mut question).unwrap();
        far.write_all(b"on\r").unwrap();
        // The port ends with its far side, so the test gives it back.
        (question, far)
    });
    let host = Host::new().await;
    let uri = format!("serial://{path}?baud=19200&bits=8");
    let power = host.publisher("power");
    let _device = Device::over(
        &host.context(),
        Serial::new(&uri, Tokens::delimited("\r")).unwrap(),
    )
    .poll(Duration::from_secs(60), move |device| {
        let power = power.clone();
        async move {
            power(device.ask("?\r").await?);
            Ok(())
        }
    })
    .start();
    host.wait_status("power", "on").await;
    host.wait_connected(true).await;
    let (question, _far) = device.join().unwrap();
    assert_eq!(&question, b"?\r");
}

#[tokio::test]
async fn a_serial_port_that_is_not_there_is_told_in_words() {
    let host = Host::new().await;
    let link = Serial::new("serial:///dev/not-there", Tokens::lines()).unwrap();
    let _device = Device::over(&host.context(), link).start();
    host.wait_line("there is nothing at its address").await;
}

#[test]
fn a_mistake_in_the_uri_of_a_serial_port_is_named() {
    for (uri, part) in [
        ("serial://ttyUSB0", "serial:///dev/PORT"),
        ("tcp://host", "serial:///dev/PORT"),
        ("serial:///dev/ttyUSB0?baud=fast", "such as baud=9600"),
        ("serial:///dev/ttyUSB0?bits=9", "bits from 5 to 8"),
        ("serial:///dev/ttyUSB0?parity=mark", "none, even or odd"),
        ("serial:///dev/ttyUSB0?stop=3", "stop 1 or 2"),
        (
            "serial:///dev/ttyUSB0?speed=1",
            "baud, bits, parity or stop",
        ),
    ] {
        let error = Serial::new(uri, Tokens::lines()).unwrap_err();
        assert!(error.message().contains(part), "{uri}: {error}");
    }
}
