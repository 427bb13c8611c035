export type ErrorDetail = { code: string, message: string, help: string | null, field?: string };
