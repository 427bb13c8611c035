export type RefusalReason = "unknown_token" | "invalid_body" | "malformed_http" | "timeout" | "aborted" | "body_too_large" | "rate_limited" | "store_unavailable" | "overloaded";
