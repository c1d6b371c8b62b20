import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { makeClip } from '../../helpers/clips.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { processesOf } from '../../helpers/framekiln.ts';

const WAIT = { timeout: 60_000, interval: 100 };
/** What promtool's style check says about names that people know from elsewhere; anything else is a fault. */
const KNOWN_STYLE = /^(gpu|nvdec|nvenc|vram|processing|queue|nodejs|process)_\S+ /;

it('the metrics and the health of a daemon follow what it does', { tags: ['slow'] }, async () => {
  const daemon = await DaemonWithPage.start();
  const own = { host: `127.0.0.1:${daemon.port}` };
  const read = async (): Promise<string> => (await daemon.ask('GET', '/metrics', own)).text;
  const ready = async (): Promise<unknown> => {
    const { status, text } = await daemon.ask('GET', '/readyz', own);
    return [status, JSON.parse(text)];
  };
  expect(await ready()).toEqual([200, { status: 'ok', codes: [] }]);
  expect(await read()).not.toMatch(/^processing_latency_p95_ms /m);

  makeClip(join(daemon.home, 'input/lanczos-2x/clip.mp4'), { frames: 30 });
  await vi.waitFor(async () => expect(await read()).toMatch(/^framekiln_jobs\{state="done"\} 1$/m), WAIT);
  // The worker sends what it has measured when it ends.
  await vi.waitFor(
    async () => expect(await read()).toMatch(/^framekiln_frames_total\{stage="commit"\} 30$/m),
    WAIT,
  );
  const text = await read();
  for (const stage of ['decode', 'transform']) {
    expect(text).toContain(`framekiln_frames_total{stage="${stage}"} 30\n`);
    expect(text).toContain(`framekiln_stage_seconds_per_frame_count{stage="${stage}"} 2\n`);
  }
  expect(Number(/^processing_latency_p95_ms (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  // Lanczos uses no model, so no image has waited for one.
  expect(text).not.toMatch(/^queue_depth_p99_frames /m);
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (checked.error === undefined) {
    const faults = checked.stderr.split('\n').filter((line) => line !== '' && !KNOWN_STYLE.test(line));
    expect(faults).toEqual([]);
  }

  // The same access rules as those of the page.
  const proxied = { ...own, 'x-forwarded-for': '192.0.2.1' };
  expect((await daemon.ask('GET', '/metrics', proxied)).status).toBe(401);
  expect((await daemon.ask('GET', '/api/health', proxied)).status).toBe(401);
  expect((await daemon.ask('GET', '/metrics', { host: 'evil.example' })).status).toBe(421);
  const bearer = { authorization: `Bearer ${daemon.token}` };
  expect((await daemon.ask('GET', '/metrics', { ...proxied, ...bearer })).status).toBe(200);
  // Containers ask without a token, and learn nothing about the jobs.
  expect((await daemon.ask('GET', '/readyz', proxied)).status).toBe(200);

  writeFileSync(join(daemon.home, 'framekiln.yaml'), 'nonsense: 1\n');
  await vi.waitFor(
    async () => expect(await ready()).toEqual([200, { status: 'degraded', codes: ['SETTINGS_INVALID'] }]),
    WAIT,
  );
  expect(await read()).toMatch(/^framekiln_impaired\{code="SETTINGS_INVALID"\} 1$/m);
  const { text: detail } = await daemon.ask('GET', '/api/health', own);
  expect(detail).toMatch(/framekiln\.yaml.*nonsense/);
  writeFileSync(join(daemon.home, 'framekiln.yaml'), '');
  await vi.waitFor(async () => expect(await ready()).toEqual([200, { status: 'ok', codes: [] }]), WAIT);
  expect(await read()).not.toContain('framekiln_impaired{');
});

it(
  'a crash of the worker is counted, and the daemon is degraded for a while',
  { tags: ['slow'] },
  async () => {
    const daemon = await DaemonWithPage.start();
    const own = { host: `127.0.0.1:${daemon.port}` };
    const read = async (): Promise<string> => (await daemon.ask('GET', '/metrics', own)).text;
    makeClip(join(daemon.home, 'input/clip.mp4'), { width: 64, height: 64, frames: 60 });
    const worker = (): number | undefined =>
      processesOf(daemon.home).find((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker/entry.js'),
      );
    await vi.waitFor(async () => expect(await read()).toContain('framekiln_jobs{state="running"} 1'), WAIT);
    process.kill(worker() ?? NaN, 'SIGKILL');
    await vi.waitFor(
      async () => expect(await read()).toContain('framekiln_recoveries_total{of="worker"} 1'),
      WAIT,
    );
    const { status, text } = await daemon.ask('GET', '/readyz', own);
    expect([status, JSON.parse(text)]).toEqual([200, { status: 'degraded', codes: ['WORKER_CRASHED'] }]);
    await vi.waitFor(async () => expect(await read()).toContain('framekiln_jobs{state="done"} 1'), WAIT);
    // A model was used, and one job after the other leaves nothing to wait for.
    await vi.waitFor(async () => expect(await read()).toMatch(/^queue_depth_p99_frames 1$/m), WAIT);
  },
);
