import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as ask, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

type RunFile = { pid: number; ingress_url: string; admin_url: string; admin_token: string };

/** Longest wait for the engine to start or to end, in milliseconds. */
const ENGINE_MS_MAX = 20_000;

export type Endpoint = { id: string; token: string; ingress_url: string; name: string };

/** A real engine on a data directory of its own, which goes with it; or on one that is there and stays. */
export class Engine {
  readonly dir: string;
  readonly #stays: boolean;
  /** Shell scripts that the engine finds on its PATH, by name. */
  programs: Record<string, string> = {};
  #process: ChildProcess | null = null;
  #log = '';
  run!: RunFile;

  constructor(dir?: string) {
    this.#stays = dir !== undefined;
    this.dir = dir ?? mkdtempSync(join(tmpdir(), 'creel-e2e-'));
  }

  async start(ingress = '127.0.0.1:0', admin = '127.0.0.1:0'): Promise<void> {
    const binary = process.env.CREEL_BIN;
    if (!binary) throw new Error('CREEL_BIN must name the creel binary.');
    const file = join(this.dir, 'run.json');
    rmSync(file, { force: true });
    const programs = Object.entries(this.programs);
    const bin = programs.length > 0 ? [mkdtempSync(join(this.dir, 'bin-'))] : [];
    for (const [name, script] of programs) {
      writeFileSync(join(...bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    const child = spawn(binary, ['serve', '--data-dir', this.dir, '--ingress', ingress, '--admin', admin], {
      env: { ...process.env, PATH: [...bin, process.env.PATH ?? ''].join(delimiter) },
    });
    this.#process = child;
    child.stderr.on('data', (piece) => (this.#log += String(piece)));
    const deadline = Date.now() + ENGINE_MS_MAX;
    while (!existsSync(file)) {
      if (child.exitCode !== null) throw new Error(`The engine ended with ${child.exitCode}: ${this.#log}`);
      if (Date.now() > deadline) throw new Error(`The engine did not start in time: ${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.run = JSON.parse(readFileSync(file, 'utf8')) as RunFile;
  }

  /** The link that `creel serve` prints. */
  get link(): string {
    return `${this.run.admin_url}/#token=${this.run.admin_token}`;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill(signal);
    });
  }

  async dispose(): Promise<void> {
    await this.end(this.#stays ? 'SIGTERM' : 'SIGKILL');
    if (!this.#stays) rmSync(this.dir, { recursive: true, force: true });
  }

  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.run.admin_url}/api${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.run.admin_token}`, 'Content-Type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Waits until nothing is being relayed. */
  async quiet(): Promise<void> {
    const deadline = Date.now() + ENGINE_MS_MAX;
    for (;;) {
      const { total } = await this.api<{ total: number }>('GET', '/deliveries?status=queued&limit=1');
      if (total === 0) return;
      if (Date.now() > deadline) throw new Error('Something is still being relayed.');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  endpoint(name: string, more: object = {}): Promise<Endpoint> {
    return this.api('POST', '/endpoints', { name, ...more });
  }

  /** Posts as a sender would. */
  async send(
    endpoint: Endpoint,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
    suffix = '',
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(endpoint.ingress_url + suffix, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: body as BodyInit,
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
}

/** `X-Hub-Signature-256` of a body. */
export function signature(secret: string, body: string): Record<string, string> {
  return { 'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
}

/** The developer's app: a real server whose answer can be changed, and which keeps what it got. */
export class App {
  status = 200;
  body = '{"app":"ok"}';
  /** How long it takes to answer. */
  delayMs = 0;
  readonly received: { url: string; headers: IncomingMessage['headers']; body: Buffer }[] = [];
  #server: Server | null = null;

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        this.received.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(pieces) });
        setTimeout(() => {
          response.writeHead(this.status, { 'Content-Type': 'application/json', 'X-App': 'yes' });
          response.end(this.body);
        }, this.delayMs);
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    const address = this.#server?.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}/app`;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A way to the admin port that can be cut and mended while the engine itself goes on. */
export class Cable {
  #server: Server | null = null;
  #port = 0;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get link(): string {
    return `http://127.0.0.1:${this.#port}/#token=${this.#engine.run.admin_token}`;
  }

  async mend(): Promise<void> {
    const target = new URL(this.#engine.run.admin_url);
    const server = createServer((request, response) => {
      // The guard wants its own Host; everything else passes as it came.
      const headers = { ...request.headers, host: target.host };
      delete headers.origin;
      const onward = ask(
        { host: target.hostname, port: target.port, method: request.method, path: request.url, headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      request.pipe(onward);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
