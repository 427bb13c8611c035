export type SecretId = string;
