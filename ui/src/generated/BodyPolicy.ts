export type BodyPolicy = "any" | "json";
