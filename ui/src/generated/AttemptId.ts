export type AttemptId = string;
