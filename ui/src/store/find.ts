import type { Host } from '../host/contract';
import type { DeliveryList, DeliverySummary } from '../host/types';
import type { Filter } from './filter';
import { readDeliveryList } from './read';

type Query = Record<string, string | number | boolean>;

async function ask(host: Host, filter: Filter, query: Query): Promise<DeliveryList> {
  return readDeliveryList(await host.call('deliveries.list', { query: { ...filter, limit: 1, ...query } }));
}

/** The failed delivery next to the one with this number, older or newer, wherever it lies. */
export async function nearestFailed(
  host: Host,
  filter: Filter,
  seq: number,
  towards: 'older' | 'newer',
): Promise<DeliverySummary | null> {
  const failed = { ...filter, status: 'failed' };
  if (filter.status !== '' && filter.status !== 'failed') return null;
  if (towards === 'older') return (await ask(host, failed, { before: seq })).deliveries[0] ?? null;
  // The nearest newer one stands right above the first that is not newer.
  const below = await ask(host, failed, { before: seq + 1, rank: true });
  const newer = below.deliveries.length === 0 ? below.total : (below.rank ?? 0);
  if (newer === 0) return null;
  return (await ask(host, failed, { skip: newer - 1 })).deliveries[0] ?? null;
}

/** The rank of a delivery in a list with this filter, or null where it cannot be told. */
export async function rankIn(host: Host, filter: Filter, row: DeliverySummary): Promise<number | null> {
  return (await ask(host, filter, { before: row.seq + 1, rank: true })).rank;
}
