import { describe, expect, it } from 'vitest';
import { customOf, usualScheme, withCustom } from './customScheme';

describe('a custom scheme', () => {
  it('is read with what is left out as the engine takes it', () => {
    expect(customOf({})).toBeNull();
    expect(customOf({ custom: null })).toBeNull();
    const custom = { header: 'X-Sig', algorithm: 'hmac-sha1' };
    expect(customOf({ custom })).toEqual({ ...usualScheme(), ...custom });
  });
  it('comes and goes without touching the other options', () => {
    const options = { public_url: 'https://a.example/' };
    const custom = { ...usualScheme(), header: 'X-Sig' };
    expect(withCustom(options, custom)).toEqual({ ...options, custom });
    expect(withCustom(withCustom(options, custom), null)).toEqual(options);
  });
});
