export type SignaturePolicy = "enforce" | "observe";
