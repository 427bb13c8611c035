import type { LiveEvent } from './contract';

/**
 * Reads Server-Sent Events from text that comes in pieces (WHATWG HTML, section 9.2.6).
 * `EventSource` cannot send an `Authorization` header, so the stream is read with fetch.
 */
export class EventParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id = '';

  /** The events that this piece completes. */
  push(piece: string): LiveEvent[] {
    const text = this.#rest + piece;
    // A lone CR at the end may be half of a CRLF: keep it for the next piece.
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + text.slice(end);
    const events: LiveEvent[] = [];
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  #line(line: string): LiveEvent | null {
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return null;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #dispatch(): LiveEvent | null {
    const event = this.#event || 'message';
    const data = this.#data;
    this.#event = '';
    this.#data = [];
    if (data.length === 0) return null;
    let parsed: unknown;
    try {
      parsed = JSON.parse(data.join('\n'));
    } catch {
      // Unreadable data must not pass silently: the join asks for everything anew.
      return { id: this.#id, event: 'resync', data: null };
    }
    return { id: this.#id, event, data: parsed };
  }
}
