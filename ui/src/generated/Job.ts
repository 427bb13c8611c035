import type { JobId } from "./JobId";

export type Job = { id: JobId, status: string, total: number, done: number, failed: number };
