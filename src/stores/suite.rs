//! What every document store promises, as tests that each store runs.
