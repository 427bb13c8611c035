export type JobId = string;
