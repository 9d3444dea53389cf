//! The building that most tests talk to, and the keys to it.

use std::fmt;

use crate::harness::{Place, bookings, display, scratch};

/// Two rooms in two zones, with soft modules in the place of devices.
///
/// `Display` stands twice in `sys-1`; `A` with the status `1_x` and `A_1` with the status `x` are written alike when joined carelessly;
/// `mod-shared` stands in both rooms.
pub(crate) const BUILDING: &str = r"
zones:
  - {id: zone-hq, name: Headquarters, tags: [org]}
  - {id: zone-l1, name: Level 1, tags: [level], parent_id: zone-hq}
  - {id: zone-l2, name: Level 2, tags: [level], parent_id: zone-hq}
systems:
  - id: sys-1
    name: Board Room
    email: board@example.test
    capacity: 8
    bookable: true
    features: [display]
    zones: [zone-hq, zone-l1]
    modules: [mod-d1, mod-d2, mod-b1, mod-secret, mod-a, mod-a1, mod-shared]
  - id: sys-2
    name: Huddle Room
    email: huddle@example.test
    capacity: 4
    zones: [zone-hq, zone-l2]
    modules: [mod-d3, mod-shared]
modules:
  - {id: mod-d1, driver: virtual, name: Display}
  - {id: mod-d2, driver: virtual, name: Display}
  - {id: mod-d3, driver: virtual, name: Display}
  - {id: mod-b1, driver: virtual, name: Bookings}
  - {id: mod-secret, driver: virtual, name: _Secret}
  - {id: mod-a, driver: virtual, name: A}
  - {id: mod-a1, driver: virtual, name: A_1}
  - {id: mod-shared, driver: virtual, name: Shared}
  - {id: mod-loose, driver: virtual, name: Loose}
users:
  - {id: user-ann, email: ann@example.test, name: Ann}
  - {id: user-sue, email: sue@example.test, name: Sue, level: support}
  - {id: user-eve, email: eve@example.test, name: Eve, level: admin}
api_keys:
  - {id: user, secret: secret-u, user: user-eve, level: user}
  - {id: support, secret: secret-s, user: user-eve, level: support}
  - {id: admin, secret: secret-a, user: user-eve, level: admin}
  - {id: climber, secret: secret-c, user: user-ann, level: admin}
  - {id: reader, secret: secret-r, user: user-eve, scopes: [systems.read]}
  - {id: controller, secret: secret-w, user: user-eve, scopes: [control.write]}
  - {id: room, secret: secret-1, user: user-sue, level: support, systems: [sys-1]}
  - {id: floor, secret: secret-2, user: user-sue, level: support, zones: [zone-l2]}
";

/// A function of every module that stands in a system of [`BUILDING`].
pub(crate) fn everywhere(function: &str) -> [Place<'_>; 8] {
    let display = display(function);
    [
        display,
        display.at(2),
        display.within("sys-2"),
        bookings(function),
        display.of("_Secret"),
        display.of("A"),
        display.of("A_1"),
        scratch(function),
    ]
}

/// An API key as it is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) &'static str);

impl Key {
    pub(crate) const USER: Self = Self("user.secret-u");
    pub(crate) const SUPPORT: Self = Self("support.secret-s");
    pub(crate) const ADMIN: Self = Self("admin.secret-a");
    /// Says admin, but belongs to an ordinary user.
    pub(crate) const CLIMBER: Self = Self("climber.secret-c");
    /// May only look at systems.
    pub(crate) const READER: Self = Self("reader.secret-r");
    /// May only drive rooms.
    pub(crate) const CONTROLLER: Self = Self("controller.secret-w");
    /// Reaches `sys-1` alone.
    pub(crate) const ROOM: Self = Self("room.secret-1");
    /// Reaches what stands in `zone-l2`: `sys-2`.
    pub(crate) const FLOOR: Self = Self("floor.secret-2");
    /// Nobody's.
    pub(crate) const WRONG: Self = Self("user.secret-x");
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
