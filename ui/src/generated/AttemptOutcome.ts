export type AttemptOutcome = "pending" | "held" | "succeeded" | "http_error" | "connect_failed" | "timed_out" | "reset" | "in_doubt";
