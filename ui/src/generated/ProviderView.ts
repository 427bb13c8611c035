export type ProviderView = { slug: string, name: string, schemes: Array<string>, docs_url: string | null };
