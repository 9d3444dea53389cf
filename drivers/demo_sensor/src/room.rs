//! A believable room: a few people, and air that follows them.
//!
//! Everything is counted in whole numbers, in the smallest step that a sensor shows, so that nothing drifts.

use driver_sdk::serde::Serialize;

/// One step in this many, somebody comes or goes.
const STEPS_PER_PERSON: u64 = 20;

/// The people that the room starts with, if they fit.
const FIRST_PEOPLE: i32 = 2;

/// A room and its luck.
#[derive(Debug)]
pub(crate) struct Room {
    dice: Dice,
    capacity: i32,
    people: i32,
    /// Parts per million.
    co2: i32,
    /// Tenths of a degree Celsius.
    temperature: i32,
    /// Tenths of a per cent.
    humidity: i32,
}

/// What the sensor shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(crate = "driver_sdk::serde")]
pub struct Readings {
    /// In degrees Celsius.
    pub temperature: f64,
    /// Relative, in per cent.
    pub humidity: f64,
    /// In parts per million.
    pub co2: i32,
    /// How many people are in the room.
    pub people_count: i32,
    /// Whether anybody is.
    pub presence: bool,
}

impl Room {
    /// A room for so many people; equal seeds give equal rooms.
    pub(crate) fn new(seed: &str, capacity: u16) -> Self {
        let capacity = i32::from(capacity);
        let people = FIRST_PEOPLE.min(capacity);
        Self {
            dice: Dice::new(seed),
            capacity,
            people,
            co2: 600,
            temperature: 212,
            humidity: 450,
        }
    }

    /// Lets a little time pass.
    pub(crate) fn step(&mut self) -> Readings {
        if self.dice.throw(STEPS_PER_PERSON) == 0 {
            let change = self.dice.either();
            self.people = (self.people + change).clamp(0, self.capacity);
        }
        // Fresh air has 420 ppm; each person adds until the ventilation keeps up.
        self.co2 = self.towards(self.co2, 420 + 90 * self.people.min(40), 40);
        self.temperature = self.towards(self.temperature, 205 + 3 * self.people.min(20), 8);
        self.humidity = self.towards(self.humidity, 420 + 8 * self.people.min(20), 8);
        self.readings()
    }

    pub(crate) fn readings(&self) -> Readings {
        Readings {
            temperature: f64::from(self.temperature) / 10.0,
            humidity: f64::from(self.humidity) / 10.0,
            co2: self.co2,
            people_count: self.people,
            presence: self.people > 0,
        }
    }

    /// One step of a walk: the farther from its goal, the surer it goes there.
    fn towards(&mut self, now: i32, goal: i32, spread: i32) -> i32 {
        let pull = (goal - now) / spread;
        now + pull + self.dice.either()
    }
}

/// A small generator of numbers that look random (xorshift): nobody relies on them.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// FNV-1a of the seed, which spreads ids that differ in one character.
    fn new(seed: &str) -> Self {
        let hash = seed.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        // Zero would stay zero for ever.
        Self(hash.max(1))
    }

    /// A number from 0 to below `sides`.
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) % sides
    }

    /// One up or one down.
    fn either(&mut self) -> i32 {
        if self.throw(2) == 0 { -1 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readings_stay_believable_for_days() {
        for capacity in [0, 8, u16::MAX] {
            let mut room = Room::new("mod-test", capacity);
            for _ in 0..200_000 {
                let readings = room.step();
                assert!((15.0..30.0).contains(&readings.temperature), "{readings:?}");
                assert!((30.0..70.0).contains(&readings.humidity), "{readings:?}");
                assert!((300..4500).contains(&readings.co2), "{readings:?}");
                assert!((0..=i32::from(capacity)).contains(&readings.people_count));
            }
        }
    }

    #[test]
    fn people_come_and_go() {
        let mut room = Room::new("mod-test", 8);
        let counts: Vec<i32> = (0..5000).map(|_| room.step().people_count).collect();
        assert!(counts.contains(&0) && counts.contains(&8), "{counts:?}");
    }

    #[test]
    fn a_room_is_told_by_its_seed() {
        let readings = |seed| {
            let mut room = Room::new(seed, 8);
            (0..50).map(|_| room.step()).collect::<Vec<_>>()
        };
        assert_eq!(readings("mod-1"), readings("mod-1"));
        assert_ne!(readings("mod-1"), readings("mod-2"));
    }
}
