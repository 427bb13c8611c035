// The API's shapes, under one name for the rest of the UI. The files themselves are generated from the Rust types.
export type { ArrivalSummary } from '../generated/ArrivalSummary';
export type { Attempt } from '../generated/Attempt';
export type { DeliveryDetail } from '../generated/DeliveryDetail';
export type { DeliveryList } from '../generated/DeliveryList';
export type { DeliverySummary } from '../generated/DeliverySummary';
export type { EndpointView } from '../generated/EndpointView';
export type { ErrorBody } from '../generated/ErrorBody';
export type { EventFilter } from '../generated/EventFilter';
export type { Explanation } from '../generated/Explanation';
export type { Health } from '../generated/Health';
export type { Job } from '../generated/Job';
export type { ProviderView } from '../generated/ProviderView';
export type { Refusal } from '../generated/Refusal';
export type { Reply } from '../generated/Reply';
export type { Settings } from '../generated/Settings';
export type { Stats } from '../generated/Stats';
export type { Target } from '../generated/Target';
