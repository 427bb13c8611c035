import { describe, expect, it } from 'vitest';
import { clientSource, isAddedBy, throughWhat } from './origin';

describe('throughWhat', () => {
  const tunnel = { provider: 'cloudflared', name: 'Cloudflare', adds_headers: [] };
  it('names the tunnel and the host that the sender saw, never the token behind it', () => {
    expect(throughWhat({ tunnel, public_url: 'https://a.example/in/ep_secret?b' })).toBe(
      'through Cloudflare (a.example)',
    );
    expect(throughWhat({ tunnel, public_url: null })).toBe('through Cloudflare');
  });
  it('is silent where it came by none', () => {
    expect(throughWhat({ tunnel: null, public_url: 'https://a.example/in/ep_secret' })).toBe('');
  });
});

describe('the client', () => {
  it('is told with how it became known, and a claim is called one', () => {
    expect(clientSource('peer')).toBe('the connection’s own address');
    expect(clientSource('cf-connecting-ip')).toBe('from Cf-Connecting-Ip');
    expect(clientSource('x-real-ip (claimed)')).toContain('claimed in X-Real-Ip');
    expect(clientSource(null)).toBe('');
  });
});

describe('headers of a delivery', () => {
  const tunnel = { provider: 'cloudflared', name: 'Cloudflare', adds_headers: ['cf-connecting-ip'] };
  it('are the tunnel’s where it was known to add them at arrival', () => {
    expect(isAddedBy(tunnel, 'Cf-Connecting-Ip')).toBe(true);
    expect(isAddedBy(tunnel, 'X-Forwarded-For')).toBe(false);
  });
  it('are the sender’s where it came by no tunnel', () => {
    expect(isAddedBy(null, 'Cf-Connecting-Ip')).toBe(false);
  });
});
