import type { AttemptOutcome } from "./AttemptOutcome";
import type { DeliveryId } from "./DeliveryId";
import type { DeliveryStatus } from "./DeliveryStatus";
import type { EndpointId } from "./EndpointId";
import type { SignatureReason } from "./SignatureReason";
import type { SignatureStatus } from "./SignatureStatus";
import type { Timestamp } from "./Timestamp";

export type DeliverySummary = { id: DeliveryId, seq: number, endpoint_id: EndpointId, provider: string, event: string, event_source: string, dedupe_key: string | null, dedupe_source: string | null, signature_status: SignatureStatus, signature_reason: SignatureReason, status: DeliveryStatus, reason: string | null, attempt_count: number, relay_attempt_count: number, method: string, path: string, query: string | null, content_type: string | null, body_size: number, response_status: number | null, relay_status: number | null, relay_outcome: AttemptOutcome | null, relay_duration_ms: number | null, replayed_from_delivery_id: DeliveryId | null, duplicate_of: DeliveryId | null, pinned: boolean, error: string | null, received_at: Timestamp, last_attempt_at: Timestamp, created_at: Timestamp };
