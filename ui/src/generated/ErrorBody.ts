import type { ErrorDetail } from "./ErrorDetail";

export type ErrorBody = { error: ErrorDetail };
