export type Health = { status: string, version: string };
