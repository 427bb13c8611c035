import type { Tone } from '../../components/tone';
import type { DeliverySummary } from '../../host/types';

/** How a replay came out, measured by what became of the original. */
export type Outcome = { word: string; tone: Tone; glyph: string; explanation: string };

type Fate = 'good' | 'bad' | 'under way' | 'not relayed';

function fate(row: DeliverySummary): Fate {
  if (row.status === 'queued') return 'under way';
  if (row.status === 'failed' || row.status === 'interrupted') return 'bad';
  return row.status === 'dispatched' && row.relay_attempt_count > 0 ? 'good' : 'not relayed';
}

const answer = (row: DeliverySummary) => (row.relay_status === null ? 'no answer' : String(row.relay_status));

/** The outcome of a replay against its original. */
export function outcomeAgainst(original: DeliverySummary, replay: DeliverySummary): Outcome {
  const [before, now] = [fate(original), fate(replay)];
  const change = `${before === 'not relayed' ? 'not relayed' : answer(original)} before, ${answer(replay)} now`;
  if (now === 'under way') return { word: 'under way', tone: 'busy', glyph: '…', explanation: 'It has not ended yet.' };
  if (now === 'not relayed') {
    return { word: 'no target', tone: 'calm', glyph: '–', explanation: 'There was nothing to relay it to.' };
  }
  if (before === 'bad' && now === 'good') return { word: 'fixed', tone: 'good', glyph: '✓', explanation: change };
  if (before === 'good' && now === 'bad') return { word: 'regressed', tone: 'bad', glyph: '✗', explanation: change };
  if (before === now) {
    const glyph = now === 'good' ? '✓' : '✗';
    return { word: 'same', tone: now, glyph, explanation: change };
  }
  return now === 'good'
    ? { word: 'succeeded', tone: 'good', glyph: '✓', explanation: change }
    : { word: 'failed', tone: 'bad', glyph: '✗', explanation: change };
}
