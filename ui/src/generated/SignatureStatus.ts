export type SignatureStatus = "not_required" | "valid" | "invalid" | "missing";
