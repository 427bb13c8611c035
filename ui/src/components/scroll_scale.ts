/**
 * Browsers clamp the height of an element (Firefox near 17.9 million pixels, Chromium and WebKit near 33.5 million), so
 * that a list of a million rows does not fit. Above a limit the scrollbar covers less than the list is high: near both
 * ends one pixel is one pixel, in the middle one pixel of the scrollbar's travel is several of the list. CodeMirror's
 * BigScaler does the like.
 */

/** Height up to which nothing is scaled, in CSS pixels. */
export const UNSCALED_PX_MAX = 7_000_000;
/** At each end so much is never scaled, in CSS pixels. */
const EDGE_PX = 100_000;

export class ScrollScale {
  /** Height of the element that is scrolled. */
  readonly height: number;
  /** How far the list itself scrolls. */
  readonly travel: number;
  readonly #shown: number;

  /** `content`: height of all rows. `view`: height of what is seen of them. */
  constructor(content: number, view: number) {
    this.height = Math.min(content, UNSCALED_PX_MAX);
    this.travel = Math.max(0, content - view);
    this.#shown = Math.max(0, this.height - view);
  }

  get isScaled(): boolean {
    return this.travel > this.#shown;
  }

  /** Where the list stands when the element is scrolled to `top`. */
  toList(top: number): number {
    const at = clamp(top, this.#shown);
    if (!this.isScaled || at <= EDGE_PX) return at;
    if (at >= this.#shown - EDGE_PX) return this.travel - (this.#shown - at);
    return EDGE_PX + (at - EDGE_PX) * this.#ratio;
  }

  /** Where the element has to be scrolled to for the list to stand at `top`. */
  toElement(top: number): number {
    const at = clamp(top, this.travel);
    if (!this.isScaled || at <= EDGE_PX) return at;
    if (at >= this.travel - EDGE_PX) return this.#shown - (this.travel - at);
    return EDGE_PX + (at - EDGE_PX) / this.#ratio;
  }

  get #ratio(): number {
    return (this.travel - 2 * EDGE_PX) / (this.#shown - 2 * EDGE_PX);
  }
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
