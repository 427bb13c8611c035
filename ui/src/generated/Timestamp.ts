export type Timestamp = string;
