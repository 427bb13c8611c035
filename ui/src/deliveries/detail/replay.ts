import { classify } from '../../errors/classify';
import { asFailure } from '../../errors/failure';
import type { DeliverySummary } from '../../host/types';
import { readDelivery } from '../../store/read';
import type { Session } from '../../store/session.svelte';

/** Deliveries whose replay is under way, so that a second click or key press does not make a second one. */
const underWay = new WeakMap<Session, Set<string>>();

/** What came of asking: the new delivery, what was refused, or nothing because one is under way already. */
export type Asked =
  { made: DeliverySummary | null } | { refused: { title: string; detail: string } } | { underWay: true };

/** Keys of requests whose answer was lost: the engine may have made the replay, and asking again must find that one. */
const unanswered = new WeakMap<Session, Map<string, string>>();

/** What leaves open whether the request was carried out. */
const LOST_ANSWER = new Set(['unreachable', 'bad_answer', 'aborted', 'unexpected']);

/**
 * Asks for a replay. One wish is one Idempotency-Key, also when it is asked for again after its answer was lost: one
 * delivery is made. While a replay of the same delivery is under way nothing more is sent.
 */
export async function askForReplay(
  session: Session,
  id: string,
  request: { force?: boolean; target_url?: string },
): Promise<Asked> {
  const ids = underWay.get(session) ?? new Set<string>();
  underWay.set(session, ids);
  if (ids.has(id)) return { underWay: true };
  ids.add(id);
  const keys = unanswered.get(session) ?? new Map<string, string>();
  unanswered.set(session, keys);
  const wish = `${id} ${JSON.stringify(request)}`;
  const idempotencyKey = keys.get(wish) ?? crypto.randomUUID();
  try {
    const answer = await session.host.call('deliveries.replay', {
      params: { id },
      body: request,
      idempotencyKey,
    });
    keys.delete(wish);
    const row = readDelivery(answer);
    if (row) {
      session.deliveries.learn(row);
      session.detail.note(row.id, id);
    }
    return { made: row };
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (LOST_ANSWER.has(failure.code)) keys.set(wish, idempotencyKey);
    else keys.delete(wish);
    const said = classify(failure);
    return { refused: { title: said.title, detail: said.detail } };
  } finally {
    ids.delete(id);
  }
}

/** The same, told in a notice. Returns the new delivery, or null. */
export async function replay(session: Session, id: string, force: boolean): Promise<DeliverySummary | null> {
  const asked = await askForReplay(session, id, force ? { force: true } : {});
  if ('refused' in asked) session.toasts.bad(`Not replayed: ${asked.refused.title}`, asked.refused.detail);
  if (!('made' in asked)) return null;
  session.toasts.good('Replayed as a new delivery.');
  return asked.made;
}
