import { pageStorage, Remembered } from './remembered';

/** What was typed for one provider, by option. A list stands as lines. */
export type TunnelValues = Readonly<Record<string, string>>;

type Kept = {
  /** Whether it has been explained, and confirmed, what a tunnel makes reachable. */
  explained: boolean;
  /** Slug of the provider chosen last; empty: none. */
  provider: string;
  values: Readonly<Record<string, TunnelValues>>;
};

/**
 * The provider that was chosen and what was typed for it, in this window or browser, so that the next start is one
 * click. Secrets are never among the values: whoever calls `keep` leaves them out.
 */
export class TunnelChoices {
  #kept = $state.raw<Kept>({ explained: false, provider: '', values: {} });
  readonly #remembered: Remembered<Kept>;

  constructor(storage: Storage | null = pageStorage()) {
    this.#remembered = new Remembered<Kept>('creel.tunnel', storage);
    this.#kept = this.#remembered.load(({ explained, provider, values }) => ({
      explained: explained === true,
      provider: typeof provider === 'string' ? provider : '',
      values: readValues(values),
    }));
  }

  get explained(): boolean {
    return this.#kept.explained;
  }

  get provider(): string {
    return this.#kept.provider;
  }

  valuesOf(provider: string): TunnelValues {
    return this.#kept.values[provider] ?? {};
  }

  /** Notes what a tunnel was started with; whoever starts one has read what it makes reachable. */
  keep(provider: string, values: TunnelValues): void {
    this.#kept = { explained: true, provider, values: { ...this.#kept.values, [provider]: values } };
    this.#remembered.save(this.#kept);
  }
}

function readValues(stored: unknown): Record<string, TunnelValues> {
  const result: Record<string, TunnelValues> = {};
  if (typeof stored !== 'object' || stored === null) return result;
  for (const [provider, values] of Object.entries(stored)) {
    if (typeof values !== 'object' || values === null) continue;
    const texts = Object.entries(values).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
    result[provider] = Object.fromEntries(texts);
  }
  return result;
}
