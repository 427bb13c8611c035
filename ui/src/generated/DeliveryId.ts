export type DeliveryId = string;
