export type Settings = { keep_rows: number, keep_bytes: number, keep_days: number, max_body_bytes: number, rate_limit_endpoint: number, rate_limit_ip: number };
