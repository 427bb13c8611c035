//! The admin API and the browser's UI: one listener on a loopback address.
//!
//! [`serve`] runs it until it is told to stop. What it can do is not written here: routes come from the table of
//! [`Operations`], and `openapi` describes the same table. What is here is the way in: `guard` looks at every
//! request before anything else does, `request` and `response` translate between HTTP and operations, `stream`
//! sends live events, `ui_files` holds the built UI.

mod guard;
mod openapi;
mod request;
mod response;
mod router;
mod server;
mod stream;
mod ui_files;

use std::sync::Arc;

use crate::app::events::EventLog;
use crate::app::operation::Operations;

pub use openapi::document as openapi_document;
pub use server::{BindError, Bound, CONNECTIONS_MAX, HEAD_TIMEOUT, STOP_TIMEOUT, serve};
pub use ui_files::is_embedded as ui_embedded;

/// What the listener serves.
#[derive(Clone, Debug)]
pub struct Api<E> {
    /// Does the work.
    pub engine: Arc<E>,
    /// What can be asked of it.
    pub operations: Operations<E>,
    /// What happens meanwhile.
    pub events: EventLog,
    /// What a caller must know.
    pub token: AdminToken,
}

/// The admin token of this run. `Debug` does not show it.
#[derive(Clone)]
pub struct AdminToken(String);

impl AdminToken {
    /// The token with this text; it must not be empty to be of use, and an empty one admits nobody.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for AdminToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AdminToken(…)")
    }
}
