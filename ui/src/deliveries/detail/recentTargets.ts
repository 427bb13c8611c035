import { pageStorage, Remembered } from '../../store/remembered';

/** Targets that are remembered. */
const TARGETS_MAX = 5;

type Targets = { urls: string[] };

const memory = () => new Remembered<Targets>('creel.replay_targets', pageStorage());

/** URLs that replays were sent to from here, the last first. */
export function recentTargets(): string[] {
  return memory().load(({ urls }) => ({
    urls: Array.isArray(urls) ? urls.filter((url) => typeof url === 'string').slice(0, TARGETS_MAX) : [],
  })).urls;
}

/** Whether it is an address on this machine without a query: others may hold a token, which is not ours to keep. */
function isHarmless(url: string): boolean {
  const { hostname, search } = URL.parse(url) ?? { hostname: '', search: '' };
  return search === '' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

export function rememberTarget(url: string): void {
  if (!isHarmless(url)) return;
  const others = recentTargets().filter((other) => other !== url);
  memory().save({ urls: [url, ...others].slice(0, TARGETS_MAX) });
}
