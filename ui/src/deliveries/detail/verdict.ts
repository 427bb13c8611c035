import type { Tone } from '../../components/tone';
import { duration } from '../../format/size';
import type { Attempt, DeliverySummary } from '../../host/types';
import { outcomeLook, reasonText, signatureReasonText } from '../states';

export type Verdict = { tone: Tone; sentences: string[] };

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];

/** Host and port of a target, for people. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

function signatureSentence(row: DeliverySummary, provider: string | null): string {
  if (row.replayed_from_delivery_id) return 'A replay: its signature is not checked.';
  switch (row.signature_status) {
    case 'valid':
      return provider ? `Signature valid (${provider}).` : 'Signature valid.';
    case 'invalid':
      return `Signature invalid. ${signatureReasonText(row.signature_reason)}`;
    case 'missing':
      return `Signature missing. ${signatureReasonText(row.signature_reason)}`;
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

/** What the newest attempt to a target came to. `who` begins a sentence. */
function attemptSentence(attempt: Attempt, tries: number, who: string): string {
  const which = tries > 1 ? ` on the ${ORDINALS[tries - 1] ?? `${tries}th`} try` : '';
  if (attempt.response_status !== null && attempt.outcome !== 'timed_out' && attempt.outcome !== 'reset') {
    return `${who} answered ${attempt.response_status}${took(attempt.duration_ms)}${which}.`;
  }
  switch (attempt.outcome) {
    case 'pending':
      return `It is being sent to ${hostOf(attempt.target_url)}${which}.`;
    case 'held':
      return `It waits until ${hostOf(attempt.target_url)} answers again.`;
    case 'connect_failed':
      return `${who} could not be reached${which}.`;
    case 'timed_out':
      return `${who} did not answer in time${which}.`;
    case 'in_doubt':
      return `Creel stopped while it was sending${which}: whether your app received it is not known.`;
    case 'reset':
      return `${who} broke the connection off, or gave no HTTP answer${which}.`;
    default:
      return `${outcomeLook(attempt.outcome).label}${which}: your app gave no answer.`;
  }
}

/** One sentence for each target; `Your app` where there is only one. */
function attemptSentences(attempts: readonly Attempt[]): string[] {
  const byTarget = new Map<string, Attempt[]>();
  for (const attempt of attempts)
    byTarget.set(attempt.target_url, [...(byTarget.get(attempt.target_url) ?? []), attempt]);
  return [...byTarget].map(([url, tries]) => {
    const newest = tries.reduce((a, b) => (b.n > a.n ? b : a));
    return attemptSentence(newest, tries.length, byTarget.size === 1 ? 'Your app' : hostOf(url));
  });
}

function relaySentences(row: DeliverySummary, attempts: readonly Attempt[] | null): string[] {
  if (row.status === 'rejected') return ['It was not relayed.'];
  if (row.status === 'ignored') return [`Stored and not relayed: ${reasonText(row.reason ?? 'ignored')}.`];
  if (row.relay_attempt_count === 0) return ['There was no target to relay it to.'];
  if (attempts && attempts.length > 0) return attemptSentences(attempts);
  if (row.relay_status !== null) return [`Your app answered ${row.relay_status}${took(row.relay_duration_ms)}.`];
  if (row.relay_outcome !== null) return [outcomeLook(row.relay_outcome).explanation];
  return ['Its relay has not ended yet.'];
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

/** What became of a delivery, in sentences for people. `provider`: the name of the one that signs, if any. */
export function verdict(
  row: DeliverySummary,
  attempts: readonly Attempt[] | null,
  provider: string | null = null,
): Verdict {
  const sentences = [signatureSentence(row, provider), ...relaySentences(row, attempts)];
  const more = row.attempt_count - 1;
  if (more > 0)
    sentences.push(
      `The sender delivered it ${more === 1 ? 'once' : `${more} times`} more; that was not relayed again.`,
    );
  return { tone: tone(row), sentences };
}
