import type { TunnelState } from '../host/types';

/** How the tunnel stands, in a word or two. A status that this window does not know is said as it is. */
export function tunnelStatusLabel(status: TunnelState['status']): string {
  const labels: Record<TunnelState['status'], string> = {
    stopped: 'Stopped',
    starting: 'Starting',
    url_known: 'Connecting',
    ready: 'Ready',
    degraded: 'Degraded',
    restarting: 'Restarting',
    failed: 'Failed',
  };
  return labels[status] ?? String(status);
}

/** What a screen reader is told when the status changes. */
export function tunnelAnnouncement(state: TunnelState): string {
  const said = `Tunnel ${tunnelStatusLabel(state.status).toLowerCase()}.`;
  return state.reason ? `${said} ${asSentence(state.reason)}` : said;
}

/** The engine's words as a sentence: a capital letter at first, a full stop at the end. */
export function asSentence(words: string): string {
  const text = words.trim();
  if (text === '') return '';
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…:]$/.test(begun) ? begun : `${begun}.`;
}
