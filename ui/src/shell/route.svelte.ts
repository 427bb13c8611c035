export const SCREENS = ['deliveries', 'endpoints', 'tunnel', 'refusals', 'settings'] as const;
export type Screen = (typeof SCREENS)[number];

/** Screen and thing from `#/screen/id?filter`; anything else is the first screen. */
export function parseRoute(hash: string): { screen: Screen; id: string | null } {
  const [screen, id] = hash.replace(/^#\/?/, '').replace(/\?.*$/, '').split('/');
  const known = SCREENS.find((name) => name === screen);
  if (!known) return { screen: 'deliveries', id: null };
  return { screen: known, id: id ? decodeURIComponent(id) : null };
}

/** Where the user is. It stands in the address's fragment, so that reload, back and forward work. */
export class Route {
  screen = $state<Screen>('deliveries');
  id = $state<string | null>(null);

  constructor() {
    this.#read();
    window.addEventListener('hashchange', () => this.#read());
  }

  go(screen: Screen, id: string | null = null): void {
    const hash = id === null ? `#/${screen}` : `#/${screen}/${encodeURIComponent(id)}`;
    // Moving along the list would fill the history: only a change of screen is a step back.
    if (screen === this.screen) history.replaceState(null, '', hash);
    else history.pushState(null, '', hash);
    this.screen = screen;
    this.id = id;
  }

  #read(): void {
    const { screen, id } = parseRoute(window.location.hash);
    this.screen = screen;
    this.id = id;
  }
}
