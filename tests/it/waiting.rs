//! The cases of the fact sheet's table that are not tested here, and what each waits for.
//!
//! | case | what | waits for |
//! |---|---|---|
//! | 17 | a status stored as the text `null` | Redis: a module that runs here removes what it sets to null |
//! | 21–25 | a mapping that changes under a binding | a building that is reloaded; the core's own tests change its directory |
//! | 27, 28 | payloads that are not UTF-8 or not JSON | Redis: a module that runs here cannot publish either |
//! | 29 | a lost connection to Redis | Redis |
//! | 31 | trigger instances | triggers |
//! | 33 | channels that nobody follows any more | Redis; seen here by the gauge of watches |
//! | 36, 39, 41 | the request to a core, its answers and its silence | cores; the client's half is tested |
//! | 38 | a core that answers with an empty body | cores; a function without a result is tested |
//! | 40, 42–44, 48 | which core is asked, and what when it does not answer | cores |
//! | 58–62 | a core's own debug stream opened and closed | cores; the client's half is tested |
//! | 63 | a core's debug stream that drops | cores |
