import { describe, expect, it } from 'vitest';
import { appUrl, hostAndPath, shortAppUrl } from './appUrl';

describe('appUrl', () => {
  it('takes a port, a port with a path, a host and a URL', () => {
    expect(appUrl('3000')).toBe('http://localhost:3000');
    expect(appUrl(' :3000 ')).toBe('http://localhost:3000');
    expect(appUrl('3000/api/hooks?a=b')).toBe('http://localhost:3000/api/hooks?a=b');
    expect(appUrl('127.0.0.1:8080/x')).toBe('http://127.0.0.1:8080/x');
    expect(appUrl('[::1]:8080')).toBe('http://[::1]:8080');
    expect(appUrl('https://app.test/x')).toBe('https://app.test/x');
  });
  it('takes nothing else', () => {
    for (const text of ['', '   ', '0', '70000', '123456', 'abc', '/hooks', 'ftp://x/', 'http://', 'a b:3', '30 00'])
      expect(appUrl(text), text).toBeNull();
  });
  it('is shortened to what would be typed', () => {
    for (const text of ['3000', '3000/hooks', 'http://127.0.0.1:3000/x'])
      expect(shortAppUrl(appUrl(text) ?? '')).toBe(text);
    expect(shortAppUrl('http://localhost:3000/')).toBe('3000');
  });
});

describe('hostAndPath', () => {
  it('leaves out what says nothing', () => {
    expect(hostAndPath('http://localhost:3000/')).toBe('localhost:3000');
    expect(hostAndPath('https://a.test/hooks')).toBe('a.test/hooks');
    expect(hostAndPath('nonsense')).toBe('nonsense');
  });
});
