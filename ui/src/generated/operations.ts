// Made from the table of operations by `cargo xtask types`; do not edit.

/** Method and path (below `/api`) of every operation, by name. */
export const operations = {
  /** That the engine runs, and its version. */
  "health.get": { method: "GET", path: "/health" },
  /** Counts, rates, sizes. */
  "stats.get": { method: "GET", path: "/stats" },
  /** Deliveries by state, endpoint by endpoint. */
  "stats.endpoints": { method: "GET", path: "/stats/endpoints" },
  /** The provider catalogue. */
  "providers.list": { method: "GET", path: "/providers" },
  /** One provider. */
  "providers.get": { method: "GET", path: "/providers/{slug}" },
  /** All endpoints. */
  "endpoints.list": { method: "GET", path: "/endpoints" },
  /** Make an endpoint. */
  "endpoints.create": { method: "POST", path: "/endpoints" },
  /** One endpoint. */
  "endpoints.get": { method: "GET", path: "/endpoints/{id}" },
  /** Change an endpoint. */
  "endpoints.update": { method: "PATCH", path: "/endpoints/{id}" },
  /** Delete an endpoint and its deliveries. */
  "endpoints.delete": { method: "DELETE", path: "/endpoints/{id}" },
  /** Give an endpoint a new URL; the old one is 404 at once. */
  "endpoints.rotate_token": { method: "POST", path: "/endpoints/{id}/rotate-token" },
  /** Replace all signing secrets by one; an empty one clears. */
  "endpoints.set_signing_secret": { method: "PUT", path: "/endpoints/{id}/signing-secret" },
  /** Add a second signing secret for rotation. */
  "endpoints.add_signing_secret": { method: "POST", path: "/endpoints/{id}/signing-secrets" },
  /** Remove one signing secret. */
  "endpoints.remove_signing_secret": { method: "DELETE", path: "/endpoints/{id}/signing-secrets/{secret_id}" },
  /** A key pair to sign test events with, where only the provider has the real one; shows the public half. */
  "endpoints.make_test_key": { method: "POST", path: "/endpoints/{id}/test-key" },
  /** Judge stored deliveries again. */
  "endpoints.reverify": { method: "POST", path: "/endpoints/{id}/reverify" },
  /** Post a sample of the endpoint's provider to its URL, signed with its secret. */
  "endpoints.send_test_event": { method: "POST", path: "/endpoints/{id}/test-event" },
  /** Whether anything answers at targets on this machine. */
  "targets.probe": { method: "POST", path: "/targets/probe" },
  /** Deliveries of one endpoint, newest first. */
  "endpoints.deliveries": { method: "GET", path: "/endpoints/{id}/deliveries" },
  /** One delivery of one endpoint. */
  "endpoints.delivery": { method: "GET", path: "/endpoints/{id}/deliveries/{delivery_id}" },
  /** Deliveries, newest first. */
  "deliveries.list": { method: "GET", path: "/deliveries" },
  /** Delete all deliveries that match a filter. */
  "deliveries.delete_matching": { method: "DELETE", path: "/deliveries" },
  /** One delivery in full. */
  "deliveries.get": { method: "GET", path: "/deliveries/{id}" },
  /** Delete one delivery. */
  "deliveries.delete": { method: "DELETE", path: "/deliveries/{id}" },
  /** The raw body. */
  "deliveries.body": { method: "GET", path: "/deliveries/{id}/body" },
  /** Some lines of a body, as received or as formatted JSON. */
  "deliveries.body_lines": { method: "GET", path: "/deliveries/{id}/body/lines" },
  /** Where a text stands in a body. */
  "deliveries.body_find": { method: "GET", path: "/deliveries/{id}/body/find" },
  /** Some bytes of a body. */
  "deliveries.body_slice": { method: "GET", path: "/deliveries/{id}/body/slice" },
  /** The raw body of one arrival. */
  "deliveries.arrival_body": { method: "GET", path: "/deliveries/{id}/arrivals/{n}/body" },
  /** Relay history of a delivery. */
  "deliveries.attempts": { method: "GET", path: "/deliveries/{id}/attempts" },
  /** The target's answer, as far as it is kept. */
  "attempts.response_body": { method: "GET", path: "/attempts/{id}/response-body" },
  /** The signature explained. */
  "deliveries.signature": { method: "GET", path: "/deliveries/{id}/signature" },
  /** The signature explained with another secret, provider or scheme; nothing is kept. */
  "deliveries.try_signature": { method: "POST", path: "/deliveries/{id}/signature" },
  /** Do what a finding of the explanation offers. */
  "deliveries.fix_signature": { method: "POST", path: "/deliveries/{id}/signature/fix" },
  /** Replay a delivery, as it was or edited. */
  "deliveries.replay": { method: "POST", path: "/deliveries/{id}/replay" },
  /** Keep a delivery from retention. */
  "deliveries.pin": { method: "POST", path: "/deliveries/{id}/pin" },
  /** Leave a delivery to retention again. */
  "deliveries.unpin": { method: "DELETE", path: "/deliveries/{id}/pin" },
  /** The newest thousand refusals. */
  "refusals.list": { method: "GET", path: "/refusals" },
  /** Retention and limits. */
  "settings.get": { method: "GET", path: "/settings" },
  /** Change retention and limits. */
  "settings.update": { method: "PATCH", path: "/settings" },
  /** How far a background job is. */
  "jobs.get": { method: "GET", path: "/jobs/{id}" },
  /** Bulk replay; not available yet. */
  "replays.create": { method: "POST", path: "/replays" },
  /** A bulk replay; not available yet. */
  "replays.get": { method: "GET", path: "/replays/{id}" },
  /** Cancel a bulk replay; not available yet. */
  "replays.cancel": { method: "DELETE", path: "/replays/{id}" },
  /** The tunnel, and the end of its log. */
  "tunnel.get": { method: "GET", path: "/tunnel" },
  /** Programs that make tunnels. */
  "tunnel.providers": { method: "GET", path: "/tunnel/providers" },
  /** Start a tunnel. */
  "tunnel.start": { method: "POST", path: "/tunnel" },
  /** Stop the tunnel; returns when it has ended. */
  "tunnel.stop": { method: "DELETE", path: "/tunnel" },
  /** Say that the providers know the changed URL. */
  "tunnel.acknowledge": { method: "POST", path: "/tunnel/acknowledge" },
  /** Prove now that the tunnel carries requests. */
  "tunnel.probe": { method: "POST", path: "/tunnel/probe" },
} as const;

/** Name of an operation. */
export type OperationName = keyof typeof operations;
