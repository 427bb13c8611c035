export type SignatureReason = "ok" | "no_secret" | "not_signed" | "missing_header" | "malformed_header" | "wrong_secret_or_body" | "stale_timestamp" | "future_timestamp" | "unsupported_scheme";
