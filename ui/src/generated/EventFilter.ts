export type EventFilter = { event: string, actions?: Array<string> };
