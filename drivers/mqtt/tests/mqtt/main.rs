//! The driver beside Mosquitto and a client of another make, and against brokers that the test plays.

mod broker;
mod discovery;
mod faults;
mod module;
mod mosquitto;
mod tls;
