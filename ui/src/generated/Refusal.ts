import type { EndpointId } from "./EndpointId";
import type { RefusalId } from "./RefusalId";
import type { RefusalReason } from "./RefusalReason";
import type { Timestamp } from "./Timestamp";

export type Refusal = { id: RefusalId, at: Timestamp, endpoint_id: EndpointId | null, status: number, reason: RefusalReason, method: string | null, path: string | null, body_size: number | null, remote_addr: string | null };
