//! The driver beside a server of another make, and against devices that the test plays.

mod device;
mod faults;
mod module;
mod pymodbus;
