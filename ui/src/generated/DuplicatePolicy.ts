export type DuplicatePolicy = "collapse" | "relay";
