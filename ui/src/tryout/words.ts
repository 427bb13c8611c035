import type { Tone } from '../components/tone';
import type { SentTestEvent, TargetProbe } from '../host/types';

export type Said = { tone: Tone; glyph: string; label: string };

/** What a probe says in a few words. `waiting`: nothing is known yet. */
export function describeProbe(probe: TargetProbe | undefined): Said {
  if (!probe) return { tone: 'calm', glyph: '…', label: 'Looking' };
  if (probe.reachable) return { tone: 'good', glyph: '●', label: 'Reachable' };
  const reason = probe.reason ?? '';
  if (reason.includes('Creel itself')) return { tone: 'bad', glyph: '✗', label: 'That is Creel itself' };
  if (reason.includes('not a loopback')) return { tone: 'calm', glyph: '?', label: 'Not on this machine' };
  if (/refused|within|no connection/.test(reason)) return { tone: 'warn', glyph: '!', label: 'Nothing answers yet' };
  return { tone: 'bad', glyph: '✗', label: 'Not usable' };
}

/** What answers there, in a word or two: its software, else its status. Empty when it was not asked or says nothing. */
export function nameApp(probe: TargetProbe | undefined): string {
  if (!probe?.reachable) return '';
  return probe.server ?? (probe.http_status === null ? '' : `HTTP ${probe.http_status}`);
}

const AFTERWARDS: Record<string, { tone: 'good' | 'warn' | 'bad'; text: string }> = {
  accepted: { tone: 'good', text: 'Stored, and on its way to your app.' },
  skipped: { tone: 'good', text: 'Stored. There is no target yet, so it was relayed nowhere.' },
  ignored: { tone: 'warn', text: 'Stored, not relayed: the endpoint is paused, or its filters leave this event out.' },
  duplicate: { tone: 'warn', text: 'Counted as a repeat of an earlier delivery.' },
  rejected: { tone: 'bad', text: 'Rejected: its signature did not hold.' },
  failed: { tone: 'bad', text: 'Stored, but your app gave no answer.' },
};

/** What came of a test event, in a sentence or two. */
export function describeSent(sent: SentTestEvent): { tone: 'good' | 'warn' | 'bad'; text: string } {
  if (sent.response_status === null) {
    const reason = sent.reason ?? 'no answer';
    return sent.delivery_id
      ? { tone: 'warn', text: `Stored. The sender would still be waiting: ${reason}.` }
      : { tone: 'bad', text: `Not stored: ${reason}.` };
  }
  const known = sent.response_word === null ? undefined : AFTERWARDS[sent.response_word];
  if (known) return known;
  if (sent.delivery_id) return { tone: 'good', text: `Stored. The sender was told ${sent.response_status}.` };
  return { tone: 'bad', text: `Refused with ${sent.response_status}; the refusals say why.` };
}
