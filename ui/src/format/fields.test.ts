import { describe, expect, it } from 'vitest';
import { boundaryOf, multipart, urlFields } from './fields';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('urlFields', () => {
  it('keeps order and repeats, and decodes', () => {
    expect(urlFields('a=1&b=x+y%20z&a=%C3%A9&flag&=v&')).toEqual([
      ['a', '1'],
      ['b', 'x y z'],
      ['a', 'é'],
      ['flag', ''],
      ['', 'v'],
      ['', ''],
    ]);
  });
  it('leaves alone what does not decode', () => {
    expect(urlFields('a=%ff&b=%zz+1')).toEqual([
      ['a', '%ff'],
      ['b', '%zz+1'],
    ]);
    expect(urlFields('')).toEqual([]);
  });
});

describe('multipart', () => {
  const body =
    '--b\r\nContent-Disposition: form-data; name="té"\r\n\r\nvalue\r\n' +
    '--b\r\nContent-Disposition: form-data; name="f"; filename="a;\\"b.png"\r\nContent-Type: image/png\r\n\r\n\u0001\r\n\r\n--b--\r\n';
  it('lists its parts with their exact sizes', () => {
    expect(multipart(bytes(body), 'b')).toEqual([
      { name: 'té', fileName: null, contentType: null, size: 5, text: 'value' },
      { name: 'f', fileName: 'a;\\"b.png', contentType: 'image/png', size: 3, text: '\u0001\r\n' },
    ]);
  });
  it('does not claim parts where there are none', () => {
    expect(multipart(bytes('plain text'), 'b')).toBeNull();
    expect(multipart(bytes('--b\r\nno end of the head'), 'b')).toBeNull();
    expect(multipart(bytes('preamble\r\n--b\r\n\r\nx\r\n--b--'), 'b')).toHaveLength(1);
  });
  it('finds the boundary, quoted or not', () => {
    expect(boundaryOf('multipart/form-data; boundary=abc')).toBe('abc');
    expect(boundaryOf('multipart/form-data; charset=x; boundary="a b;c"')).toBe('a b;c');
    expect(boundaryOf('multipart/form-data')).toBeNull();
  });
});
