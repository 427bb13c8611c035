import { clearMocks, mockIPC } from '@tauri-apps/api/mocks';
import { afterEach, describe, expect, it } from 'vitest';
import type { LiveEvent } from './contract';
import { TauriHost } from './tauri';

afterEach(() => clearMocks());

const signal = () => new AbortController().signal;

describe('TauriHost', () => {
  it('calls an operation by its name, and sends no query value that is not set', async () => {
    let seen: unknown;
    mockIPC((command, payload) => {
      seen = { command, payload };
      return { total: 1 };
    });
    const input = { query: { status: '', q: 'a', before: undefined, limit: 5 }, idempotencyKey: 'k' };
    await expect(new TauriHost().call('deliveries.list', input)).resolves.toEqual({ total: 1 });
    expect(seen).toEqual({
      command: 'call',
      payload: { operation: 'deliveries.list', input: { query: { q: 'a', limit: 5 }, idempotencyKey: 'k' } },
    });
  });

  it('passes on the engine’s error with its code and field', async () => {
    mockIPC(() => {
      throw { code: 'relay_loop', message: 'm', help: 'h', field: 'targets' };
    });
    await expect(new TauriHost().call('endpoints.create')).rejects.toMatchObject({
      code: 'relay_loop',
      field: 'targets',
    });
  });

  it('takes bytes for bytes, and nothing else', async () => {
    mockIPC(() => new Uint8Array([1, 2]).buffer);
    const bytes = await new TauriHost().bytes('deliveries.body', { params: { id: 'a' } }, signal());
    expect([...new Uint8Array(bytes)]).toEqual([1, 2]);
    mockIPC(() => [1, 2]);
    await expect(new TauriHost().bytes('deliveries.body', {}, signal())).rejects.toMatchObject({ code: 'bad_answer' });
  });

  it('gives up a call that is aborted', async () => {
    mockIPC(() => new Promise(() => undefined));
    const controller = new AbortController();
    const call = new TauriHost().call('stats.get', {}, controller.signal);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'aborted' });
  });

  it('opens the stream after the last event, and ends it when told', async () => {
    let payload: Record<string, unknown> = {};
    mockIPC((_, given) => {
      payload = given as Record<string, unknown>;
      return null;
    });
    const controller = new AbortController();
    const seen: string[] = [];
    const ended = new TauriHost().events(
      'r-3',
      { onOpen: () => seen.push('open'), onEvent: (event: LiveEvent) => seen.push(event.id) },
      controller.signal,
    );
    await new Promise((resolve) => setTimeout(resolve));
    expect(payload.lastEventId).toBe('r-3');
    const channel = payload.channel as { onmessage: (event: LiveEvent) => void };
    channel.onmessage({ id: 'r-4', event: 'delivery', data: {} });
    controller.abort();
    await ended;
    channel.onmessage({ id: 'r-5', event: 'delivery', data: {} });
    expect(seen).toEqual(['open', 'r-4']);
  });
});
