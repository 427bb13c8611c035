export type DeliveryStatus = "queued" | "dispatched" | "rejected" | "ignored" | "failed" | "interrupted";
