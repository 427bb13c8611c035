import type { SignatureStatus } from "./SignatureStatus";
import type { Timestamp } from "./Timestamp";

export type ArrivalSummary = { n: number, received_at: Timestamp, remote_addr: string | null, client_ip: string | null, headers: Array<[string, string]>, signature_status: SignatureStatus, body_size: number, same_body: boolean };
