import type { Tone } from '../components/tone';
import { visible } from '../format/visible';
import type { TunnelProbe, TunnelProviderView, TunnelState } from '../host/types';
import { asSentence, tunnelStatusLabel } from '../store/tunnelWords';

/** How a state looks: never a colour alone. `aside`: what more there is to say in a few words. */
export type TunnelLook = { tone: Tone; glyph: string; label: string; aside: string };

type Seen = Pick<TunnelState, 'status' | 'last_probe' | 'restarts' | 'restart_at'>;

/** `now` in Unix milliseconds: the wait before a restart is told in seconds. */
export function tunnelLook(state: Seen | null, now: number): TunnelLook {
  if (!state) return { tone: 'calm', glyph: '–', label: 'Not known', aside: '' };
  const label = tunnelStatusLabel(state.status);
  switch (state.status) {
    case 'stopped':
      return { tone: 'calm', glyph: '–', label, aside: '' };
    case 'starting':
      return { tone: 'busy', glyph: '…', label, aside: 'waiting for its URL' };
    case 'url_known':
      return { tone: 'busy', glyph: '…', label, aside: 'its URL is known' };
    case 'ready':
      return readyLook(state.last_probe, label);
    case 'degraded':
      return { tone: 'warn', glyph: '!', label, aside: 'does not carry requests' };
    case 'restarting':
      return { tone: 'warn', glyph: '…', label, aside: restartWords(state, now) };
    case 'failed':
      return { tone: 'bad', glyph: '✗', label, aside: 'given up' };
    default:
      return { tone: 'calm', glyph: '?', label, aside: '' };
  }
}

/** Ready is what the program says; reachable is what was proved. */
function readyLook(probe: TunnelProbe | null, label: string): TunnelLook {
  if (!probe) return { tone: 'busy', glyph: '…', label, aside: 'being proved' };
  if (!probe.ok) return { tone: 'warn', glyph: '!', label, aside: 'a proof failed, trying again' };
  return { tone: 'good', glyph: '✓', label, aside: `reachable, ${probe.ms} ms` };
}

function restartWords({ restarts, restart_at }: Seen, now: number): string {
  const nth = `restart ${restarts + 1}`;
  if (restart_at === null) return nth;
  const seconds = Math.ceil((Date.parse(restart_at) - now) / 1000);
  if (Number.isNaN(seconds) || seconds <= 0) return `${nth}, now`;
  return `${nth}, in ${seconds} s`;
}

/** One station on the way from the internet to Creel. */
export type Station = { id: 'dns' | 'tunnel' | 'ingress'; name: string; state: 'passed' | 'broken' | 'unknown' };

const STATIONS = [
  { id: 'dns', name: 'DNS' },
  { id: 'tunnel', name: 'Tunnel' },
  { id: 'ingress', name: 'Creel’s ingress' },
] as const;

/** How far the newest proof of life came. Before the first nothing is known of any station. */
export function stations(probe: TunnelProbe | null): Station[] {
  const broken = STATIONS.findIndex(({ id }) => id === probe?.broke_at);
  return STATIONS.map(({ id, name }, at) => {
    if (!probe) return { id, name, state: 'unknown' };
    if (probe.ok) return { id, name, state: 'passed' };
    if (broken < 0 || at > broken) return { id, name, state: 'unknown' };
    return { id, name, state: at === broken ? 'broken' : 'passed' };
  });
}

/** What came of the newest proof, as a sentence. */
export function probeSentence(probe: TunnelProbe): string {
  return visible(asSentence(probe.message));
}

/** How far a program was tried with Creel: nothing that was only read about is called supported. */
export function support(provider: Pick<TunnelProviderView, 'supported' | 'evidence'>): {
  tone: Tone;
  glyph: string;
  label: string;
  title: string;
} {
  if (provider.supported) {
    return { tone: 'good', glyph: '✓', label: 'Supported', title: 'Watched in Creel’s own tests.' };
  }
  const title =
    provider.evidence === 'source'
      ? 'What it writes was read in its source. It has not been run with Creel.'
      : 'What it writes is known from documents and other people’s records. It has not been run with Creel.';
  return { tone: 'calm', glyph: '?', label: 'Not tried yet', title };
}

/** Installed ones first, each half in the engine's order. */
export function inOrder(providers: readonly TunnelProviderView[]): {
  installed: TunnelProviderView[];
  missing: TunnelProviderView[];
} {
  return {
    installed: providers.filter(({ installed }) => installed),
    missing: providers.filter(({ installed }) => !installed),
  };
}

/** Whether it starts without anything being typed. */
export function startsAtOnce(provider: TunnelProviderView): boolean {
  return provider.installed && provider.options.every((option) => !option.required || option.default !== null);
}

/** The one to begin with: chosen last, else one that starts at once, else the first that the engine offers. */
export function preferred(providers: readonly TunnelProviderView[], chosen: string): TunnelProviderView | undefined {
  return providers.find(({ slug }) => slug === chosen) ?? providers.find(startsAtOnce) ?? providers[0];
}

/** Programs by which install lines that can be pasted into a terminal begin; others are advice. */
const INSTALLERS =
  /^(?:sudo|brew|winget|cargo|npm|npx|pip|pipx|curl|snap|apt|apt-get|dnf|pacman|go|choco|scoop|dotnet)\s/;

export function isCommandLine(install: string): boolean {
  return INSTALLERS.test(install);
}

/** `https://name.example` as shown where room is short. */
export function hostOfBase(url: string): string {
  return visible(url.replace(/^https?:\/\//, ''));
}

/** The number in what a program says of its version: `cloudflared version 2026.11.0 (built …)`. All of it where there is none. */
export function versionOf(said: string): string {
  return /\d+(?:\.\d+)+[\w-]*/.exec(said)?.[0] ?? said.slice(0, 12);
}
