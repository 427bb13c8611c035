//! What the API shows: the shapes of CONTRACT section 5 that are not nouns of the domain.

mod delivery;
mod endpoint;
mod stats;

pub use delivery::{DeliveryDetail, DeliveryList};
pub use endpoint::{EndpointList, EndpointView, SecretView, Warning};
pub use stats::{Health, Stats, StatusCounts};
