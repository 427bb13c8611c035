import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './engine';

/**
 * A program that makes a tunnel, as far as Creel can tell: it says where it is reached, says some more, and stays. The
 * URL is one of the ingress itself, so that what is sent through it arrives.
 */
export class Program {
  readonly #dir: string;

  constructor(engine: Engine, url = engine.run.ingress_url) {
    this.#dir = engine.dir;
    this.url(url);
    this.says('connected to the edge');
    writeFileSync(
      this.path,
      ['#!/bin/sh', `echo $$ > '${this.#file('pid')}'`, `cat '${this.#file('says')}'`]
        .concat(`echo "forwarding to you: $(cat '${this.#file('url')}')"`, 'exec sleep 600')
        .join('\n'),
    );
    chmodSync(this.path, 0o755);
  }

  get path(): string {
    return this.#file('sh');
  }

  /** Where the next start says that it is reached. */
  url(url: string): void {
    writeFileSync(this.#file('url'), url);
  }

  says(text: string | Buffer): void {
    writeFileSync(this.#file('says'), Buffer.concat([Buffer.from(text), Buffer.from('\n')]));
  }

  get pid(): number {
    return existsSync(this.#file('pid')) ? Number(readFileSync(this.#file('pid'), 'utf8')) : 0;
  }

  get start() {
    return { provider: 'custom', options: { command: [this.path], url_pattern: 'forwarding to you: (?P<url>\\S+)' } };
  }

  #file(name: string): string {
    return join(this.#dir, `test-tunnel.${name}`);
  }
}
