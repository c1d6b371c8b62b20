import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { freePort } from '../../helpers/free-port.ts';
import { makeHome, readLog, start } from '../../helpers/framekiln.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

it('the page lets in nobody who may not: every Host, Origin and token', async () => {
  const daemon = await DaemonWithPage.start();
  const own = `127.0.0.1:${daemon.port}`;
  const found: string[] = [];
  for (const host of [own, `localhost:${daemon.port}`, `evil.example:${daemon.port}`])
    for (const origin of [null, `http://${host}`, 'http://evil.example', 'null'])
      for (const token of [null, 'wrong', daemon.token]) {
        const headers = {
          host,
          ...(origin === null ? {} : { origin }),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        };
        const { status } = await daemon.ask('POST', '/api/queue/pause', headers);
        const isOwnOrigin = origin === null || origin === `http://${host}`;
        const expected = host.startsWith('evil')
          ? 421
          : !isOwnOrigin
            ? 403
            : token === daemon.token
              ? 200
              : 401;
        if (status !== expected)
          found.push(`${host} ${String(origin)} ${String(token)}: ${status}, not ${expected}`);
      }
  expect(found).toEqual([]);

  // A cookie is sent by other sites too, so it allows no change.
  const cookie = `framekiln-${daemon.port}=${daemon.token}`;
  expect((await daemon.ask('POST', '/api/queue/resume', { host: own, cookie })).status).toBe(401);
  // A proxy passes on the requests of others, who need the token also to read.
  const proxied = { host: own, 'x-forwarded-for': '192.0.2.1' };
  expect((await daemon.ask('GET', '/api/status', proxied)).status).toBe(401);
  expect((await daemon.ask('GET', '/api/status', { ...proxied, cookie })).status).toBe(200);
  expect(JSON.parse((await daemon.ask('GET', '/api/session', proxied)).text)).toEqual({ token: null });
  expect((await daemon.ask('GET', '/api/status', { host: own })).status).toBe(200);
  expect(statSync(join(daemon.home, '.framekiln/page-token')).mode & 0o777).toBe(0o600);

  for (const path of ['/assets/../package.json', '/assets/%2e%2e/package.json', '/etc/passwd', '/assets/'])
    expect((await daemon.ask('GET', path, { host: own })).status).toBe(404);
  const { headers } = await daemon.ask('GET', '/', { host: own });
  expect(headers['content-security-policy']).toMatch(/script-src 'self';/);
  expect(headers['content-security-policy']).not.toMatch(/unsafe/);

  // Ten wrong tokens within a minute; then even the right one has to wait.
  const statuses: number[] = [];
  for (let i = 0; i < 12; i++)
    statuses.push((await daemon.ask('GET', '/api/log', { host: own, authorization: 'Bearer no' })).status);
  expect(statuses.at(-1)).toBe(429);
  const right = { host: own, authorization: `Bearer ${daemon.token}` };
  expect((await daemon.ask('POST', '/api/queue/resume', right)).status).toBe(429);

  daemon.running.child.kill('SIGTERM');
  expect(await daemon.running.ended).toBe(0);
});

it(
  'a port in use costs one line in the log, and the daemon works without the page',
  { tags: ['slow'] },
  async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    const home = makeHome(temporaryFolder());
    const { child, ended } = start(['start', '--home', home], {
      FRAMEKILN_PAGE_ENABLED: 'true',
      FRAMEKILN_PAGE_PORT: String(port),
    });
    const line =
      /cannot serve the page: port \d+ on 127\.0\.0\.1 is in use; continuing without it; to use another port, set page\.port and restart the daemon/;
    await vi.waitFor(() => expect(readLog(home)).toMatch(line), { timeout: 20_000, interval: 50 });
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  },
);
