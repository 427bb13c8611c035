import { pageStorage } from './remembered';

/** Where the first run stands: never shown, shown and waiting, or done with. */
export type Stage = 'new' | 'open' | 'done';

const STAGE_KEY = 'creel.first-run';
const MADE_KEY = 'creel.first-endpoint';

/** Remembers, in this window or browser, how far the first run is. It is never asked for again once it is dismissed. */
export class FirstRun {
  stage = $state<Stage>('new');
  readonly #storage: Storage | null;

  constructor(storage: Storage | null = pageStorage()) {
    this.#storage = storage;
    const kept = this.#read(STAGE_KEY);
    this.stage = kept === 'open' || kept === 'done' ? kept : 'new';
  }

  /** The steps are on the screen. */
  open(): void {
    if (this.stage !== 'new') return;
    this.#set('open');
  }

  dismiss(): void {
    this.#set('done');
  }

  /** Shows the steps again. */
  reopen(): void {
    this.#set('open');
  }

  /**
   * Whether to make the first endpoint: once. Who deletes their last endpoint gets no new one unasked. It is noted
   * before it is made, so that a second page of this browser does not make another.
   */
  takeFirstEndpoint(): boolean {
    // Where nothing can be noted, none is made unasked.
    return this.#read(MADE_KEY) === null && this.#write(MADE_KEY, 'made');
  }

  #set(stage: Stage): void {
    this.stage = stage;
    this.#write(STAGE_KEY, stage);
  }

  /** A page that is being left may be refused its storage, too. */
  #read(key: string): string | null {
    try {
      return this.#storage?.getItem(key) ?? null;
    } catch {
      return null;
    }
  }

  /** Whether it has been noted. */
  #write(key: string, value: string): boolean {
    try {
      this.#storage?.setItem(key, value);
      return this.#storage !== null;
    } catch {
      return false;
    }
  }
}
