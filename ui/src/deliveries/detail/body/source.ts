import type { OperationInput } from '../../../host/contract';
import type { OperationName } from '../../../host/operations';
import type { DeliveryDetail } from '../../../host/types';

/** Where the bytes of a body come from. */
export type BodySource = {
  /** Named for people, such as `body of arrival 2`. */
  what: string;
  fileName: string;
  /** Bytes there are to show. */
  size: number;
  /** The whole header, parameters included; empty when there is none. */
  contentType: string;
  /** Fetches all of it. */
  whole: { operation: OperationName; params: NonNullable<OperationInput['params']> };
  /** Fetches windows of it; null for answers of targets, of which little is kept. */
  window: { id: string; arrival: number } | null;
};

type Headers = readonly (readonly [string, string])[];

/** The first value of a header, or nothing. */
export function headerValue(headers: Headers, name: string): string {
  return headers.find(([other]) => other.toLowerCase() === name)?.[1] ?? '';
}

export function deliveryBody(row: DeliveryDetail): BodySource {
  return {
    what: 'body',
    fileName: `${row.id}.body`,
    size: row.body_size,
    contentType: headerValue(row.headers, 'content-type'),
    whole: { operation: 'deliveries.body', params: { id: row.id } },
    window: { id: row.id, arrival: 1 },
  };
}

export function arrivalBody(row: DeliveryDetail, n: number, size: number, headers: Headers): BodySource {
  return {
    what: `body of arrival ${n}`,
    fileName: `${row.id}.${n}.body`,
    size,
    contentType: headerValue(headers, 'content-type'),
    whole: { operation: 'deliveries.arrival_body', params: { id: row.id, n } },
    window: { id: row.id, arrival: n },
  };
}
