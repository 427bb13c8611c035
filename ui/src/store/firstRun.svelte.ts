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
    const kept = storage?.getItem(STAGE_KEY);
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
    if (!this.#storage || this.#storage.getItem(MADE_KEY) !== null) return false;
    this.#storage.setItem(MADE_KEY, 'made');
    return true;
  }

  #set(stage: Stage): void {
    this.stage = stage;
    this.#storage?.setItem(STAGE_KEY, stage);
  }
}
