import type { Finding } from "./Finding";
import type { SignatureReason } from "./SignatureReason";
import type { SignatureStatus } from "./SignatureStatus";

export type Explanation = { status: SignatureStatus, reason: SignatureReason, scheme: string | null, header: string | null, expected: string | null, received: string | null, signed_content_preview: string | null, timestamp: string | null, skew_seconds: number | null, secret_hint: string | null, findings: Array<Finding> };
