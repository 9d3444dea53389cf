//! The cases of the fact sheet's table that are not tested here, and what each waits for.
//!
//! | case | what | waits for |
//! |---|---|---|
//! | 31 | trigger instances | triggers |
//! | 48 | modules behind an edge, whose core is chosen by the edge's id | PlaceOS's database, which alone has that id |
