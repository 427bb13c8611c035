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

/**
 * Asks for a replay. One call is one Idempotency-Key: however often the request itself arrives, one delivery is made.
 * While a replay of the same delivery is under way nothing more is sent.
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
  try {
    const answer = await session.host.call('deliveries.replay', {
      params: { id },
      body: request,
      idempotencyKey: crypto.randomUUID(),
    });
    const row = readDelivery(answer);
    if (row) {
      session.deliveries.learn(row);
      session.detail.note(row.id, id);
    }
    return { made: row };
  } catch (thrown) {
    const said = classify(asFailure(thrown));
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
