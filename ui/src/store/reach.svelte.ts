import { asFailure } from '../errors/failure';
import type { Host } from '../host/contract';
import type { TargetProbe } from '../host/types';

/** Targets that the engine probes in one call. */
const PROBES_MAX = 16;
/** Wait after the last change before the first probe, in milliseconds: a URL is typed letter by letter. */
const SETTLE_MS = 200;

/** Ports that development servers listen on by default, the most usual first. As many as fit into one call. */
export const DEV_PORTS = [
  3000, 5173, 8080, 8000, 4200, 3001, 5000, 4321, 8787, 4000, 8081, 8888, 9000, 3333, 1337, 5001,
] as const;

/** What is known of a target: nothing yet, or what the last probe said. */
export type Reachability = 'unknown' | 'reachable' | 'silent';

/**
 * Whether something answers at a few targets, kept current while it is watched. A round only connects, so that no app
 * logs a request; with `asks`, an app that is new is asked once what it is.
 */
export class Reach {
  probes = $state.raw<ReadonlyMap<string, TargetProbe>>(new Map());
  readonly #host: Pick<Host, 'call'>;
  readonly #everyMs: number;
  readonly #asks: boolean;
  #urls: readonly string[] = [];
  #asked = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts changes, so that an answer to an older question is dropped. */
  #turn = 0;

  constructor(host: Pick<Host, 'call'>, everyMs: number, asks = false) {
    this.#host = host;
    this.#everyMs = everyMs;
    this.#asks = asks;
  }

  /** Watches these from now on, in place of those before. */
  watch(urls: readonly string[]): void {
    const wanted = [...new Set(urls)].slice(0, PROBES_MAX);
    if (wanted.length === this.#urls.length && wanted.every((url, at) => url === this.#urls[at])) return;
    this.#urls = wanted;
    this.#again(SETTLE_MS);
  }

  stop(): void {
    this.#urls = [];
    this.#turn += 1;
    clearTimeout(this.#timer);
  }

  of(url: string | null): Reachability {
    const probe = url === null ? undefined : this.probes.get(url);
    if (!probe) return 'unknown';
    return probe.reachable ? 'reachable' : 'silent';
  }

  /** Asks at once rather than at the next round; resolves when it is known. */
  now(): Promise<void> {
    clearTimeout(this.#timer);
    return this.#round();
  }

  /** Asks one of them what it is, at once. */
  async check(url: string): Promise<void> {
    const turn = this.#turn;
    await this.#probe([url], true, turn);
  }

  #again(afterMs: number): void {
    this.#turn += 1;
    clearTimeout(this.#timer);
    if (this.#urls.length > 0) this.#timer = setTimeout(() => void this.#round(), afterMs);
  }

  async #round(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    const urls = this.#urls;
    if (urls.length > 0 && !document.hidden) {
      await this.#probe(urls, false, turn);
      const fresh = urls.filter((url) => this.probes.get(url)?.reachable && !this.#asked.has(url));
      if (this.#asks && fresh.length > 0 && turn === this.#turn) await this.#probe(fresh, true, turn);
    }
    if (turn === this.#turn) this.#again(this.#everyMs);
  }

  async #probe(urls: readonly string[], ask: boolean, turn: number): Promise<void> {
    let answered: TargetProbe[];
    try {
      const answer = await this.#host.call<{ probes: TargetProbe[] }>('targets.probe', { body: { urls, ask } });
      answered = answer.probes;
    } catch (thrown) {
      // Nothing is known while the engine does not answer; that it does not is shown elsewhere.
      if (asFailure(thrown).code !== 'aborted' && turn === this.#turn) this.probes = new Map();
      return;
    }
    if (turn !== this.#turn) return;
    const known = new Map(ask ? this.probes : []);
    for (const probe of answered) {
      const before = this.probes.get(probe.url);
      if (ask) this.#asked.add(probe.url);
      if (!probe.reachable) this.#asked.delete(probe.url);
      const keeps = !ask && probe.reachable && before?.reachable === true;
      known.set(probe.url, keeps ? { ...probe, server: before.server, http_status: before.http_status } : probe);
    }
    this.probes = known;
  }
}
