import type { ErrorBody } from './types';
import type { OperationName } from './operations';

/** What a call carries. `params` fill the placeholders of the path. */
export type OperationInput = {
  params?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  idempotencyKey?: string;
  /** The page is being left: the call is to be sent all the same. */
  leaving?: boolean;
};

/** One event of the live stream. `id` resumes after it. */
export type LiveEvent = { id: string; event: string; data: unknown };

export type LiveListener = {
  /** The subscription stands: whatever happens from now on is delivered. */
  onOpen: () => void;
  onEvent: (event: LiveEvent) => void;
};

export type EngineState = { state: 'running' } | { state: 'blocked'; error: ErrorBody };

/** What the user chose for the desktop window. `tray`: whether there is one to hide the window in. */
export type WindowSettings = { keep_catching: boolean; notify: boolean; tray: boolean };

/**
 * All that the UI may ask of the world around it. It grows only on need.
 *
 * Every promise rejects with a `Failure`; an aborted one with a `Failure` of code `aborted`.
 */
export interface Host {
  readonly kind: 'http' | 'tauri';
  call<T>(operation: OperationName, input?: OperationInput, signal?: AbortSignal): Promise<T>;
  /** Raw bytes, never through JSON. */
  bytes(operation: OperationName, input: OperationInput, signal: AbortSignal): Promise<ArrayBuffer>;
  /** Settles only when the stream ends: rejects when it breaks, resolves when `signal` aborts it. */
  events(lastEventId: string | null, listener: LiveListener, signal: AbortSignal): Promise<void>;
  copyText(text: string): Promise<void>;
  /** Offers the bytes as a file; resolves with its path where the host knows it. */
  save(name: string, bytes: ArrayBuffer): Promise<string | null>;
  state(): Promise<EngineState>;
  /** Tries again to start an engine that is blocked. */
  retryStart(): Promise<EngineState>;
  /** Null in a browser, which has its own way with windows. */
  windowSettings(): Promise<WindowSettings | null>;
  setWindowSettings(settings: Omit<WindowSettings, 'tray'>): Promise<WindowSettings | null>;
}
