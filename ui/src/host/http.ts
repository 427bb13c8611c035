import { asFailure, Failure, failureFromBody } from '../errors/failure';
import type { EngineState, Host, LiveListener, OperationInput } from './contract';
import { operations, type OperationName } from './operations';
import { setOnly } from './query';
import { EventParser } from './sse';

/** The stream sends a comment every 15 s; this long without a byte means that it is dead. In milliseconds. */
const STREAM_SILENCE_MS_MAX = 45_000;

/** The REST path of an operation with its placeholders filled and its query. */
export function address(operation: OperationName, input: OperationInput): string {
  const path = operations[operation].path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = input.params?.[name];
    if (value === undefined) throw new Failure('unexpected', `${operation} needs the parameter ${name}.`);
    return encodeURIComponent(String(value));
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(setOnly(input.query))) query.set(name, String(value));
  const text = query.toString();
  return `/api${path}${text ? `?${text}` : ''}`;
}

async function failureOf(response: Response): Promise<Failure> {
  const body: unknown = await response.json().catch(() => null);
  if (response.status === 401) return new Failure('unauthorized', 'The engine does not accept this token.');
  const read = failureFromBody(body);
  return read ?? new Failure('bad_answer', `The engine answered ${response.status} without saying why.`);
}

/** The UI in a browser: REST and the event stream of the listener that served the page. */
export class HttpHost implements Host {
  readonly kind = 'http';
  readonly #token: string | null;

  constructor(token: string | null) {
    this.#token = token;
  }

  async #send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: unknown,
    signal?: AbortSignal,
    keepalive = false,
  ) {
    if (this.#token === null) throw new Failure('unauthorized', 'This page was opened without its token.');
    const request: RequestInit = {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, ...headers },
      cache: 'no-store',
      credentials: 'omit',
      keepalive,
    };
    if (body !== undefined) request.body = JSON.stringify(body);
    if (signal) request.signal = signal;
    let response: Response;
    try {
      response = await fetch(path, request);
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.code === 'aborted') throw failure;
      throw new Failure('unreachable', 'The engine does not answer.');
    }
    if (!response.ok) throw await failureOf(response);
    return response;
  }

  #request(operation: OperationName, input: OperationInput, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {};
    if (input.body !== undefined) headers['Content-Type'] = 'application/json';
    if (input.idempotencyKey) headers['Idempotency-Key'] = input.idempotencyKey;
    const { method } = operations[operation];
    return this.#send(method, address(operation, input), headers, input.body, signal, input.leaving);
  }

  async call<T>(operation: OperationName, input: OperationInput = {}, signal?: AbortSignal): Promise<T> {
    const response = await this.#request(operation, input, signal);
    if (response.status === 204) return undefined as T;
    try {
      return (await response.json()) as T;
    } catch (thrown) {
      const failure = asFailure(thrown);
      throw failure.code === 'aborted' ? failure : new Failure('bad_answer', `The answer to ${operation} is no JSON.`);
    }
  }

  async bytes(operation: OperationName, input: OperationInput, signal: AbortSignal): Promise<ArrayBuffer> {
    const response = await this.#request(operation, input, signal);
    try {
      return await response.arrayBuffer();
    } catch (thrown) {
      const failure = asFailure(thrown);
      throw failure.code === 'aborted' ? failure : new Failure('unreachable', 'The bytes broke off on their way.');
    }
  }

  async events(lastEventId: string | null, listener: LiveListener, signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (lastEventId) headers['Last-Event-ID'] = lastEventId;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), STREAM_SILENCE_MS_MAX);
    };
    try {
      heard();
      const either = AbortSignal.any([signal, silence.signal]);
      const response = await this.#send('GET', '/api/events', headers, undefined, either);
      if (!response.body) throw new Failure('bad_answer', 'The event stream has no body.');
      listener.onOpen();
      await this.#read(response.body, listener, heard);
      throw new Failure('unreachable', 'The engine closed the event stream.');
    } catch (thrown) {
      if (signal.aborted) return;
      if (silence.signal.aborted) throw new Failure('unreachable', 'The event stream fell silent.');
      const failure = asFailure(thrown);
      throw failure.code === 'unexpected' ? new Failure('unreachable', 'The event stream broke.') : failure;
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(body: ReadableStream<Uint8Array>, listener: LiveListener, heard: () => void): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      for (const event of parser.push(decoder.decode(value, { stream: true }))) listener.onEvent(event);
    }
  }

  async copyText(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text);
    }
  }

  save(name: string, bytes: ArrayBuffer): Promise<string | null> {
    saveByLink(name, bytes);
    return Promise.resolve(null);
  }

  async state(): Promise<EngineState> {
    await this.call('health.get');
    return { state: 'running' };
  }

  retryStart(): Promise<EngineState> {
    return this.state();
  }

  windowSettings(): Promise<null> {
    return Promise.resolve(null);
  }

  setWindowSettings(): Promise<null> {
    return Promise.resolve(null);
  }
}

/** Where the clipboard API is refused (no focus, no permission): the old way through a selection. */
function copyBySelection(text: string): void {
  const area = document.createElement('textarea');
  area.value = text;
  area.setAttribute('readonly', '');
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) throw new Failure('copy_refused', 'The browser does not allow copying here.');
}

/** Hands the bytes to the browser as a download; as `application/octet-stream`, so that nothing is opened in place. */
function saveByLink(name: string, bytes: ArrayBuffer): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
