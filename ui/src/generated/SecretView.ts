import type { SecretId } from "./SecretId";
import type { Timestamp } from "./Timestamp";

export type SecretView = { id: SecretId, hint: string | null, created_at: Timestamp };
