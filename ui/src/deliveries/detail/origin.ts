import type { DeliveryDetail } from '../../host/types';
import { hostOf } from './verdict';

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

/** The tunnel that something came by and the host that its sender saw; nothing when it came by none of Creel's own. */
export function throughWhat({ tunnel, public_url }: Pick<DeliveryDetail, 'tunnel' | 'public_url'>): string {
  if (!tunnel) return '';
  return `through ${tunnel.name}${public_url ? ` (${hostOf(public_url)})` : ''}`;
}

/** Whether the tunnel that a delivery came by adds this header, as was known of it at arrival. */
export function isAddedBy(tunnel: DeliveryDetail['tunnel'], header: string): boolean {
  return tunnel?.adds_headers.includes(header.toLowerCase()) ?? false;
}
