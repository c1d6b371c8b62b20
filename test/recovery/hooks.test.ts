import SqliteDatabase from 'better-sqlite3';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';
import { makeClip } from '../helpers/clips.ts';
import { failPointFolder } from '../helpers/fail-points.ts';
import { MAIN, makeHome, readLog, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { webhookReceiver } from '../helpers/webhook-receiver.ts';

const WAIT = { timeout: 60_000, interval: 50 };

/** A home with these hooks. */
function homeWith(hooks: object, output = ''): string {
  const root = temporaryFolder();
  makeHome(root);
  const path = join(root, 'framekiln.yaml');
  writeFileSync(path, `${readFileSync(path, 'utf8')}hooks: ${JSON.stringify(hooks)}\n${output}`);
  return root;
}

/** Runs `framekiln start --once`; unlike `run`, it lets the receiver of this process answer. */
const once = (home: string, environment: Record<string, string> = {}): Promise<number | null> =>
  start(['start', '--once', '--home', home], environment).ended;

/** An executable shell script. */
function script(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

const linesOf = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];

it('programs and the webhook are told how each job ended; a failing hook fails no job', async () => {
  const root = temporaryFolder();
  const told = join(root, 'told');
  const receiver = await webhookReceiver();
  const tell = script(
    join(root, 'tell'),
    `echo "$FRAMEKILN_JOB_ID $FRAMEKILN_JOB_STATE $FRAMEKILN_JOB_ERROR_CODE $FRAMEKILN_JOB_OUTPUT" >> ${told}
printf '%s\\n' "$@" >> ${told}
env | grep -c '^FRAMEKILN_' >> ${told}
echo "disk is on fire" >&2
exit 3`,
  );
  const hooks = {
    done: [tell, '{text}', '$(id) {unknown}'],
    failed: [tell, '{code}'],
    webhook: receiver.url,
  };
  const home = homeWith(hooks, 'output: { existing: keep }\n');
  makeClip(join(home, 'input/lanczos-2x/a b.mp4'), { frames: 3 });
  expect(await once(home, { FRAMEKILN_LOG_LEVEL: 'info' }), readLog(home)).toBe(0);
  // The settings in the environment of the daemon are not passed on.
  const done = join(home, 'output/lanczos-2x/a b.mp4');
  expect(linesOf(told)).toEqual([`1 done  ${done}`, 'a b.mp4 is done', '$(id) {unknown}', '7']);
  expect(readLog(home)).toMatch(
    /WARN {2}\[a b\.mp4\] hooks\.done: .*tell ended with exit code 3: disk is on fire/,
  );

  const [request] = receiver.received;
  expect(receiver.received).toHaveLength(1);
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    type: 'job.done',
    data: { id: 1, output: done, error: null },
  });
  const secretFile = join(home, '.framekiln/webhook-secret');
  expect(statSync(secretFile).mode & 0o777).toBe(0o600);
  const secret = readFileSync(secretFile, 'utf8').trim();
  expect(run(['hooks', 'secret', '--home', home]).stdout.trim()).toBe(secret);
  const { 'webhook-id': id, 'webhook-timestamp': at } = request?.headers ?? {};
  expect(Math.abs(Date.now() / 1000 - Number(at))).toBeLessThan(60);
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = createHmac('sha256', key).update(`${String(id)}.${String(at)}.${request?.body ?? ''}`);
  expect(request?.headers['webhook-signature']).toBe(`v1,${signed.digest('base64')}`);

  // The output of this job exists, so the job fails. The server rejects, which no repetition would change.
  receiver.answer(302);
  makeClip(join(home, 'input/lanczos-2x/c.mp4'), { frames: 4 });
  writeFileSync(join(home, 'output/lanczos-2x/c.mp4'), 'mine');
  expect(await once(home)).toBe(1);
  expect(linesOf(told).slice(4)).toEqual([
    expect.stringMatching(/^2 failed OUTPUT_EXISTS /),
    'OUTPUT_EXISTS',
    '7',
  ]);
  expect(receiver.received).toHaveLength(2);
  expect(readLog(home)).toContain('hooks.webhook: the server answered 302; not sent again');
});

it(
  'a hook that was not told because of kill -9 is told after the restart, and the webhook is repeated until it arrives',
  { tags: ['slow'] },
  async () => {
    const told = join(temporaryFolder(), 'told');
    const receiver = await webhookReceiver();
    receiver.answer(500);
    // The first time, the program kills the daemon that runs it.
    const tell = script(
      `${told}.sh`,
      `echo told >> ${told}\n[ $(wc -l < ${told}) = 1 ] && kill -9 $PPID\nexit 0`,
    );
    const home = homeWith({ done: [tell], webhook: receiver.url, webhookBody: '{text}' });
    makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 3 });
    const points = failPointFolder(join(home, 'points'));
    points.arm('finish-job.written 1 kill-group');
    await start(['start', '--once', '--home', home], points.environment).ended;
    expect(points.hasFired('finish-job.written')).toBe(true);
    expect([linesOf(told), receiver.received]).toEqual([[], []]);

    // Nothing is left to process, but the hooks are.
    await start(['start', '--home', home]).ended;
    expect(linesOf(told)).toEqual(['told']);
    const { child, ended } = start(['start', '--home', home]);
    await vi.waitFor(() => expect(linesOf(told)).toEqual(['told', 'told']), WAIT);
    await vi.waitFor(() => expect(readLog(home)).toMatch(/the server answered 500; retrying in \d+ s/), WAIT);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    const before = receiver.received.length;
    expect(before).toBeGreaterThanOrEqual(1);

    const db = new SqliteDatabase(join(home, '.framekiln/framekiln.db'), { timeout: 10_000 });
    expect(db.prepare(`SELECT channel FROM hook_runs`).all()).toEqual([{ channel: 'webhook' }]);
    db.exec('UPDATE hook_runs SET not_before_at_ms = 1');
    db.close();
    receiver.answer(200);
    expect(await once(home)).toBe(0);
    expect(await once(home)).toBe(0);
    expect(receiver.received).toHaveLength(before + 1);
    expect(linesOf(told)).toEqual(['told', 'told']);
    const ids = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
    expect(ids.size).toBe(1);
    expect(receiver.received.at(-1)?.body).toBe('clip.mp4 is done');
  },
);

it('a program that hangs is killed, and hooks can be tried', { tags: ['slow'] }, async () => {
  const receiver = await webhookReceiver();
  const pid = join(temporaryFolder(), 'pid');
  const hang = script(`${pid}.sh`, `sleep 600 &\necho $! > ${pid}\nwait`);
  const home = homeWith({
    done: [hang],
    failed: ['/no/such/program'],
    timeoutSeconds: 1,
    webhook: receiver.url,
  });
  makeClip(join(home, 'input/lanczos-2x/clip.mp4'), { frames: 3 });
  expect(await once(home), readLog(home)).toBe(0);
  expect(readLog(home)).toMatch(/hooks\.done: .* was killed after 1 s/);
  // A process that has ended has no command line, also before somebody asks how it ended.
  const commandLine = `/proc/${readFileSync(pid, 'utf8').trim()}/cmdline`;
  expect(existsSync(commandLine) ? readFileSync(commandLine, 'utf8') : '').toBe('');

  const tried = await promisify(execFile)(process.execPath, [
    ...[MAIN, 'hooks', 'test', '--failed', '--home', home],
  ]).catch((error: unknown) => error);
  expect(tried).toMatchObject({
    ...{ code: 1, stdout: 'hooks.webhook: succeeded\n' },
    stderr: 'hooks.failed: /no/such/program was not found\n',
  });
  expect(JSON.parse(receiver.received.at(-1)?.body ?? '')).toMatchObject({
    type: 'job.failed',
    data: { id: 0 },
  });
  expect(run(['config', 'set', 'hooks.webhook', 'ftp://x', '--home', home]).stderr).toMatch(
    /hooks\.webhook.*expected an address such as/,
  );
});
