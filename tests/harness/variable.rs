//! Variables that make a test longer than in CI; `cargo xtask soak` sets them.

/// The number that the variable has, or the usual one where it is not set.
pub(crate) fn number_from(variable: &str, usual: u64) -> u64 {
    let Some(text) = std::env::var_os(variable) else {
        return usual;
    };
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| panic!("{variable} is {}, which is no number", text.display()))
}
