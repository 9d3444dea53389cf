//! The schema of the embedded store's file, and the way from each older one to this one.
//!
//! A file of a newer schema is refused: what it means is not known here.

use redb::{
    Database, ReadableDatabase, TableDefinition, TableError, TableHandle, WriteTransaction,
};

/// Documents by collection and id: their version and their JSON.
pub(super) const DOCUMENTS: TableDefinition<'_, (&str, &str), (u64, &str)> =
    TableDefinition::new("documents");

/// What is known of the file itself.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// The row of `ABOUT` that has the schema.
const SCHEMA: &str = "schema";

/// Brings a file from one schema to the next.
pub(super) type Step = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// From schema 1 to 2, from 2 to 3 and so on; the schema of this program is one more than there are steps.
pub(super) const STEPS: &[Step] = &[];

/// What a file was found to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Ready to be used.
    Ready,
    /// Written by a newer program, with this schema.
    Newer(u64),
    /// A redb file, but not one of ours.
    Foreign,
}

/// Makes an empty file ours, and brings an older one up to date in one transaction.
pub(super) fn prepare(database: &Database, steps: &[Step]) -> Result<Found, redb::Error> {
    let known = 1 + steps.len() as u64;
    let found = match schema(database)? {
        Schema::None => 0,
        Schema::Of(schema) if schema > known => return Ok(Found::Newer(schema)),
        Schema::Of(schema) if schema == known => return Ok(Found::Ready),
        Schema::Of(0) | Schema::Foreign => return Ok(Found::Foreign),
        Schema::Of(schema) => schema,
    };
    let transaction = database.begin_write()?;
    for (from, step) in (1..).zip(steps) {
        if found > 0 && from >= found {
            step(&transaction)?;
        }
    }
    transaction.open_table(DOCUMENTS)?;
    transaction.open_table(ABOUT)?.insert(SCHEMA, known)?;
    transaction.commit()?;
    Ok(Found::Ready)
}

enum Schema {
    None,
    Of(u64),
    Foreign,
}

fn schema(database: &Database) -> Result<Schema, redb::Error> {
    let transaction = database.begin_read()?;
    let about = match transaction.open_table(ABOUT) {
        Ok(about) => about,
        Err(TableError::TableDoesNotExist(_)) => {
            let tables = transaction.list_tables()?.count();
            return Ok(if tables == 0 {
                Schema::None
            } else {
                Schema::Foreign
            });
        }
        Err(TableError::TableTypeMismatch { table, .. }) if table == ABOUT.name() => {
            return Ok(Schema::Foreign);
        }
        Err(error) => return Err(error.into()),
    };

    let schema = about.get(SCHEMA)?.map(|schema| schema.value());
    Ok(schema.map_or(Schema::Foreign, Schema::Of))
}
