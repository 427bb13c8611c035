import type { StatusCounts } from "./StatusCounts";
import type { Timestamp } from "./Timestamp";

export type Stats = { version: string, started_at: Timestamp, endpoints: number, deliveries: number, deliveries_by_status: StatusCounts, received: number, received_per_second: number, refused: number, dropped: number, database_bytes: number, wal_bytes: number, writer_queue_depth: number, public_url: string | null, ingress_url: string };
