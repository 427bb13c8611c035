//! What is fuzzed of the operations: any text at all as the query of a list. Driven as [`crate::signature::fuzzed`].

use serde_json::{Map, Value};

use super::decode;
use crate::app::operations::DeliveryQuery;

/// Reads the bytes as a query of the list of deliveries; what is refused is refused as 400, naming a parameter.
pub fn queries(bytes: &[u8]) {
    let pairs = url::form_urlencoded::parse(bytes);
    let query: Map<String, Value> =
        pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
    if let Err(error) = decode::query::<DeliveryQuery>(query) {
        assert_eq!(error.code, "bad_query");
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const PIECES: [&str; 20] = [
        "status=",
        "limit=",
        "before=",
        "after=",
        "q=",
        "endpoint_id=",
        "provider=",
        "event=",
        "signature_status=",
        "valid",
        "failed",
        "50",
        "-1",
        "1e9",
        "99999999999999999999",
        "&",
        "%00",
        "%ff",
        "é",
        "+",
    ];

    proptest! {
        #[test]
        fn no_query_makes_the_list_panic(
            random in vec(any::<u8>(), 0..100),
            soup in vec(proptest::sample::select(PIECES.to_vec()), 0..12),
        ) {
            queries(&random);
            queries(soup.concat().as_bytes());
        }
    }
}
