import type { DeliveryDetail, TunnelProviderView, TunnelState } from '../../host/types';

/** Header names as they are usually written. */
function titled(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** How the client's address became known, in words. */
export function clientSource(source: string | null): string {
  if (source === null || source === '') return '';
  if (source === 'peer') return 'the connection’s own address';
  const claimed = / \(claimed\)$/.test(source);
  const header = titled(source.replace(/ \(claimed\)$/, ''));
  return claimed ? `claimed in ${header}: the sender may have written it` : `from ${header}`;
}

/**
 * The tunnel that a delivery came through, and which headers it adds. A delivery keeps the public URL of its arrival;
 * only while that is the present tunnel's is it known which program it was. Null: not known, or none.
 */
export function tunnelOf(
  row: Pick<DeliveryDetail, 'public_url'>,
  tunnel: Pick<TunnelState, 'public_url' | 'provider'> | null,
  providers: readonly TunnelProviderView[],
): { name: string; adds: ReadonlySet<string> } | null {
  if (!row.public_url || !tunnel?.public_url || !row.public_url.startsWith(`${tunnel.public_url}/`)) return null;
  const provider = providers.find(({ slug }) => slug === tunnel.provider);
  return provider ? { name: provider.name, adds: new Set(provider.adds_headers) } : null;
}
