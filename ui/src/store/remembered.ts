/**
 * What this window remembers for its user between two starts, in the page's local storage. It is never data of the
 * engine; where storage is refused or holds something else, the window starts with what it always starts with.
 */
export class Remembered<T extends object> {
  readonly #key: string;
  readonly #storage: Storage | null;

  constructor(key: string, storage: Storage | null) {
    this.#key = key;
    this.#storage = storage;
  }

  /** What was remembered, as far as `read` takes it. */
  load(read: (stored: Partial<Record<keyof T, unknown>>) => T): T {
    try {
      const stored: unknown = JSON.parse(this.#storage?.getItem(this.#key) ?? '{}');
      return read(typeof stored === 'object' && stored !== null ? stored : {});
    } catch {
      return read({});
    }
  }

  save(value: T): void {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(value));
    } catch {
      // A full or refused storage costs the memory of a choice, and nothing else.
    }
  }
}

/** The page's local storage, or null where the browser refuses it. */
export function pageStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
