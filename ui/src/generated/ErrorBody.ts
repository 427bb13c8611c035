export type ErrorBody = { code: string, message: string, help: string, field?: string };
