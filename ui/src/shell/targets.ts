import type { Tone } from '../components/tone';
import { duration } from '../format/size';
import type { TargetState } from '../store/targets.svelte';

/** How a target looks in the top bar. `rank`: the higher, the more it needs a look. */
export type TargetLook = { tone: Tone; glyph: string; label: string; aside: string; rank: number };

const untried: TargetLook = { tone: 'calm', glyph: '–', label: 'not tried yet', aside: '', rank: 1 };

/** Host and port of a target: what tells targets apart, and never a credential of the URL. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'target';
}

export function targetLook({ attempt }: TargetState): TargetLook {
  if (!attempt) return untried;
  const aside = attempt.duration_ms === null ? '' : duration(attempt.duration_ms);
  const status = attempt.response_status;
  switch (attempt.outcome) {
    case 'succeeded':
      return { tone: 'good', glyph: '✓', label: 'reachable', aside, rank: 0 };
    case 'http_error':
      return status !== null && status < 500
        ? { tone: 'warn', glyph: '!', label: `answers ${status}`, aside, rank: 3 }
        : { tone: 'bad', glyph: '✗', label: status === null ? 'failing' : `answers ${status}`, aside, rank: 4 };
    case 'connect_failed':
      return {
        tone: 'bad',
        glyph: '✗',
        label: /refused/i.test(attempt.reason ?? '') ? 'refused' : 'unreachable',
        aside: '',
        rank: 6,
      };
    case 'timed_out':
      return { tone: 'bad', glyph: '✗', label: 'timed out', aside, rank: 5 };
    case 'reset':
      return { tone: 'bad', glyph: '✗', label: 'broke off', aside, rank: 5 };
    case 'held':
      return { tone: 'calm', glyph: '‖', label: 'held', aside: '', rank: 5 };
    case 'in_doubt':
      return { tone: 'warn', glyph: '!', label: 'in doubt', aside: '', rank: 2 };
    default:
      return untried;
  }
}

/** What several targets come to: the one that needs a look most, and how many there are. */
export function worst(states: TargetState[]): { state: TargetState; look: TargetLook } | null {
  let found: { state: TargetState; look: TargetLook } | null = null;
  for (const state of states) {
    const look = targetLook(state);
    if (!found || look.rank > found.look.rank) found = { state, look };
  }
  return found;
}
