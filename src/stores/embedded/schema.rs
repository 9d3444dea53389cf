//! The schema of a file of an embedded store, and the way from each older one to the newest.
//!
//! A file of a newer schema is refused: what it means is not known here.

use redb::{
    Database, ReadableDatabase, TableDefinition, TableError, TableHandle, WriteTransaction,
};

/// What is known of the file itself.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// The row of `ABOUT` that has the schema.
const SCHEMA: &str = "schema";

/// Makes tables, or brings a file from one schema to the next.
pub(super) type Step = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// What a file of one kind holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema<'s> {
    /// Makes those tables of the newest schema that are not there.
    pub(super) tables: Step,
    /// From schema 1 to 2, from 2 to 3 and so on.
    pub(super) steps: &'s [Step],
}

impl Schema<'_> {
    /// The newest that this program knows.
    pub(super) fn known(&self) -> u64 {
        1 + self.steps.len() as u64
    }
}

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
pub(super) fn prepare(database: &Database, schema: Schema<'_>) -> Result<Found, redb::Error> {
    let known = schema.known();
    let found = match written(database)? {
        Written::Nothing => 0,
        Written::Schema(found) if found > known => return Ok(Found::Newer(found)),
        Written::Schema(found) if found == known => return Ok(Found::Ready),
        Written::Schema(0) | Written::Foreign => return Ok(Found::Foreign),
        Written::Schema(found) => found,
    };
    let transaction = database.begin_write()?;
    for (from, step) in (1..).zip(schema.steps) {
        if found > 0 && from >= found {
            step(&transaction)?;
        }
    }
    (schema.tables)(&transaction)?;
    transaction.open_table(ABOUT)?.insert(SCHEMA, known)?;
    transaction.commit()?;
    Ok(Found::Ready)
}

enum Written {
    Nothing,
    Schema(u64),
    Foreign,
}

fn written(database: &Database) -> Result<Written, redb::Error> {
    let transaction = database.begin_read()?;
    let about = match transaction.open_table(ABOUT) {
        Ok(about) => about,
        Err(TableError::TableDoesNotExist(_)) => {
            let tables = transaction.list_tables()?.count();
            return Ok(if tables == 0 {
                Written::Nothing
            } else {
                Written::Foreign
            });
        }
        Err(TableError::TableTypeMismatch { table, .. }) if table == ABOUT.name() => {
            return Ok(Written::Foreign);
        }
        Err(error) => return Err(error.into()),
    };

    let schema = about.get(SCHEMA)?.map(|schema| schema.value());
    Ok(schema.map_or(Written::Foreign, Written::Schema))
}
