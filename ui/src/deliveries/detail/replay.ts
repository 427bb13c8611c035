import { classify } from '../../errors/classify';
import { asFailure } from '../../errors/failure';
import type { DeliverySummary } from '../../host/types';
import { readDelivery } from '../../store/read';
import type { Session } from '../../store/session.svelte';

/** Deliveries whose replay is under way, so that a second click or key press does not make a second one. */
const underWay = new WeakMap<Session, Set<string>>();

/**
 * Replays a delivery. One call is one Idempotency-Key: however often the request itself arrives, one delivery is made.
 * While a replay of the same delivery is under way nothing more is sent. Returns the new delivery, or null.
 */
export async function replay(session: Session, id: string, force: boolean): Promise<DeliverySummary | null> {
  const ids = underWay.get(session) ?? new Set<string>();
  underWay.set(session, ids);
  if (ids.has(id)) return null;
  ids.add(id);
  try {
    const answer = await session.host.call('deliveries.replay', {
      params: { id },
      body: force ? { force: true } : {},
      idempotencyKey: crypto.randomUUID(),
    });
    const row = readDelivery(answer);
    if (row) session.deliveries.learn(row);
    session.toasts.good('Replayed as a new delivery.');
    return row;
  } catch (thrown) {
    const said = classify(asFailure(thrown));
    session.toasts.bad(`Not replayed: ${said.title}`, said.detail);
    return null;
  } finally {
    ids.delete(id);
  }
}
