import { request } from 'node:http';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { vi } from 'vitest';
import type { FailPoint } from '../../src/lib/fail-point.ts';
import { failPointFolder } from './fail-points.ts';
import { makeHome, readLog, start, type Running } from './framekiln.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The real daemon with its page. */
export class DaemonWithPage {
  readonly home: string;
  readonly port: number;
  running: Running;

  readonly #environment: Record<string, string>;

  private constructor(home: string, port: number, environment: Record<string, string>) {
    this.home = home;
    this.port = port;
    this.#environment = environment;
    this.running = this.#start();
  }

  static async start({
    root = temporaryFolder(),
    armed = [] as readonly `${FailPoint} ${string}`[],
  } = {}): Promise<DaemonWithPage> {
    const points = armed.length === 0 ? null : failPointFolder(join(temporaryFolder(), 'points'));
    points?.arm(...armed);
    const daemon = new DaemonWithPage(makeHome(root), await freePort(), points?.environment ?? {});
    await daemon.isOpen();
    return daemon;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  get token(): string {
    return readFileSync(join(this.home, '.framekiln/page-token'), 'utf8').trim();
  }

  async restart(): Promise<void> {
    await this.running.killGroup();
    this.running = this.#start();
    await this.isOpen();
  }

  async isOpen(): Promise<void> {
    await vi.waitFor(() => this.ask('GET', '/healthz'), { timeout: 30_000, interval: 50 });
  }

  /** Sends a request with exactly these headers. */
  ask(method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port: this.port, method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        );
      });
      call.once('error', reject);
      call.end(body);
    });
  }

  /** Sends a change with the token. */
  change(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const text = body === undefined ? '' : JSON.stringify(body);
    return this.ask('POST', path, { authorization: `Bearer ${this.token}`, ...json, ...headers }, text);
  }

  log(): string {
    return readLog(this.home);
  }

  #start(): Running {
    return start(['start', '--home', this.home], {
      FRAMEKILN_PAGE_ENABLED: 'true',
      FRAMEKILN_PAGE_PORT: String(this.port),
      ...this.#environment,
    });
  }
}
