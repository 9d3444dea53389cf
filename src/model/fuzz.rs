//! Random input for every parser of foreign text: a deterministic mutator over a corpus, and bounds on what one input may cost.
//!
//! It stands in the model because every room may use that; each target stands beside its parser, as a test whose name begins with `fuzz_`.
//! Every input has a seed of its own. A target that fails prints it, and `RISER_TEST_FUZZ_SEED` begins with it again.
//! `RISER_TEST_FUZZ_SECONDS` says how long a target goes on; `cargo xtask soak fuzz --seconds N` sets both.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How long a target goes on in a run of the tests.
const SECONDS: u64 = 2;

/// A target that takes longer over one input hangs: the slowest takes milliseconds.
const HANG: Duration = Duration::from_secs(60);

/// How much the process may grow under a target. Inputs are some kilobytes, and what is made of them is gone with them.
const GROWTH_MAX_KIB: u64 = 512 * 1024;

/// How often the memory is looked at.
const LOOK_EVERY: u64 = 64;

/// The longest input that mutation makes.
const INPUT_MAX_BYTES: usize = 256 * 1024;

/// Gives `check` one mutated input after another, until the time is over. It fails by a panic, by hanging, or by holding too much memory.
pub(crate) fn fuzz(corpus: &[Vec<u8>], words: &[&str], check: impl Fn(&[u8])) {
    drive(
        |random| random.mutated(corpus, words),
        |input| check(input),
        |input| String::from_utf8_lossy(input).into_owned(),
    );
}

/// The same for text.
pub(crate) fn fuzz_text(corpus: &[&str], words: &[&str], check: impl Fn(&str)) {
    let corpus: Vec<Vec<u8>> = corpus.iter().map(|text| text.as_bytes().to_vec()).collect();
    fuzz(&corpus, words, |input| {
        check(&String::from_utf8_lossy(input))
    });
}

/// The same with the slips of a person who writes a file by hand: one significant character is lost, added or exchanged.
pub(crate) fn fuzz_slips(corpus: &[&str], check: impl Fn(&str)) {
    drive(
        |random| random.slipped(random_of(random, corpus)),
        |input: &String| check(input),
        Clone::clone,
    );
}

/// Gives `check` a file with bytes of it changed, mostly among the first `busy`, or cut short.
pub(crate) fn fuzz_damage(whole: &[u8], busy: usize, check: impl Fn(&[u8])) {
    let damaged = |random: &Random| {
        let mut bytes = whole.to_vec();
        for _ in 0..=random.below(4) {
            let among = if random.below(4) > 0 {
                busy
            } else {
                bytes.len()
            };
            let at = random.below(among.min(bytes.len()));
            match (random.below(8), bytes.get_mut(at)) {
                (0, _) => bytes.truncate(random.below(whole.len() + 1)),
                (1..4, Some(byte)) => *byte = [0, 1, 0x7f, 0xff][random.below(4)],
                (_, Some(byte)) => *byte ^= random.byte(),
                (_, None) => {}
            }
        }
        bytes
    };
    let show = |bytes: &Vec<u8>| {
        let changed = whole.iter().zip(bytes).enumerate();
        let changed: Vec<(usize, u8)> = changed
            .filter(|(_, (was, is))| was != is)
            .map(|(at, (_, is))| (at, *is))
            .collect();
        format!(
            "{} of {} bytes, changed {changed:?}",
            bytes.len(),
            whole.len()
        )
    };
    drive(damaged, |bytes| check(bytes), show);
}

fn random_of<'c>(random: &Random, corpus: &[&'c str]) -> &'c str {
    corpus[random.below(corpus.len())]
}

fn drive<I>(make: impl Fn(&Random) -> I, check: impl Fn(&I), show: impl Fn(&I) -> String) {
    let seconds = number("RISER_TEST_FUZZ_SECONDS", SECONDS);
    let first = number("RISER_TEST_FUZZ_SEED", 0);
    let began = SystemTime::now();
    let before = peak_kib();
    let watch = Watch::new();
    for seed in first.. {
        // A clock that is set back makes it longer, and no verdict depends on it.
        if began.elapsed().unwrap_or_default() >= Duration::from_secs(seconds) {
            println!("{} inputs, from RISER_TEST_FUZZ_SEED={first}", seed - first);
            break;
        }
        let input = make(&Random::new(seed));
        watch.begins(seed);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&input))) {
            println!(
                "RISER_TEST_FUZZ_SEED={seed} fails with\n{}",
                brief(&show(&input))
            );
            resume_unwind(panic);
        }
        if seed % LOOK_EVERY == 0 {
            let grown = peak_kib().saturating_sub(before);
            assert!(
                grown <= GROWTH_MAX_KIB,
                "the process has grown by {grown} KiB within the {LOOK_EVERY} inputs up to RISER_TEST_FUZZ_SEED={seed}"
            );
        }
    }
}

/// The beginning of an input, for people.
fn brief(input: &str) -> String {
    let mut shown = String::new();
    for c in input.chars().take(4_000) {
        match c {
            '\n' => shown.push('\n'),
            c if super::is_unprintable(c) => {
                // Writing to a String cannot fail.
                let _ = write!(shown, "{}", c.escape_default());
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Ends the process when one input takes too long: whatever hangs cannot be ended otherwise.
struct Watch {
    seeds: Option<SyncSender<u64>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn new() -> Self {
        // The next input waits for the watch to have taken the one before, which costs a microsecond.
        let (seeds, begun) = sync_channel(1);
        let watch = move || {
            let mut seed = None;
            loop {
                match begun.recv_timeout(HANG) {
                    Ok(next) => seed = Some(next),
                    Err(RecvTimeoutError::Timeout) => {
                        eprintln!(
                            "RISER_TEST_FUZZ_SEED={} hangs for {HANG:?}",
                            seed.unwrap_or_default()
                        );
                        std::process::abort();
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        Self {
            seeds: Some(seeds),
            thread: Some(std::thread::spawn(watch)),
        }
    }

    fn begins(&self, seed: u64) {
        if let Some(seeds) = &self.seeds {
            // The watch ends with this end alone.
            let _ = seeds.send(seed);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.seeds = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The most memory that the process has had, in KiB; 0 where the system does not say.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.and_then(|text| text.trim().split(' ').next()?.parse().ok());
    number.unwrap_or(0)
}

/// The number that a variable has, or the usual one where it is not set.
fn number(variable: &str, usual: u64) -> u64 {
    let Some(text) = std::env::var_os(variable) else {
        return usual;
    };
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| panic!("{variable} is {}, which is no number", text.display()))
}

/// SplitMix64: the same numbers from the same seed in every version of everything.
pub(crate) struct Random(std::cell::Cell<u64>);

impl Random {
    fn new(seed: u64) -> Self {
        Self(std::cell::Cell::new(seed))
    }

    fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut z = self.0.get();
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound, which is not 0.
    pub(crate) fn below(&self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    fn byte(&self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// A range within so many bytes, mostly a short one.
    fn range(&self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let longest = if self.below(4) == 0 { length } else { 16 };
        start..(start + self.below(longest + 1)).min(length)
    }

    fn mutated(&self, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
        let mut input = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input, corpus, words);
            input.truncate(INPUT_MAX_BYTES);
        }
        input
    }

    fn mutate(&self, input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str]) {
        let at = self.below(input.len() + 1);
        match self.below(9) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = [0, 0x7f, 0x80, 0xff, b'"', b'\\', b'\n', self.byte()][self.below(8)];
                }
            }
            2 | 3 => {
                let word = words[self.below(words.len())];
                drop(input.splice(at..at, word.bytes()));
            }
            4 => drop(input.drain(self.range(input.len()))),
            5 => {
                let piece = input[self.range(input.len())].to_vec();
                drop(input.splice(at..at, piece));
            }
            6 => {
                let other = &corpus[self.below(corpus.len())];
                let piece = other[self.range(other.len())].to_vec();
                drop(input.splice(at..at, piece));
            }
            7 => input.truncate(at),
            _ => {
                // A word very often, which is how things are nested deeply.
                let word = words[self.below(words.len())].as_bytes();
                let times = 1 << self.below(13);
                drop(input.splice(at..at, word.repeat(times)));
            }
        }
    }

    fn slipped(&self, text: &str) -> String {
        const SIGNS: [&str; 22] = [
            ":", ": ", ",", "\"", "'", "{", "}", "[", "]", "\n", "#", " #", "&", "*", "|", ">",
            "-", "- ", "!", "%", " ", "=",
        ];
        let mut text = text.to_owned();
        let signs: Vec<(usize, char)> = text
            .char_indices()
            .filter(|(_, c)| !c.is_alphanumeric())
            .collect();
        let places = text.char_indices().map(|(at, _)| at);
        let places: Vec<usize> = places.chain([text.len()]).collect();
        let sign = SIGNS[self.below(SIGNS.len())];
        match (self.below(3), signs.get(self.below(signs.len()))) {
            (0, Some(&(at, c))) => text.replace_range(at..at + c.len_utf8(), ""),
            (1, Some(&(at, c))) => text.replace_range(at..at + c.len_utf8(), sign),
            _ => text.insert_str(places[self.below(places.len())], sign),
        }
        text
    }
}

#[test]
fn the_same_seed_makes_the_same_input() {
    let corpus = [b"{\"a\": [1, 2]}".to_vec(), b"ping".to_vec()];
    for seed in 0..200 {
        let once = || Random::new(seed).mutated(&corpus, &["[", "null"]);
        assert_eq!(once(), once());
        let slip = || Random::new(seed).slipped("secret: 'x'");
        assert_eq!(slip(), slip());
    }
}
