export type TargetId = string;
