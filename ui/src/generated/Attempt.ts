import type { AttemptId } from "./AttemptId";
import type { AttemptOutcome } from "./AttemptOutcome";
import type { DeliveryId } from "./DeliveryId";
import type { TargetId } from "./TargetId";
import type { Timestamp } from "./Timestamp";

export type Attempt = { id: AttemptId, delivery_id: DeliveryId, n: number, target_id: TargetId | null, target_url: string, outcome: AttemptOutcome, reason: string | null, response_status: number | null, response_headers: Array<[string, string]> | null, response_size: number | null, created_at: Timestamp, started_at: Timestamp | null, finished_at: Timestamp | null, duration_ms: number | null };
