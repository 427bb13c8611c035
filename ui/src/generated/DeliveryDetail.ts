import type { ArrivalSummary } from "./ArrivalSummary";
import type { DeliveryId } from "./DeliveryId";
import type { DeliverySummary } from "./DeliverySummary";

export type DeliveryDetail = DeliverySummary & { headers: Array<[string, string]>, remote_addr: string | null, client_ip: string | null, client_ip_source: string | null, public_url: string | null, http_version: string, raw_body: string | null, raw_body_base64: string | null, body_inlined: boolean, response_headers: Array<[string, string]> | null, response_body: string | null, arrivals: Array<ArrivalSummary>, replay_ids: Array<DeliveryId>, envelope: unknown };
