export type Reply = { "mode": "ack" } | { "mode": "passthrough", timeout_ms: number } | { "mode": "fixed", status: number, headers: Array<[string, string]>, body: string, delay_ms: number };
