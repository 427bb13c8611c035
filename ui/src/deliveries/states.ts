import type { Tone } from '../components/tone';
import { duration } from '../format/size';
import type { DeliverySummary } from '../host/types';

/** How a state looks and reads: colour, glyph and word, and one sentence that explains it. */
export type Look = { tone: Tone; glyph: string; label: string; explanation: string; aside?: string };

const statuses: Record<string, Look> = {
  queued: { tone: 'busy', glyph: '…', label: 'Queued', explanation: 'Its relay has not ended yet.' },
  dispatched: {
    tone: 'good',
    glyph: '✓',
    label: 'Dispatched',
    explanation: 'At least one target answered 2xx or 3xx, or there was nothing to relay to.',
  },
  rejected: {
    tone: 'odd',
    glyph: '⊘',
    label: 'Rejected',
    explanation: 'Its signature does not hold; it was not relayed.',
  },
  ignored: { tone: 'calm', glyph: '–', label: 'Ignored', explanation: 'Stored, and not relayed.' },
  failed: { tone: 'bad', glyph: '✗', label: 'Failed', explanation: 'Every target failed.' },
  interrupted: {
    tone: 'warn',
    glyph: '!',
    label: 'Interrupted',
    explanation: 'Creel stopped between sending and recording. It is not sent again unless you replay it.',
  },
};

const signatures: Record<string, Look> = {
  valid: { tone: 'good', glyph: '✓', label: 'Valid', explanation: 'The signature holds.' },
  invalid: { tone: 'odd', glyph: '✗', label: 'Invalid', explanation: 'The signature is there and does not hold.' },
  missing: {
    tone: 'odd',
    glyph: '?',
    label: 'Missing',
    explanation: 'A secret is set, and the request is not signed.',
  },
  not_required: {
    tone: 'calm',
    glyph: '–',
    label: 'Unchecked',
    explanation: 'No secret is set, or this is a replay: nothing was checked.',
  },
};

const outcomes: Record<string, Look> = {
  pending: { tone: 'busy', glyph: '…', label: 'Under way', explanation: 'The target has not answered yet.' },
  held: { tone: 'busy', glyph: '‖', label: 'Held', explanation: 'It waits until the target answers again.' },
  succeeded: { tone: 'good', glyph: '✓', label: 'Succeeded', explanation: 'The target answered 2xx or 3xx.' },
  http_error: { tone: 'bad', glyph: '✗', label: 'HTTP error', explanation: 'The target answered with an error.' },
  connect_failed: { tone: 'bad', glyph: '✗', label: 'No connection', explanation: 'The target could not be reached.' },
  timed_out: { tone: 'bad', glyph: '✗', label: 'Timed out', explanation: 'A time limit ran out.' },
  reset: { tone: 'bad', glyph: '✗', label: 'Reset', explanation: 'The connection broke, or the answer was no HTTP.' },
  in_doubt: {
    tone: 'warn',
    glyph: '!',
    label: 'In doubt',
    explanation: 'Creel stopped after it began to send: whether the target received it is not known.',
  },
};

/** Words of a newer engine keep their row, with a generic look. */
function unknown(word: string): Look {
  const label = word === '' ? 'Unknown' : word.charAt(0).toUpperCase() + word.slice(1).replaceAll('_', ' ');
  return { tone: 'warn', glyph: '◇', label, explanation: `“${word}” is not known to this window.` };
}

function look(table: Record<string, Look>, word: string): Look {
  return Object.hasOwn(table, word) ? (table[word] as Look) : unknown(word);
}

export const statusLook = (status: string): Look => look(statuses, status);
export const signatureLook = (status: string): Look => look(signatures, status);
export const outcomeLook = (outcome: string): Look => look(outcomes, outcome);

export const STATUS_WORDS = Object.keys(statuses);
export const SIGNATURE_WORDS = Object.keys(signatures);

const reasons: Record<string, string> = {
  no_target: 'no target',
  endpoint_disabled: 'endpoint paused',
  event_filtered: 'event filtered out',
  handshake: 'handshake',
  invalid_signature: 'signature does not match',
  missing_signature: 'signature missing',
  stale_timestamp: 'timestamp too old',
};

/** A reason of the contract in words; one that is not known is shown as it is. */
export function reasonText(reason: string): string {
  return reasons[reason] ?? reason.replaceAll('_', ' ');
}

const signatureReasons: Record<string, string> = {
  ok: 'It matches.',
  no_secret: 'The endpoint has no signing secret, so nothing was checked.',
  not_signed: 'The provider does not sign, or this is a replay.',
  missing_header: 'The header that carries the signature is absent.',
  malformed_header: 'The signature header is there, but not in the documented form.',
  wrong_secret_or_body: 'It is well formed, but was made with another secret or over other bytes.',
  stale_timestamp: 'It holds, but its timestamp is older than the tolerance.',
  future_timestamp: 'It holds, but its timestamp lies in the future.',
  unsupported_scheme: 'It uses a version or algorithm that the scheme does not know.',
};

export function signatureReasonText(reason: string): string {
  return signatureReasons[reason] ?? reason.replaceAll('_', ' ');
}

/** The one colour of a row in the list: what became of it, and whether its signature holds. */
export function rowTone(row: DeliverySummary): Tone {
  if (row.status === 'failed') return 'bad';
  if (row.signature_status === 'invalid' || row.signature_status === 'missing') return 'odd';
  if (row.status === 'dispatched' && row.relay_outcome === null) return 'calm';
  return statusLook(row.status).tone;
}

/** Outcomes in a word, for the narrow column of the list; the sentence is a tooltip away. */
const briefly: Record<string, string> = { connect_failed: 'down', timed_out: 'timeout', reset: 'reset' };

/** What the newest attempt came to, for the list: the app's status where there is one, else what happened. */
export function relayLook(row: DeliverySummary): Look {
  if (row.relay_outcome === null) {
    if (row.status === 'dispatched') {
      return { tone: 'calm', glyph: '–', label: 'no target', explanation: 'There was nothing to relay to.' };
    }
    return { tone: 'calm', glyph: '–', label: 'not relayed', explanation: 'It was not relayed.' };
  }
  const base = outcomeLook(row.relay_outcome);
  if (row.relay_status === null) return { ...base, label: briefly[row.relay_outcome] ?? base.label.toLowerCase() };
  const aside = row.relay_duration_ms === null ? '' : duration(row.relay_duration_ms);
  const tone = row.relay_status >= 500 ? 'bad' : row.relay_status >= 400 ? 'warn' : base.tone;
  return { ...base, tone, label: String(row.relay_status), aside };
}
