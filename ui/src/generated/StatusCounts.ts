export type StatusCounts = { queued: number, dispatched: number, rejected: number, ignored: number, failed: number, interrupted: number };
