/** How bodies were looked at last, so that going from one delivery to the next keeps it while the window is open. */
class BodyMode {
  /** `pretty`, `raw`, `hex`, `fields` or `query`; null until the reader chose. */
  mode = $state<string | null>(null);
  wrap = $state(true);
}

export const remembered = new BodyMode();
