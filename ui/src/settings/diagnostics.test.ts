import { describe, expect, it } from 'vitest';
import type { EndpointView, Settings, Stats } from '../host/types';
import { diagnostics, type Facts } from './diagnostics';

/** Stands wherever something secret or private may stand: if it is anywhere in the bundle, that leaked. */
const CANARY = 'CANARY';

const endpoint = {
  id: `id-${CANARY}`,
  name: `Name ${CANARY}`,
  token: `ep_${CANARY}`,
  ingress_path: `/in/ep_${CANARY}`,
  ingress_url: `http://127.0.0.1:4100/in/ep_${CANARY}`,
  public_url: `https://${CANARY}.example/in/ep_${CANARY}`,
  provider: 'github',
  scheme: null,
  provider_options: { secondary_secret: CANARY, [CANARY]: CANARY },
  body_policy: 'json',
  signature_policy: 'observe',
  enabled: true,
  duplicate_policy: 'collapse',
  reply: { mode: 'fixed', status: 202, headers: [['X-Key', CANARY]], body: CANARY, delay_ms: 5 },
  event_filters: [{ event: CANARY, actions: [CANARY] }],
  when_target_down: 'hold',
  targets: [
    {
      id: CANARY,
      url: `http://user${CANARY}:${CANARY}@127.0.0.1:3000/${CANARY}?key=${CANARY}#${CANARY}`,
      enabled: true,
      event_filters: [{ event: CANARY }],
    },
    { id: CANARY, url: `https://${CANARY}.example:8443/`, enabled: false, event_filters: [] },
    { id: CANARY, url: CANARY, enabled: true, event_filters: [] },
  ],
  allow_non_loopback: true,
  public_url_override: `https://${CANARY}.example`,
  has_signing_secret: true,
  signing_secret_hint: CANARY,
  signing_secrets: [{ id: CANARY, hint: CANARY, is_private_key: false, created_at: '2026-01-01T00:00:00.000Z' }],
  warnings: [{ code: 'short_secret', message: `The secret …${CANARY} is short.` }],
  last_delivery_at: null,
  created_at: '2026-01-01T00:00:00.000Z',
  a_field_of_a_newer_engine: CANARY,
} as unknown as EndpointView;

const stats = {
  version: '0.1.0',
  deliveries: 7,
  database_bytes: 4096,
  dropped: 0,
  public_url: `https://${CANARY}.example`,
  ingress_url: `http://${CANARY}:4100`,
  a_field_of_a_newer_engine: CANARY,
} as unknown as Partial<Stats>;

const facts: Facts = {
  at: new Date('2026-01-02T03:04:05Z'),
  version: '0.1.0',
  surroundings: {
    host: 'http',
    userAgent: 'Browser/1',
    platform: 'Linux',
    viewport: '1280×820',
    pixelRatio: 1,
    appearance: { theme: 'dark' },
  },
  connection: 'live',
  stats,
  settings: { keep_rows: 100_000, keep_days: 30, a_field_of_a_newer_engine: CANARY } as unknown as Settings,
  endpoints: [endpoint],
  refusalsByReason: { unknown_token: 3 },
};

describe('the diagnostics bundle', () => {
  it('holds no token, URL, secret, hint, name, credential or content', () => {
    expect(JSON.stringify(facts).split(CANARY).length).toBeGreaterThan(30);
    expect(diagnostics(facts).toLowerCase()).not.toContain(CANARY.toLowerCase());
  });

  it('holds what somebody who helps needs', () => {
    const bundle = JSON.parse(diagnostics(facts)) as Record<string, unknown>;
    expect(bundle).toMatchObject({
      creel: '0.1.0',
      made_at: '2026-01-02T03:04:05.000Z',
      connection: 'live',
      window: { platform: 'Linux' },
      stats: { deliveries: 7, database_bytes: 4096, dropped: 0, has_public_url: true },
      settings: { keep_rows: 100_000, keep_days: 30 },
      refusals: { unknown_token: 3 },
      endpoints: [
        {
          provider: 'github',
          signature_policy: 'observe',
          when_target_down: 'hold',
          reply: { mode: 'fixed', status: 202, headers: 1 },
          signing_secrets: 1,
          warnings: ['short_secret'],
          targets: [
            { scheme: 'http', port: '3000', where: 'this machine', has_credentials: true, has_query: true },
            { scheme: 'https', port: '8443', where: 'elsewhere', enabled: false },
            { scheme: 'unreadable' },
          ],
        },
      ],
    });
  });

  it('is made even when nothing is known', () => {
    const bundle = diagnostics({ ...facts, stats: null, settings: null, endpoints: [], version: null });
    expect(JSON.parse(bundle)).toMatchObject({ creel: null, stats: null, settings: null, endpoints: [] });
  });
});
