export type EndpointId = string;
