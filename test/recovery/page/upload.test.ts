import { readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

it('an upload that is cut in the middle is resumed, and nothing is queued before it is whole', async () => {
  const daemon = await DaemonWithPage.start();
  const bytes = readFileSync(makeClip(join(temporaryFolder(), 'clip.mp4'), { frames: 20 }));
  const half = Math.floor(bytes.length / 2);
  const host = `127.0.0.1:${daemon.port}`;
  const headers = {
    ...{ host, authorization: `Bearer ${daemon.token}` },
    'content-type': 'application/octet-stream',
  };
  const path = `/api/uploads?name=clip.mp4&folder=lanczos-2x&size=${bytes.length}&modifiedAtMs=1`;
  const folder = join(daemon.home, 'input/lanczos-2x');

  const cut = request({ host: '127.0.0.1', port: daemon.port, method: 'PUT', path, headers });
  cut.on('error', () => undefined);
  cut.setHeader('content-length', bytes.length);
  cut.write(bytes.subarray(0, half));
  const received = async (): Promise<unknown> =>
    JSON.parse((await daemon.ask('GET', path, { host })).text) as unknown;
  await vi.waitFor(async () => expect(await received()).toEqual({ received: half }), { timeout: 10_000 });
  cut.destroy();
  expect(readdirSync(folder)).toEqual([
    expect.stringMatching(/^\.framekiln-[0-9a-f]{16}-upload-[0-9a-f]{16}\.part$/),
  ]);

  const rest = (): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: daemon.port,
        method: 'PUT',
        path: `${path}&offset=${half}`,
        headers,
      };
      const call = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      call.once('error', reject);
      call.end(bytes.subarray(half));
    });
  // 409 until the daemon has noticed that the first connection is gone.
  await vi.waitFor(
    async () => expect(await rest()).toEqual({ status: 200, text: '{"file":"lanczos-2x/clip.mp4"}' }),
    { timeout: 10_000, interval: 100 },
  );
  expect(readFileSync(join(folder, 'clip.mp4')).equals(bytes)).toBe(true);
  expect(statSync(join(folder, 'clip.mp4')).size).toBe(bytes.length);
  await vi.waitFor(() => expect(daemon.log()).toMatch(/clip\.mp4 queued as job 1/), { timeout: 20_000 });

  const ask = (query: string) => daemon.ask('PUT', `/api/uploads?${query}`, headers, 'x');
  for (const query of [
    'name=..%2Fx.mp4&size=1',
    'name=.x.mp4&size=1',
    'name=x.part&size=1',
    'name=x.mp4&size=1&folder=..%2F..',
  ])
    expect((await ask(query)).status, query).toBe(400);
});

it('a missing disk is told apart from a full one', async () => {
  const daemon = await DaemonWithPage.start();
  for (const name of ['input', 'output']) {
    rmSync(join(daemon.home, name), { recursive: true });
    symlinkSync('/nowhere', join(daemon.home, name));
  }
  const read = async (path: string): Promise<unknown> =>
    JSON.parse((await daemon.ask('GET', path, { host: `127.0.0.1:${daemon.port}` })).text);
  expect(await read('/api/status')).toMatchObject({ freeBytes: null });
  expect(await read('/api/machine')).toMatchObject({
    disks: expect.arrayContaining([{ folder: join(daemon.home, 'output'), freeBytes: null }]) as unknown,
  });
  const headers = {
    ...{ host: `127.0.0.1:${daemon.port}`, authorization: `Bearer ${daemon.token}` },
    'content-type': 'application/octet-stream',
  };
  const { status, text } = await daemon.ask('PUT', '/api/uploads?name=x.mp4&size=1', headers, 'x');
  expect([status, text]).toEqual([503, expect.stringMatching(/input is missing \(it is a symbolic link/)]);
});
