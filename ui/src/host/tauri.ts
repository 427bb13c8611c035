import { Channel, invoke, type InvokeOptions } from '@tauri-apps/api/core';
import { asFailure, Failure } from '../errors/failure';
import type { EngineState, Host, LiveEvent, LiveListener, OperationInput, WindowSettings } from './contract';
import type { OperationName } from './operations';
import { setOnly } from './query';

function abortable<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(new Failure('aborted', 'Cancelled.'));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function ask<T>(
  command: string,
  input: Record<string, unknown> | ArrayBuffer,
  signal?: AbortSignal,
  options?: InvokeOptions,
): Promise<T> {
  try {
    return await abortable(invoke<T>(command, input, options), signal);
  } catch (thrown) {
    throw asFailure(thrown);
  }
}

/** A call as the window's command reads it. */
function asked(input: OperationInput): OperationInput {
  return { ...input, leaving: undefined, query: setOnly(input.query) };
}

/** The UI in the desktop window: Tauri's IPC alone, no port. */
export class TauriHost implements Host {
  readonly kind = 'tauri';

  async call<T>(operation: OperationName, input: OperationInput = {}, signal?: AbortSignal): Promise<T> {
    const answer = await ask<unknown>('call', { operation, input: asked(input) }, signal);
    if (typeof answer !== 'string') return answer as T;
    if (answer === '') return undefined as T;
    try {
      return JSON.parse(answer) as T;
    } catch {
      throw new Failure('bad_answer', `The answer to ${operation} is no JSON.`);
    }
  }

  async bytes(operation: OperationName, input: OperationInput, signal: AbortSignal): Promise<ArrayBuffer> {
    const answer = await ask<unknown>('call', { operation, input: asked(input) }, signal);
    if (answer instanceof ArrayBuffer) return answer;
    throw new Failure('bad_answer', `The answer to ${operation} is not raw bytes.`);
  }

  async events(lastEventId: string | null, listener: LiveListener, signal: AbortSignal): Promise<void> {
    const channel = new Channel<LiveEvent>();
    channel.onmessage = (event) => {
      if (!signal.aborted) listener.onEvent(event);
    };
    await ask('subscribe', { lastEventId, channel }, signal);
    if (signal.aborted) return;
    listener.onOpen();
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  copyText(text: string): Promise<void> {
    return ask('copy_text', { text });
  }

  save(name: string, bytes: ArrayBuffer): Promise<string> {
    return ask('save_file', bytes, undefined, { headers: { 'creel-file-name': name } });
  }

  state(): Promise<EngineState> {
    return ask('engine_state', {});
  }

  retryStart(): Promise<EngineState> {
    return ask('retry_start', {});
  }

  windowSettings(): Promise<WindowSettings> {
    return ask('window_settings', {});
  }

  setWindowSettings(settings: Omit<WindowSettings, 'tray'>): Promise<WindowSettings> {
    return ask('set_window_settings', { settings });
  }
}
