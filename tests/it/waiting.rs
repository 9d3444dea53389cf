//! The cases of the fact sheet's table that are not tested here, and what each waits for.
//!
//! | case | what | waits for |
//! |---|---|---|
//! | 31 | trigger instances | triggers |
