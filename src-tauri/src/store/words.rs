//! Reading words and ids out of rows.

use rusqlite::Row;
use rusqlite::types::Type;

/// A word of a vocabulary; an unknown one is an error, not a guess.
pub(super) fn word<T>(row: &Row<'_>, column: usize, parse: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    parse(text).ok_or_else(|| unknown(column, text))
}

/// A word that may be absent.
pub(super) fn opt_word<T>(row: &Row<'_>, column: usize, parse: fn(&str) -> Option<T>) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)? {
        Some(text) => parse(text).map(Some).ok_or_else(|| unknown(column, text)),
        None => Ok(None),
    }
}

fn unknown(column: usize, text: &str) -> rusqlite::Error {
    let error = super::StoreError::UnknownValue(text.to_owned());
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

/// An id of sixteen bytes.
pub(super) fn blob_id<T>(row: &Row<'_>, column: usize, make: fn([u8; 16]) -> T) -> rusqlite::Result<T> {
    row.get::<_, [u8; 16]>(column).map(make)
}

/// An id that may be absent.
pub(super) fn opt_blob_id<T>(row: &Row<'_>, column: usize, make: fn([u8; 16]) -> T) -> rusqlite::Result<Option<T>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(make))
}
