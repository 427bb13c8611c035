import { getContext, setContext } from 'svelte';
import { fullTime, shortTime, type Zone } from '../format/time';
import { pageStorage, Remembered } from './remembered';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const DENSITIES = ['compact', 'cozy'] as const;
export type Density = (typeof DENSITIES)[number];

export const ZONES = ['local', 'utc'] as const satisfies readonly Zone[];

/** Steps of the zoom, in percent; 100 is the size that the browser gives. */
export const ZOOM_PERCENT = [75, 80, 90, 100, 110, 125, 150, 175, 200] as const;

/** Height of a row of a list in CSS pixels at 100 % zoom. */
const ROW_PX: Record<Density, number> = { compact: 24, cozy: 30 };
/** Size of the root's letters at 100 % zoom unless the user set another in the browser. In CSS pixels. */
const ROOT_PX = 16;

type Choices = { theme: Theme; density: Density; zoom: number; zone: Zone };

function oneOf<T>(words: readonly T[], value: unknown, fallback: T): T {
  return words.find((word) => word === value) ?? fallback;
}

function readChoices(stored: Partial<Record<keyof Choices, unknown>>): Choices {
  return {
    theme: oneOf(THEMES, stored.theme, 'system'),
    density: oneOf(DENSITIES, stored.density, 'cozy'),
    zoom: oneOf<number>(ZOOM_PERCENT, stored.zoom, 100),
    zone: oneOf<Zone>(ZONES, stored.zone, 'local'),
  };
}

/**
 * How the window looks: theme, density, zoom and zone of times. Every length of the styles is in `rem`, so that the size
 * of the root's letters is the zoom: it works alike in every engine, and container queries follow it.
 */
export class Appearance {
  #choices = $state.raw<Choices>(readChoices({}));
  #rootPx = $state(ROOT_PX);
  readonly #memory: Remembered<Choices>;
  readonly #root: HTMLElement;

  constructor(root: HTMLElement = document.documentElement, storage: Storage | null = pageStorage()) {
    this.#root = root;
    this.#memory = new Remembered('creel.appearance', storage);
    this.#choices = this.#memory.load(readChoices);
    this.#apply();
  }

  get theme(): Theme {
    return this.#choices.theme;
  }
  set theme(theme: Theme) {
    this.#choose({ theme });
  }

  get density(): Density {
    return this.#choices.density;
  }
  set density(density: Density) {
    this.#choose({ density });
  }

  /** In percent. */
  get zoom(): number {
    return this.#choices.zoom;
  }

  get zone(): Zone {
    return this.#choices.zone;
  }
  set zone(zone: Zone) {
    this.#choose({ zone });
  }

  /** Height of a row of a list now, in CSS pixels: for lists that place their rows themselves. The same as `--row-height`. */
  get rowHeight(): number {
    return Math.round((ROW_PX[this.density] * this.#rootPx) / ROOT_PX);
  }

  zoomIn(): void {
    this.#choose({ zoom: ZOOM_PERCENT.find((step) => step > this.zoom) ?? this.zoom });
  }

  zoomOut(): void {
    this.#choose({ zoom: ZOOM_PERCENT.findLast((step) => step < this.zoom) ?? this.zoom });
  }

  zoomReset(): void {
    this.#choose({ zoom: 100 });
  }

  /** Time for a narrow column, in the chosen zone. */
  shortTime(timestamp: string, now: Date): string {
    return shortTime(timestamp, now, this.zone);
  }

  /** Time to the millisecond with its zone, in the chosen zone. */
  fullTime(timestamp: string): string {
    return fullTime(timestamp, this.zone);
  }

  #choose(part: Partial<Choices>): void {
    this.#choices = { ...this.#choices, ...part };
    this.#memory.save(this.#choices);
    this.#apply();
  }

  #apply(): void {
    this.#root.dataset.theme = this.theme;
    this.#root.dataset.density = this.density;
    this.#root.style.fontSize = this.zoom === 100 ? '' : `${this.zoom}%`;
    const measured = parseFloat(getComputedStyle(this.#root).fontSize);
    this.#rootPx = measured > 0 ? measured : (ROOT_PX * this.zoom) / 100;
    this.#root.style.setProperty('--row-height', `${this.rowHeight}px`);
    // Icons are sized in pixels: they follow by this factor.
    this.#root.style.setProperty('--icon-zoom', String(this.#rootPx / ROOT_PX));
  }
}

const KEY = Symbol('appearance');

export function provideAppearance(appearance: Appearance): Appearance {
  return setContext(KEY, appearance);
}

/** The appearance of the component's tree. */
export function useAppearance(): Appearance {
  return getContext<Appearance>(KEY);
}
