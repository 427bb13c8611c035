import type { EventFilter } from "./EventFilter";
import type { TargetId } from "./TargetId";

export type Target = { id: TargetId, url: string, enabled: boolean, event_filters: Array<EventFilter> };
