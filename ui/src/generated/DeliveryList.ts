import type { DeliverySummary } from "./DeliverySummary";

export type DeliveryList = { deliveries: Array<DeliverySummary>, next_before: number | null, total: number, total_is_minimum: boolean };
