export type Warning = { code: string, message: string };
