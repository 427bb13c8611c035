import type { SchemeView } from "./SchemeView";

export type ProviderView = { slug: string, name: string, docs_url: string, schemes: Array<SchemeView>, event_sources: Array<string>, dedupe_sources: Array<string> };
