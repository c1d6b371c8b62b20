import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openBrowser, whyNoBrowser } from '../../helpers/browser.ts';
import { makeClip } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';

const suffix = whyNoBrowser === null ? '' : ` (${whyNoBrowser})`;
const browserTest = it.skipIf(whyNoBrowser !== null);
const WAIT = { timeout: 60_000 };

/** A daemon with a paused queue of clips `a.mp4`, `b.mp4` and so on. */
async function daemonWithQueue(names: string): Promise<DaemonWithPage> {
  const daemon = await DaemonWithPage.start();
  await daemon.change('/api/queue/pause');
  for (const [i, name] of names.split(' ').entries()) {
    makeClip(join(daemon.home, `input/lanczos-2x/${name}.mp4`), { frames: 10 + i, audio: false });
    await expect.poll(async () => (await order(daemon)).length, WAIT).toBe(i + 1);
  }
  return daemon;
}

async function order(daemon: DaemonWithPage): Promise<string[]> {
  const { jobs } = JSON.parse((await daemon.ask('GET', '/api/jobs')).text) as { jobs: { file: string }[] };
  return jobs.map(({ file }) => file.slice(-5, -4));
}

browserTest(`the queue is reordered by mouse and by keys, and shows its total time${suffix}`, async () => {
  const daemon = await daemonWithQueue('a b c d');
  const page = await openBrowser(`${daemon.address}#/queue`);
  const handle = (name: string) => page.getByRole('button', { name: `Move ${name}.mp4` });
  await handle('d').waitFor(WAIT);
  const rowOf = async (name: string) => {
    const box = await page.locator('.row', { hasText: `${name}.mp4` }).boundingBox();
    return box ?? { y: 0, height: 0 };
  };
  await handle('d').hover();
  await page.mouse.down();
  const { y } = await rowOf('b');
  await page.mouse.move(300, y + 30, { steps: 4 });
  await page.mouse.move(300, y + 4, { steps: 2 });
  await page.locator('.row.drop-before', { hasText: 'b.mp4' }).waitFor(WAIT);
  await page.mouse.up();
  await expect.poll(() => order(daemon), WAIT).toEqual(['a', 'd', 'b', 'c']);

  // Escape gives up.
  await handle('a').hover();
  await page.mouse.down();
  const last = await rowOf('c');
  await page.mouse.move(300, last.y + last.height - 2, { steps: 4 });
  await page.keyboard.press('Escape');
  await page.mouse.up();

  // The focus stays on the job that is moved.
  await handle('c').focus();
  await page.keyboard.press('ArrowUp');
  await expect.poll(() => order(daemon), WAIT).toEqual(['a', 'd', 'c', 'b']);
  await expect.poll(() => page.evaluate('document.activeElement.ariaLabel'), WAIT).toContain('Move c.mp4');
  await page.locator('.row', { hasText: 'b.mp4' }).and(page.locator('[aria-posinset="4"]')).waitFor(WAIT);
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => order(daemon), WAIT).toEqual(['a', 'd', 'b', 'c']);
  await page.getByText(/^4 jobs/).waitFor(WAIT);
});

/** A proxy that serves the page below /kiln/ and can stop passing on its events, as after the sleep of a laptop. */
async function startProxy(target: number): Promise<{ address: string; freeze: () => void }> {
  const open: [Socket, Socket][] = [];
  const streams: [Socket, Socket][] = [];
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    open.push([client, upstream]);
    client.on('data', (part) => {
      if (part.includes('GET /kiln/api/events')) streams.push([client, upstream]);
      const text = part.toString('latin1').replace(/^([A-Z]+) \/kiln\//, '$1 /');
      upstream.write(Buffer.from(text, 'latin1'));
    });
    upstream.pipe(client);
    for (const side of [client, upstream]) side.on('error', () => undefined);
    client.on('close', () => upstream.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const [client, upstream] of open) {
      client.destroy();
      upstream.destroy();
    }
    server.close();
  });
  const { port } = server.address() as { port: number };
  const freeze = (): void => {
    for (const [client, upstream] of streams) upstream.unpipe(client);
  };
  return { address: `http://127.0.0.1:${port}/kiln/`, freeze };
}

browserTest(
  `below a path of a proxy, and after sleep, the page shows the present state${suffix}`,
  { tags: ['slow'] },
  async () => {
    const daemon = await daemonWithQueue('a');
    const proxy = await startProxy(daemon.port);
    const page = await openBrowser(`${proxy.address}#/queue`);
    const faults: string[] = [];
    page.on('requestfailed', (request) => faults.push(request.url()));
    await page.getByText('a.mp4').first().waitFor(WAIT);
    await page.getByRole('button', { name: 'Pause a.mp4' }).click();
    await page.getByRole('button', { name: 'Resume a.mp4' }).waitFor(WAIT);
    expect(faults).toEqual([]);
    // The connection is dead without being closed; the state changes meanwhile.
    proxy.freeze();
    await daemon.change('/api/jobs/1/resume');
    // A page that has heard nothing for three seconds is suspicious when it wakes up.
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 3100))');
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
    await page.getByRole('button', { name: 'Pause a.mp4' }).waitFor({ timeout: 10_000 });
  },
);
