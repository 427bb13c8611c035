import type { DeliveryDetail } from '../../host/types';

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

/** Whether the tunnel that a delivery came by adds this header, as was known of it at arrival. */
export function isAddedBy(tunnel: DeliveryDetail['tunnel'], header: string): boolean {
  return tunnel?.adds_headers.includes(header.toLowerCase()) ?? false;
}
