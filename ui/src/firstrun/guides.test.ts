import { describe, expect, it } from 'vitest';
import { curlLine, guideOf, tunnelLines } from './guides';

describe('guides', () => {
  it('falls back to the one for any sender', () => {
    expect(guideOf('github').label).toBe('GitHub');
    expect(guideOf('unheard-of').label).toBe('Other');
  });
  it('cannot be broken out of the quotes of a shell', () => {
    expect(curlLine("http://x/'; rm -rf ~; '")).toContain("'http://x/%27; rm -rf ~; %27'");
  });
  it('names the port that the engine really has', () => {
    expect(tunnelLines('http://127.0.0.1:4444').map((tunnel) => tunnel.line)).toEqual([
      'cloudflared tunnel --url http://127.0.0.1:4444',
      'ngrok http 4444',
    ]);
  });
});
