import type { Tone } from '../../components/tone';
import { bytesExact, duration, size } from '../../format/size';
import type { Attempt, AttemptTimings, DeliveryDetail } from '../../host/types';
import { outcomeLook } from '../states';
import { throughWhat } from './origin';
import { hostOf } from './verdict';

/** One thing that happened, in the order of time. */
export type Moment = {
  id: string;
  at: number;
  tone: Tone;
  glyph: string;
  title: string;
  note: string;
  /** Of an attempt: how long it took, and how the time was spent. */
  took: number | null;
  timings: AttemptTimings | null;
};

const ms = (timestamp: string) => new Date(timestamp).getTime();

function arrivals(row: DeliveryDetail): Moment[] {
  return row.arrivals.map((arrival) => {
    const first = arrival.n === 1;
    const from = arrival.client_ip ?? arrival.remote_addr;
    return {
      id: `arrival-${arrival.n}`,
      at: ms(arrival.received_at),
      tone: arrival.same_body ? (first ? 'busy' : 'calm') : 'warn',
      glyph: arrival.same_body ? '●' : '≠',
      title: row.replayed_from_delivery_id ? 'Replay made' : first ? 'Arrived' : `Arrived again (#${arrival.n})`,
      note: [
        first
          ? size(arrival.body_size)
          : arrival.same_body
            ? 'same bytes'
            : `other bytes, ${bytesExact(arrival.body_size)}`,
        from && !row.replayed_from_delivery_id ? `from ${from}` : '',
        throughWhat(arrival),
      ]
        .filter(Boolean)
        .join(', '),
      took: null,
      timings: null,
    };
  });
}

function stored(row: DeliveryDetail): Moment {
  const note = row.response_status === null ? '' : `the sender was told ${row.response_status}`;
  return {
    id: 'stored',
    at: ms(row.created_at),
    tone: 'calm',
    glyph: '●',
    title: 'Stored',
    note,
    took: null,
    timings: null,
  };
}

function attempted(attempt: Attempt): Moment {
  const look = outcomeLook(attempt.outcome);
  const came = attempt.response_status === null ? look.label.toLowerCase() : `answered ${attempt.response_status}`;
  const lasted = attempt.duration_ms === null ? '' : ` in ${duration(attempt.duration_ms)}`;
  return {
    id: attempt.id,
    at: ms(attempt.started_at ?? attempt.created_at),
    tone: look.tone,
    glyph: look.glyph,
    title: `Sent to ${hostOf(attempt.target_url)}`,
    note: `${came}${lasted}`,
    took: attempt.timings?.total_ms ?? attempt.duration_ms,
    timings: attempt.timings ?? null,
  };
}

/** Arrivals and attempts of a delivery, oldest first. */
export function timeline(row: DeliveryDetail, attempts: readonly Attempt[]): Moment[] {
  const moments = [...arrivals(row), stored(row), ...attempts.map(attempted)];
  // The sort is stable: of one millisecond, what is told first happened first.
  return moments.sort((a, b) => a.at - b.at);
}

/** Time between two moments in few characters. */
export function gap(from: number, to: number): string {
  const between = to - from;
  if (between < 1) return 'at once';
  if (between < 3_600_000) return `+${duration(between)}`;
  if (between < 86_400_000)
    return `+${Math.floor(between / 3_600_000)} h ${Math.round((between % 3_600_000) / 60_000)} min`;
  return `+${Math.floor(between / 86_400_000)} d ${Math.round((between % 86_400_000) / 3_600_000)} h`;
}
