import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Longest wait for the demo to tell its story, in milliseconds. */
const STORY_MS_MAX = 180_000;

/** The part of a row that finding one needs. */
export type Row = { id: string; event: string; endpoint_id: string; received_at: string };

/** The demo of `cargo xtask demo`, told in haste but for its end, and then standing still. */
export class Demo {
  #process: ChildProcess | null = null;
  link = '';

  async start(): Promise<void> {
    const { CREEL_DEMO, CREEL_BIN } = process.env;
    if (!CREEL_DEMO || !CREEL_BIN) throw new Error('CREEL_DEMO and CREEL_BIN must name the demo and creel.');
    const child = spawn(CREEL_DEMO, ['--creel', CREEL_BIN, '--burst', '345', '--still'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    const lines = createInterface({ input: child.stdout });
    const slow = setTimeout(() => child.kill('SIGINT'), STORY_MS_MAX);
    try {
      for await (const line of lines) {
        if (line.startsWith('UI:')) this.link = line.slice(3).trim();
        if (line.startsWith('Standing still')) return;
      }
    } finally {
      clearTimeout(slow);
    }
    throw new Error('The demo ended before its story was told.');
  }

  get origin(): string {
    return new URL(this.link).origin;
  }

  /** The newest delivery that a list query finds, and that `test` takes. */
  async newest(query: string, test: (row: Row) => boolean = () => true): Promise<Row> {
    const token = new URL(this.link).hash.slice('#token='.length);
    const answer = await fetch(`${this.origin}/api/deliveries?limit=500&${query}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { deliveries } = (await answer.json()) as { deliveries: Row[] };
    const found = deliveries.find(test);
    if (!found) throw new Error(`The demo has no delivery for ${query}.`);
    return found;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGINT');
    });
  }
}
