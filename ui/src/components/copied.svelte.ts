/** How long the outcome of a copy is shown, in milliseconds. */
const SHOWN_MS = 1_500;

/** Copies, and says for a moment what came of it. */
export class Copied {
  result = $state<'idle' | 'done' | 'failed'>('idle');
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `copy` does it; its rejection is shown. */
  async run(copy: () => Promise<void>): Promise<void> {
    try {
      await copy();
      this.result = 'done';
    } catch {
      this.result = 'failed';
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.result = 'idle'), SHOWN_MS);
  }
}
