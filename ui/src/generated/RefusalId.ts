export type RefusalId = string;
