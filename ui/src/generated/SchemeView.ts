export type SchemeView = { name: string, header: string };
