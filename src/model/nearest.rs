//! "Did you mean": the known word that a mistyped one is most like.

/// How alike two words must be to be worth a suggestion; 0.8 takes a slipped or swapped letter and leaves other words alone.
const ALIKE: f64 = 0.8;

/// The most similar of `known`, if any is similar at all; of equals the first by alphabet.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| y.cmp(x)))
        .map(|(_, candidate)| candidate)
}
