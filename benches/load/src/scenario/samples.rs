//! Numbers that are gathered, or drawn.

/// The value below which this share of the samples lies. Sorts them.
fn quantile(samples: &mut [u64], share: f64) -> f64 {
    samples.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below the length"
    )]
    let at = (samples.len() as f64 * share) as usize;
    samples
        .get(at.min(samples.len().saturating_sub(1)))
        .map_or(0.0, |sample| *sample as f64)
}

/// Numbers that look random, the same in every run (xorshift).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// A number below this one.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}

/// Takes samples evenly, so that memory is bounded whatever the rate.
#[derive(Debug)]
pub(super) struct Samples {
    values: Vec<u64>,
    every: u64,
    offered: u64,
}

/// How many samples are kept; their order statistics are steady long before that.
const SAMPLES_MAX: usize = 1 << 20;

impl Samples {
    pub(super) fn new() -> Self {
        Self {
            values: Vec::new(),
            every: 1,
            offered: 0,
        }
    }

    pub(super) fn offer(&mut self, sample: u64) {
        self.offered += 1;
        if !self.offered.is_multiple_of(self.every) {
            return;
        }
        if self.values.len() == SAMPLES_MAX {
            let mut keep = false;
            self.values.retain(|_| {
                keep = !keep;
                keep
            });
            self.every *= 2;
        }
        self.values.push(sample);
    }

    /// Takes those of another, each once.
    pub(super) fn append(&mut self, other: Self) {
        for sample in other.values {
            self.offer(sample);
        }
    }

    pub(super) fn quantile(&mut self, share: f64) -> f64 {
        quantile(&mut self.values, share)
    }
}
