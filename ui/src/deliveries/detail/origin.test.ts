import { describe, expect, it } from 'vitest';
import type { TunnelProviderView } from '../../host/types';
import { clientSource, tunnelOf } from './origin';

const providers = [
  { slug: 'cloudflared', name: 'Cloudflare', adds_headers: ['cf-connecting-ip', 'x-forwarded-for'] },
] as unknown as TunnelProviderView[];

describe('the client', () => {
  it('is told with how it became known, and a claim is called one', () => {
    expect(clientSource('peer')).toBe('the connection’s own address');
    expect(clientSource('cf-connecting-ip')).toBe('from Cf-Connecting-Ip');
    expect(clientSource('x-real-ip (claimed)')).toContain('claimed in X-Real-Ip');
    expect(clientSource(null)).toBe('');
  });
});

describe('the tunnel of a delivery', () => {
  const tunnel = { public_url: 'https://a.example', provider: 'cloudflared' };
  it('is known while its public URL is the one of the arrival', () => {
    const found = tunnelOf({ public_url: 'https://a.example/in/ep_x?y' }, tunnel, providers);
    expect(found?.name).toBe('Cloudflare');
    expect(found?.adds.has('cf-connecting-ip')).toBe(true);
  });
  it('is not guessed', () => {
    expect(tunnelOf({ public_url: 'https://a.example.evil/in/ep_x' }, tunnel, providers)).toBeNull();
    expect(tunnelOf({ public_url: null }, tunnel, providers)).toBeNull();
    expect(tunnelOf({ public_url: 'https://a.example/in/x' }, null, providers)).toBeNull();
    expect(tunnelOf({ public_url: 'https://a.example/in/x' }, { ...tunnel, provider: 'x' }, providers)).toBeNull();
  });
});
