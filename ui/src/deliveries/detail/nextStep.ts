import type { Attempt, DeliverySummary } from '../../host/types';
import { hostOf } from './verdict';

/** What the reader can do now; `endpoint` leads to the endpoint's settings under that name. */
export type NextStep = { text: string; endpoint: string | null };

const say = (text: string, endpoint: string | null = null): NextStep => ({ text, endpoint });

function forSignature(row: DeliverySummary): NextStep | null {
  switch (row.signature_reason) {
    case 'no_secret':
      return say('To have deliveries verified, add the signing secret that the sender uses.', 'Add secret');
    case 'missing_header':
      return say(
        'The sender does not sign. Set the secret in its webhook settings, or clear it here if it cannot sign.',
        'Open endpoint',
      );
    case 'wrong_secret_or_body':
      return say(
        'Compare the secret here with the one in the sender’s webhook settings; tab Signature shows both signatures.',
        'Open endpoint',
      );
    case 'stale_timestamp':
    case 'future_timestamp':
      return say('Look at the clocks of both machines; an old request that is sent again fails this way, too.');
    case 'malformed_header':
    case 'unsupported_scheme':
      return say('Check that the endpoint’s provider is the one that sends.', 'Open endpoint');
    default:
      return null;
  }
}

function forStatus(status: number, row: DeliverySummary): NextStep {
  const path = `${row.method} ${row.path || '/'}`;
  if (status === 404 || status === 405) {
    return say(`Your app has no route for ${path} there. Correct the target’s path or the route, then press r.`);
  }
  if (status === 401 || status === 403) {
    return say('Your app refused it. If it checks signatures itself, compare its secret, then press r.');
  }
  if (status === 400 || status === 422) {
    return say('Your app did not accept the content. What it answered stands under Attempts. Mend it, then press r.');
  }
  if (status === 429) return say('Your app limits how often it may be called. Wait a little, then press r.');
  if (status >= 500) {
    return say('Your app failed. Its answer stands under Attempts, the rest in its log. Mend it, then press r.');
  }
  return say('What your app answered stands under Attempts. Press r to send it again.');
}

function forFailure(attempt: Attempt, row: DeliverySummary): NextStep {
  const host = hostOf(attempt.target_url);
  if (attempt.outcome === 'connect_failed' && /connection refused/.test(attempt.reason ?? '')) {
    return say(`Nothing answers on ${host}. Start your app, then press r.`);
  }
  if (attempt.outcome === 'connect_failed') {
    return say(`Creel could not reach ${host}. Check the target’s address, then press r.`, 'Open endpoint');
  }
  if (attempt.outcome === 'timed_out') {
    return say(`Look at what ${host} waits for. A handler should answer first and work afterwards. Then press r.`);
  }
  if (attempt.outcome === 'http_error' && attempt.response_status !== null) {
    return forStatus(attempt.response_status, row);
  }
  return say(`Look at the log of ${host}: it may have crashed. Then press r.`);
}

function notRelayed(row: DeliverySummary): NextStep | null {
  switch (row.reason) {
    case 'no_target':
      return say('Add the URL of your app as a target, then press r.', 'Add target');
    case 'endpoint_disabled':
      return say('The endpoint is paused. Switch it on again, or press r to relay this one.', 'Open endpoint');
    case 'event_filtered':
      return say(
        'No event filter of the endpoint lets this event through. Press r to relay it all the same.',
        'Open endpoint',
      );
    default:
      return null;
  }
}

/** What to do next about a delivery, or null when all is well. */
export function nextStep(row: DeliverySummary, attempts: readonly Attempt[] | null): NextStep | null {
  if (row.status === 'rejected') return forSignature(row);
  if (row.status === 'interrupted') return say('Look whether your app has it already; if not, press r.');
  if (row.status === 'failed') {
    const failed = attempts?.findLast((attempt) => attempt.outcome !== 'succeeded');
    return failed ? forFailure(failed, row) : null;
  }
  if (row.status === 'queued') return null;
  return notRelayed(row) ?? (row.replayed_from_delivery_id === null ? forSignature(row) : null);
}
