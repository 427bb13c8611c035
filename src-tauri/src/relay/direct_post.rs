//! A request of our own to a URL: no delivery stands behind it, so none is named in it.

use bytes::Bytes;

use super::attempt::{AttemptResult, TargetClient};
use super::exchange::WireRequest;
use super::fault::Fault;
use super::outgoing_headers::{HeadParts, head_with, is_sendable_method};
use super::{AddressPolicy, TargetUrl};
use crate::domain::Headers;

/// What is sent.
#[derive(Clone, Debug)]
pub struct DirectPost {
    /// HTTP method.
    pub method: String,
    /// Where to.
    pub url: TargetUrl,
    /// All headers but those of the connection.
    pub headers: Headers,
    /// The body's bytes.
    pub body: Bytes,
}

impl TargetClient {
    /// Sends it once, as [`TargetClient::send`] does a delivery.
    pub async fn post_directly(&self, post: DirectPost, policy: &AddressPolicy) -> AttemptResult {
        let request = || -> Result<(TargetUrl, WireRequest), Fault> {
            let DirectPost { method, url, headers, body } = post;
            if !is_sendable_method(&method) {
                return Err(Fault::Method(method));
            }
            let (request_target, host) = (url.own_request_target(), url.host_header());
            let parts = HeadParts {
                method: &method,
                request_target: &request_target,
                host: &host,
                headers: &headers,
                body_bytes: body.len(),
            };
            Ok((url, WireRequest { head: head_with(&parts, &[]), is_head: method == "HEAD", body }))
        };
        self.carry_out(request(), policy).await
    }
}
