//! The operations of CONTRACT section 5, each declared once: REST and the desktop's commands both come from this list.

mod attempts;
mod bodies;
mod deliveries;
mod endpoint_counts;
mod endpoint_draft;
mod endpoints;
mod parameters;
mod refusals;
mod signature_fixes;
mod signatures;
mod signing_secrets;
mod system;
mod target_probes;
mod test_events;
mod test_keys;
mod tunnel;
mod unavailable;

use super::App;
use super::operation::{Method, Operations, REPLAY_BODY_BYTES_MAX, operation};

pub use bodies::{BodyLines, BodyMatch};
pub use deliveries::{AttemptList, DeleteRequest, DeliveryFilterInput};
pub use endpoint_counts::EndpointCountsList;
pub use endpoint_draft::{EndpointDraft, EndpointPatch, checked_public_url};
pub use parameters::DeliveryQuery;
pub use refusals::RefusalList;
pub use signing_secrets::SigningSecretInput;
pub use system::ProviderList;
pub use target_probes::{ProbeRequest, TargetProbeList};
pub use test_events::{SentTestEvent, TestEventRequest};
pub use test_keys::TestKey;
pub use tunnel::TunnelStart;

/// All operations.
#[must_use]
pub fn operations() -> Operations<App> {
    use Method::{Delete, Get, Patch, Post, Put};
    Operations::new(vec![
        operation("health.get", Get, "/health", "That the engine runs, and its version.", system::health),
        operation("stats.get", Get, "/stats", "Counts, rates, sizes.", system::stats),
        operation(
            "stats.endpoints",
            Get,
            "/stats/endpoints",
            "Deliveries by state, endpoint by endpoint.",
            endpoint_counts::list,
        ),
        operation("providers.list", Get, "/providers", "The provider catalogue.", system::list_providers),
        operation("providers.get", Get, "/providers/{slug}", "One provider.", system::get_provider),
        operation("endpoints.list", Get, "/endpoints", "All endpoints.", endpoints::list),
        operation("endpoints.create", Post, "/endpoints", "Make an endpoint.", endpoints::create),
        operation("endpoints.get", Get, "/endpoints/{id}", "One endpoint.", endpoints::get),
        operation("endpoints.update", Patch, "/endpoints/{id}", "Change an endpoint.", endpoints::update),
        operation(
            "endpoints.delete",
            Delete,
            "/endpoints/{id}",
            "Delete an endpoint and its deliveries.",
            endpoints::delete,
        ),
        operation(
            "endpoints.rotate_token",
            Post,
            "/endpoints/{id}/rotate-token",
            "Give an endpoint a new URL; the old one is 404 at once.",
            endpoints::rotate_token,
        ),
        operation(
            "endpoints.set_signing_secret",
            Put,
            "/endpoints/{id}/signing-secret",
            "Replace all signing secrets by one; an empty one clears.",
            signing_secrets::replace,
        ),
        operation(
            "endpoints.add_signing_secret",
            Post,
            "/endpoints/{id}/signing-secrets",
            "Add a second signing secret for rotation.",
            signing_secrets::add,
        ),
        operation(
            "endpoints.remove_signing_secret",
            Delete,
            "/endpoints/{id}/signing-secrets/{secret_id}",
            "Remove one signing secret.",
            signing_secrets::remove,
        ),
        operation(
            "endpoints.make_test_key",
            Post,
            "/endpoints/{id}/test-key",
            "A key pair to sign test events with, where only the provider has the real one; shows the public half.",
            test_keys::make,
        ),
        operation(
            "endpoints.reverify",
            Post,
            "/endpoints/{id}/reverify",
            "Judge stored deliveries again.",
            endpoints::reverify,
        ),
        operation(
            "endpoints.send_test_event",
            Post,
            "/endpoints/{id}/test-event",
            "Post a sample of the endpoint's provider to its URL, signed with its secret.",
            test_events::send,
        ),
        operation(
            "targets.probe",
            Post,
            "/targets/probe",
            "Whether anything answers at targets on this machine.",
            target_probes::probe_all,
        ),
        operation(
            "endpoints.deliveries",
            Get,
            "/endpoints/{id}/deliveries",
            "Deliveries of one endpoint, newest first.",
            deliveries::list_of_endpoint,
        ),
        operation(
            "endpoints.delivery",
            Get,
            "/endpoints/{id}/deliveries/{delivery_id}",
            "One delivery of one endpoint.",
            deliveries::get_of_endpoint,
        ),
        operation("deliveries.list", Get, "/deliveries", "Deliveries, newest first.", deliveries::list),
        operation(
            "deliveries.delete_matching",
            Delete,
            "/deliveries",
            "Delete all deliveries that match a filter.",
            deliveries::delete_matching,
        ),
        operation("deliveries.get", Get, "/deliveries/{id}", "One delivery in full.", deliveries::get),
        operation("deliveries.delete", Delete, "/deliveries/{id}", "Delete one delivery.", deliveries::delete),
        operation("deliveries.body", Get, "/deliveries/{id}/body", "The raw body.", bodies::whole),
        operation(
            "deliveries.body_lines",
            Get,
            "/deliveries/{id}/body/lines",
            "Some lines of a body, as received or as formatted JSON.",
            bodies::lines,
        ),
        operation(
            "deliveries.body_find",
            Get,
            "/deliveries/{id}/body/find",
            "Where a text stands in a body.",
            bodies::find_text,
        ),
        operation("deliveries.body_slice", Get, "/deliveries/{id}/body/slice", "Some bytes of a body.", bodies::slice),
        operation(
            "deliveries.arrival_body",
            Get,
            "/deliveries/{id}/arrivals/{n}/body",
            "The raw body of one arrival.",
            bodies::of_arrival,
        ),
        operation(
            "deliveries.attempts",
            Get,
            "/deliveries/{id}/attempts",
            "Relay history of a delivery.",
            attempts::list,
        ),
        operation(
            "attempts.response_body",
            Get,
            "/attempts/{id}/response-body",
            "The target's answer, as far as it is kept.",
            attempts::response_body,
        ),
        operation(
            "deliveries.signature",
            Get,
            "/deliveries/{id}/signature",
            "The signature explained.",
            signatures::explain,
        ),
        operation(
            "deliveries.try_signature",
            Post,
            "/deliveries/{id}/signature",
            "The signature explained with another secret, provider or scheme; nothing is kept.",
            signatures::try_out,
        ),
        operation(
            "deliveries.fix_signature",
            Post,
            "/deliveries/{id}/signature/fix",
            "Do what a finding of the explanation offers.",
            signature_fixes::fix,
        ),
        operation(
            "deliveries.replay",
            Post,
            "/deliveries/{id}/replay",
            "Replay a delivery, as it was or edited.",
            deliveries::replay,
        )
        .with_body_up_to(REPLAY_BODY_BYTES_MAX),
        operation("deliveries.pin", Post, "/deliveries/{id}/pin", "Keep a delivery from retention.", deliveries::pin),
        operation(
            "deliveries.unpin",
            Delete,
            "/deliveries/{id}/pin",
            "Leave a delivery to retention again.",
            deliveries::unpin,
        ),
        operation("refusals.list", Get, "/refusals", "The newest thousand refusals.", refusals::list),
        operation("settings.get", Get, "/settings", "Retention and limits.", system::settings),
        operation("settings.update", Patch, "/settings", "Change retention and limits.", system::update_settings),
        operation("jobs.get", Get, "/jobs/{id}", "How far a background job is.", system::job),
        operation("replays.create", Post, "/replays", "Bulk replay; not available yet.", unavailable::bulk_replay),
        operation(
            "replays.get",
            Get,
            "/replays/{id}",
            "A bulk replay; not available yet.",
            unavailable::one_bulk_replay,
        ),
        operation(
            "replays.cancel",
            Delete,
            "/replays/{id}",
            "Cancel a bulk replay; not available yet.",
            unavailable::one_bulk_replay,
        ),
        operation("tunnel.get", Get, "/tunnel", "The tunnel, and the end of its log.", tunnel::get),
        operation("tunnel.providers", Get, "/tunnel/providers", "Programs that make tunnels.", tunnel::providers),
        operation("tunnel.start", Post, "/tunnel", "Start a tunnel.", tunnel::start),
        operation("tunnel.stop", Delete, "/tunnel", "Stop the tunnel; returns when it has ended.", tunnel::stop),
        operation(
            "tunnel.acknowledge",
            Post,
            "/tunnel/acknowledge",
            "Say that the providers know the changed URL.",
            tunnel::acknowledge,
        ),
        operation("tunnel.probe", Post, "/tunnel/probe", "Prove now that the tunnel carries requests.", tunnel::probe),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_own_name_and_place() {
        assert_eq!(operations().faults(), Vec::<String>::new());
    }
}
