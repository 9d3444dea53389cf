//! A believable room: a few people, and air that follows them.
//!
//! A step is a second, whoever looks and how often.
//! Everything is counted in whole numbers, in the smallest step that a sensor shows, so that nothing drifts.

use crate::reading::{Quantity, Reading};

/// Somebody comes or goes once in so many seconds, on average.
const SECONDS_PER_PERSON: u64 = 20;

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
    /// Parts per billion.
    voc: i32,
    /// Tenths of a microgram per cubic metre.
    dust: i32,
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
            voc: 130,
            dust: 60,
        }
    }

    /// Lets a second pass.
    pub(crate) fn step(&mut self) {
        if self.dice.throw(SECONDS_PER_PERSON) == 0 {
            let change = self.dice.either();
            self.people = (self.people + change).clamp(0, self.capacity);
        }
        // Fresh air has 420 ppm; each person adds until the ventilation keeps up.
        self.co2 = self.towards(self.co2, 420 + 90 * self.people.min(40), 40);
        self.temperature = self.towards(self.temperature, 205 + 3 * self.people.min(20), 8);
        self.humidity = self.towards(self.humidity, 420 + 8 * self.people.min(20), 8);
        self.voc = self.towards(self.voc, 90 + 20 * self.people.min(40), 12);
        // People stir up a little of what comes in from outside.
        self.dust = self.towards(self.dust, 55 + self.people.min(40), 4);
    }

    pub(crate) fn reading(&self, quantity: Quantity) -> Reading {
        let tenths = |value: i32| Reading::Fraction(f64::from(value) / 10.0);
        match quantity {
            Quantity::Temperature => tenths(self.temperature),
            Quantity::Humidity => tenths(self.humidity),
            Quantity::Co2 => Reading::Whole(self.co2),
            Quantity::Voc => Reading::Whole(self.voc),
            Quantity::Pm2_5 => tenths(self.dust),
            Quantity::PeopleCount => Reading::Whole(self.people),
            Quantity::Presence => Reading::Flag(self.people > 0),
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

    /// Everything that a room shows, as numbers.
    fn numbers(room: &Room) -> [f64; 7] {
        Quantity::ALL.map(|quantity| match room.reading(quantity) {
            Reading::Whole(number) => number.into(),
            Reading::Fraction(number) => number,
            Reading::Flag(flag) => f64::from(u8::from(flag)),
        })
    }

    #[test]
    fn the_readings_stay_believable_for_days() {
        for capacity in [0, 8, u16::MAX] {
            let mut room = Room::new("mod-test", capacity);
            for _ in 0..200_000 {
                room.step();
                let numbers = numbers(&room);
                let [temperature, humidity, co2, voc, dust, people, presence] = numbers;
                assert!((15.0..30.0).contains(&temperature), "{numbers:?}");
                assert!((30.0..70.0).contains(&humidity), "{numbers:?}");
                assert!((300.0..4500.0).contains(&co2), "{numbers:?}");
                assert!((0.0..1200.0).contains(&voc), "{numbers:?}");
                assert!((0.0..20.0).contains(&dust), "{numbers:?}");
                assert!((0.0..=capacity.into()).contains(&people), "{numbers:?}");
                assert_eq!(presence > 0.0, people > 0.0, "{numbers:?}");
            }
        }
    }

    #[test]
    fn everything_moves_and_nothing_jumps() {
        let mut room = Room::new("mod-test", 8);
        let mut before = numbers(&room);
        let mut moved = [false; 7];
        for _ in 0..5000 {
            room.step();
            let after = numbers(&room);
            for (place, (before, after)) in before.iter().zip(after).enumerate() {
                moved[place] |= *before != after;
                let farthest = if place == 2 || place == 3 { 20.0 } else { 1.0 };
                assert!((before - after).abs() <= farthest, "{before} to {after}");
            }
            before = after;
        }
        assert_eq!(moved, [true; 7]);
    }

    #[test]
    fn people_come_and_go() {
        let mut room = Room::new("mod-test", 8);
        let mut counts = Vec::new();
        for _ in 0..5000 {
            room.step();
            counts.push(room.people);
        }
        assert!(counts.contains(&0) && counts.contains(&8), "{counts:?}");
    }

    #[test]
    fn a_room_is_told_by_its_seed() {
        let day = |seed| {
            let mut room = Room::new(seed, 8);
            let seconds = std::iter::repeat_with(|| {
                room.step();
                numbers(&room)
            });
            seconds.take(50).collect::<Vec<_>>()
        };
        assert_eq!(day("mod-1"), day("mod-1"));
        assert_ne!(day("mod-1"), day("mod-2"));
    }
}
