// Made from the table of operations by `cargo xtask types`; do not edit.

/** Method and path (below `/api`) of every operation, by name. */
export const operations = {
  "health.get": { method: "GET", path: "/health" },
  "stats.get": { method: "GET", path: "/stats" },
  "providers.list": { method: "GET", path: "/providers" },
  "providers.get": { method: "GET", path: "/providers/{slug}" },
  "endpoints.list": { method: "GET", path: "/endpoints" },
  "endpoints.create": { method: "POST", path: "/endpoints" },
  "endpoints.get": { method: "GET", path: "/endpoints/{id}" },
  "endpoints.update": { method: "PATCH", path: "/endpoints/{id}" },
  "endpoints.delete": { method: "DELETE", path: "/endpoints/{id}" },
  "endpoints.rotate_token": { method: "POST", path: "/endpoints/{id}/rotate-token" },
  "endpoints.set_signing_secret": { method: "PUT", path: "/endpoints/{id}/signing-secret" },
  "endpoints.add_signing_secret": { method: "POST", path: "/endpoints/{id}/signing-secrets" },
  "endpoints.remove_signing_secret": { method: "DELETE", path: "/endpoints/{id}/signing-secrets/{secret_id}" },
  "endpoints.reverify": { method: "POST", path: "/endpoints/{id}/reverify" },
  "deliveries.list": { method: "GET", path: "/deliveries" },
  "endpoints.deliveries": { method: "GET", path: "/endpoints/{id}/deliveries" },
  "deliveries.get": { method: "GET", path: "/deliveries/{id}" },
  "deliveries.body": { method: "GET", path: "/deliveries/{id}/body" },
  "deliveries.arrival_body": { method: "GET", path: "/deliveries/{id}/arrivals/{n}/body" },
  "deliveries.attempts": { method: "GET", path: "/deliveries/{id}/attempts" },
  "attempts.response_body": { method: "GET", path: "/attempts/{id}/response-body" },
  "deliveries.signature": { method: "GET", path: "/deliveries/{id}/signature" },
  "deliveries.replay": { method: "POST", path: "/deliveries/{id}/replay" },
  "deliveries.delete": { method: "DELETE", path: "/deliveries/{id}" },
  "deliveries.delete_matching": { method: "DELETE", path: "/deliveries" },
  "deliveries.pin": { method: "POST", path: "/deliveries/{id}/pin" },
  "deliveries.unpin": { method: "DELETE", path: "/deliveries/{id}/pin" },
  "refusals.list": { method: "GET", path: "/refusals" },
  "settings.get": { method: "GET", path: "/settings" },
  "settings.update": { method: "PATCH", path: "/settings" },
  "jobs.get": { method: "GET", path: "/jobs/{id}" },
} as const;

/** Name of an operation. */
export type OperationName = keyof typeof operations;
