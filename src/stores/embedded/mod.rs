//! The stores of a gateway that is alone: statuses in memory, documents in one file or in memory.

mod documents;
mod schema;
mod statuses;

pub use documents::EmbeddedDocumentStore;
pub use statuses::EmbeddedStatusStore;
