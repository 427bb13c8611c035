import { asFailure, type Failure } from '../errors/failure';

/**
 * One thing fetched on demand. A new `load` aborts the one before it, so that a slow answer never replaces a newer one.
 * While it is loaded again the old value stays, so that a live update does not make the page blink.
 */
export class Resource<T> {
  value = $state.raw<T | null>(null);
  failure = $state.raw<Failure | null>(null);
  loading = $state(false);
  #controller: AbortController | null = null;

  async load(fetch: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    this.loading = true;
    try {
      const value = await fetch(controller.signal);
      if (controller.signal.aborted) return;
      this.value = value;
      this.failure = null;
    } catch (thrown) {
      if (controller.signal.aborted) return;
      this.failure = asFailure(thrown);
    } finally {
      if (this.#controller === controller) this.loading = false;
    }
  }

  /** Forgets the value and whatever is under way. */
  clear(): void {
    this.#controller?.abort();
    this.#controller = null;
    this.value = null;
    this.failure = null;
    this.loading = false;
  }
}
