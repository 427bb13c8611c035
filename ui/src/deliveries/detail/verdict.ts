import type { Tone } from '../../components/tone';
import { duration } from '../../format/size';
import type { Attempt, DeliverySummary } from '../../host/types';
import { outcomeLook, reasonText, signatureReasonText } from '../states';

export type Verdict = { tone: Tone; sentences: string[] };

function signatureSentence(row: DeliverySummary): string {
  if (row.replayed_from_delivery_id) return 'A replay: its signature is not checked.';
  switch (row.signature_status) {
    case 'valid':
      return 'The signature is valid.';
    case 'invalid':
      return `The signature is invalid. ${signatureReasonText(row.signature_reason)}`;
    case 'missing':
      return `The signature is missing. ${signatureReasonText(row.signature_reason)}`;
    case 'not_required':
      return row.signature_reason === 'no_secret'
        ? 'Not verified: the endpoint has no signing secret.'
        : 'Not verified: this provider does not sign.';
    default:
      return `Signature: ${String(row.signature_status).replaceAll('_', ' ')}.`;
  }
}

function took(ms: number | null): string {
  return ms === null ? '' : ` in ${duration(ms)}`;
}

function attemptSentence(attempt: Attempt, count: number): string {
  const which = count > 1 ? ` (attempt ${attempt.n} of ${count})` : '';
  if (attempt.response_status !== null) {
    return `Your app answered ${attempt.response_status}${took(attempt.duration_ms)}${which}.`;
  }
  switch (attempt.outcome) {
    case 'pending':
      return `Being sent to your app${which}.`;
    case 'connect_failed':
      return `Nothing answers at the target${which}. Start your app, then press Replay.`;
    case 'timed_out':
      return `Your app did not answer in time${which}.`;
    case 'in_doubt':
      return `Creel stopped while it was sending${which}: whether your app received it is not known.`;
    default:
      return `${outcomeLook(attempt.outcome).label}${which}: your app gave no answer.`;
  }
}

function relaySentence(row: DeliverySummary, attempts: readonly Attempt[] | null): string {
  if (row.status === 'rejected') return 'It was not relayed.';
  if (row.status === 'ignored') return `Stored and not relayed: ${reasonText(row.reason ?? 'ignored')}.`;
  if (row.relay_attempt_count === 0) return 'There was no target to relay it to.';
  const newest = attempts?.at(-1);
  if (newest && attempts) return attemptSentence(newest, attempts.length);
  if (row.relay_status !== null) return `Your app answered ${row.relay_status}${took(row.relay_duration_ms)}.`;
  if (row.relay_outcome !== null) return `${outcomeLook(row.relay_outcome).explanation}`;
  return 'Its relay has not ended yet.';
}

function tone(row: DeliverySummary): Tone {
  if (row.status === 'rejected') return 'odd';
  if (row.status === 'failed') return 'bad';
  if (row.status === 'interrupted') return 'warn';
  if (row.status === 'queued') return 'busy';
  if (row.signature_status === 'invalid' || row.signature_status === 'missing') return 'odd';
  if (row.status === 'dispatched' && row.relay_attempt_count > 0) return 'good';
  return 'calm';
}

/** What became of a delivery, in sentences for people. */
export function verdict(row: DeliverySummary, attempts: readonly Attempt[] | null): Verdict {
  const sentences = [signatureSentence(row), relaySentence(row, attempts)];
  const more = row.attempt_count - 1;
  if (more > 0)
    sentences.push(
      `The sender delivered it ${more === 1 ? 'once' : `${more} times`} more; that was not relayed again.`,
    );
  return { tone: tone(row), sentences };
}
