export type Stats = { deliveries: number, endpoints: number, refusals: number, database_bytes: number, wal_bytes: number, queue_depth: number, dropped: number };
