//! Which drivers are linked into the gateway: one list, so that adding a driver touches one place.

use driver_sdk::Definition;

/// Every linked-in driver; ids are unique.
pub fn drivers() -> Vec<Definition> {
    vec![
        driver_bookings::Bookings::DEFINITION,
        driver_demo_display::Display::DEFINITION,
        driver_demo_lighting::Lighting::DEFINITION,
        driver_demo_sensor::Sensor::DEFINITION,
        driver_http_json::HttpJson::DEFINITION,
        driver_modbus::Modbus::DEFINITION,
        driver_mqtt::Mqtt::DEFINITION,
        driver_pjlink::Projector::DEFINITION,
        driver_room_logic::RoomLogic::DEFINITION,
        driver_virtual::Virtual::DEFINITION,
        driver_wake_on_lan::WakeOnLan::DEFINITION,
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_id_names_one_driver() {
        let mut ids = HashSet::new();
        for driver in drivers() {
            assert!(
                ids.insert(driver.id),
                "two drivers are called {}",
                driver.id
            );
        }
    }
}
