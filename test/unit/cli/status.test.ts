import stringWidth from 'string-width';
import { describe, expect, it, test } from 'vitest';
import { formatStatus as format } from '../../../src/cli/format-status.ts';
import {
  rejectedFiles,
  reportJob,
  type JobReport,
  type StatusReport,
} from '../../../src/control/status-report.ts';
import type { Estimate } from '../../../src/domain/estimate.ts';
import type { Job, JobState } from '../../../src/domain/job.ts';
import { PLAN } from '../queue/queue-fixture.ts';

const NOW = Date.UTC(2026, 10, 21, 14, 0, 0);

const job: Job = {
  id: 3,
  origin: 'watch',
  sourcePath: '/home/me/fk/input/upscale-4x/again.mkv',
  outputPath: '/home/me/fk/output/upscale-4x/again.mkv',
  fingerprint: 'ab'.repeat(32),
  recipe: { pipeline: 'upscale', model: 'realesr-general-x4v3', scale: 4, device: 'auto', tile: 'auto' },
  state: 'running',
  priority: 0,
  attempts: 1,
  plan: null,
  video: null,
  framesTotal: 78,
  framesDone: 28,
  stage: 'frames',
  note: null,
  framesPerSecond: 0.3049,
  etaAtMs: NOW + 164_000,
  errorCode: null,
  errorMessage: null,
  notBeforeAtMs: null,
  createdAtMs: NOW - 60_000,
  startedAtMs: NOW - 30_000,
  publishedAtMs: null,
  finishedAtMs: null,
};

const report = (jobs: JobReport[]): StatusReport => ({
  home: '/home/me/fk',
  daemonRunning: true,
  queuePaused: false,
  throttled: null,
  jobs,
  pending: [],
  rejected: [],
  skipped: [],
  waiting: [],
});
const formatStatus = (found: StatusReport, columns = Infinity) => format(found, { columns, nowMs: NOW });
const reported = (change: Partial<Job> = {}) => reportJob({ ...job, ...change }, '/home/me/fk/input', NOW);

describe('reportJob', () => {
  it('has a stable shape', () => {
    expect(reported()).toEqual({
      id: 3,
      state: 'running',
      file: 'upscale-4x/again.mkv',
      output: '/home/me/fk/output/upscale-4x/again.mkv',
      recipe: {
        pipeline: 'upscale',
        model: 'realesr-general-x4v3',
        scale: 4,
        device: 'auto',
        tile: 'auto',
      },
      priority: 0,
      attempts: 1,
      stage: 'frames',
      framesDone: 28,
      framesTotal: 78,
      percent: 35,
      framesPerSecond: 0.3049,
      secondsLeft: 164,
      estimate: null,
      warning: null,
      note: null,
      error: null,
      report: null,
      history: [],
      createdAt: '2026-11-21T13:59:00.000Z',
      startedAt: '2026-11-21T13:59:30.000Z',
      finishedAt: null,
    });
  });

  it('keeps the absolute path of a file outside input/, and has no percentage before the frames are counted', () => {
    expect(reported({ sourcePath: '/mnt/films/a.mp4', framesTotal: null, framesDone: 0 })).toMatchObject({
      file: '/mnt/films/a.mp4',
      percent: null,
    });
  });

  it('counts the analysis of a video as the first half', () => {
    const of = (change: Partial<Job>) => reported({ plan: { ...PLAN, passes: 2 }, ...change }).percent;
    expect(of({ stage: 'index', framesDone: 0 })).toBe(0);
    expect(of({ stage: 'analysis', framesDone: 39 })).toBe(25);
    expect(of({ stage: 'frames', framesDone: 0 })).toBe(50);
    expect(of({ stage: 'frames', framesDone: 39 })).toBe(75);
    expect(of({ stage: null, state: 'paused', framesDone: 39 })).toBe(75);
    expect(of({ stage: 'verify', framesDone: 78 })).toBe(100);
    expect(of({ stage: null, state: 'done', framesDone: 78 })).toBe(100);
  });

  it('shows no time left once the estimated end has passed', () => {
    expect(reported({ etaAtMs: NOW - 5000 }).secondsLeft).toBe(0);
  });
});

describe('formatStatus', () => {
  it('is a summary and a table', () => {
    const failed = reported({
      id: 12,
      state: 'failed',
      sourcePath: '/home/me/fk/input/x\n.mp4',
      ...{ stage: null, framesTotal: null, framesDone: 0, framesPerSecond: null, etaAtMs: null },
      ...{ errorCode: 'NOT_A_VIDEO', errorMessage: 'x is text.', finishedAtMs: NOW },
    });
    expect(formatStatus(report([reported(), failed]))).toEqual([
      'The daemon is running. Jobs in /home/me/fk: 1 unfinished, 1 ended.',
      '',
      'ID  STATE            FILE                  RECIPE                   DONE  FPS   TIME             AGE',
      '12  failed           x\\n.mp4               realesr-general-x4v3 x4              took 30 s        1 min',
      '    NOT_A_VIDEO: x is text.',
      '3   running: frames  upscale-4x/again.mkv  realesr-general-x4v3 x4  35 %  0.30  2 min 44 s left  1 min',
      '    → output/upscale-4x/again.mkv',
    ]);
  });

  it.each([200, 100, 80, 60, 40])('fits a terminal of %i columns, and tells files apart', (columns) => {
    const jobs = [1, 2, 3].map((id) =>
      reported({
        ...{ id, sourcePath: `/home/me/fk/input/a long folder/한국어로 된 아주 긴 파일 이름 ${id}.mkv` },
        ...{ state: 'done', stage: null, finishedAtMs: NOW, note: 'x '.repeat(100) },
      }),
    );
    const lines = formatStatus(report(jobs), columns).slice(2);
    // The path of an output has no spaces at which it could be broken, so it may be longer.
    const isWide = (line: string) => !line.includes('→') && stringWidth(line) > columns;
    expect(lines.filter(isWide)).toEqual([]);
    for (const id of [1, 2, 3])
      expect(lines.filter((line) => line.startsWith(`${id} `))[0]).toContain(`${id}.mkv`);
    expect(lines[0]?.includes('RECIPE')).toBe(columns > 60);
  });

  it('shows the estimate of waiting jobs, and says when the time is not known yet', () => {
    const waiting = { state: 'queued', stage: null, framesTotal: null, framesPerSecond: null, etaAtMs: null };
    const estimate: Estimate = {
      seconds: 7800,
      basis: 'past-jobs',
      diskBytes: 3.4e9,
      memoryBytes: 12e6,
      jobCount: 2,
    };
    const line = (change: Partial<Estimate>) =>
      formatStatus(
        report([
          reportJob({ ...job, ...waiting } as Job, '/home/me/fk/input', NOW, {
            estimate: { ...estimate, ...change },
          }),
        ]),
      ).join('\n');
    expect(line({})).toMatch(
      /about 2 h 10 min {2}1 min\n.*\n {4}needs about 3\.4 GB of disk and 12 MB of memory$/,
    );
    expect(line({ basis: 'measurement', jobCount: 0 })).toMatch(/about 2 h 10 min {2}1 min\n/);
    expect(line({ seconds: null, basis: null, jobCount: 0 })).toMatch(
      /time left: known after the first batch; needs about 3\.4 GB of disk/,
    );
  });

  it('says which unfinished jobs take long, and what would be faster', () => {
    const message = 'will take about 2 d 03 h; faster: scale 2 (about 20 h 00 min)';
    const events = [{ atMs: NOW, kind: 'long-job', message }];
    const long = (state: Job['state']) => reportJob({ ...job, state }, '/home/me/fk/input', NOW, { events });
    expect(long('done').warning).toBeNull();
    const lines = formatStatus(report([long('queued')]));
    expect(lines.slice(-2)).toEqual([
      'Jobs that will take a long time (estimate.warnAfterHours):',
      `  3  upscale-4x/again.mkv ${message}`,
    ]);
  });

  it('shows the commands that wait for a daemon', () => {
    const at = '2026-11-21T13:59:00.000Z';
    const pending = [
      { command: 'pause', jobId: 3, file: null, recipe: null, at },
      { command: 'add', jobId: null, file: '/films/a.mkv', recipe: 'lanczos, scale 3', at },
    ];
    const found = { ...report([]), pending };
    expect(formatStatus({ ...found, daemonRunning: false }).slice(1)).toEqual([
      '',
      'Commands that take effect when the daemon starts:',
      '  pause 3',
      '  add /films/a.mkv (lanczos, scale 3)',
    ]);
    // A running daemon carries them out at once.
    expect(formatStatus(found)).toHaveLength(1);
  });

  it('has no table without jobs, and says when the queue is paused', () => {
    expect(formatStatus({ ...report([]), daemonRunning: false, queuePaused: true })).toEqual([
      'The daemon is not running and the queue is paused. Jobs in /home/me/fk: 0 unfinished, 0 ended.',
    ]);
  });

  it('counts what a very long list leaves out, and shows the running jobs of it', () => {
    const many = (state: JobState, count: number, from: number): JobReport[] =>
      Array.from({ length: count }, (_, i) => reported({ id: from + i, state, finishedAtMs: NOW + i }));
    const jobs = [...many('failed', 103, 1), ...many('queued', 1000, 1000), ...many('running', 1, 300_000)];
    const lines = formatStatus(report(jobs));
    expect(lines.filter((line) => /^ *\d+ +failed/.test(line))).toHaveLength(100);
    expect(lines.filter((line) => /^ *\d+ +queued/.test(line))).toHaveLength(99);
    expect(lines.find((line) => /^ *\d+ +running/.test(line))).toMatch(/^ *300000 /);
    expect(lines).toContain(
      'Not shown: 901 more unfinished jobs and 3 earlier failed jobs. To list all jobs: framekiln status --json',
    );
  });

  it('shows every unfinished job, every failed one and the ten that ended last', () => {
    const done = Array.from({ length: 15 }, (_, index) =>
      reported({
        id: 100 + index,
        state: index === 12 ? 'failed' : 'done',
        finishedAtMs: NOW - index * 1000,
      }),
    );
    const ids = formatStatus(report([...done, reported()]))
      .slice(3)
      .filter((line) => !line.startsWith(' '))
      .map((line) => Number(line.split(' ')[0]));
    expect(ids).toEqual([112, 109, 108, 107, 106, 105, 104, 103, 102, 101, 100, 3]);
  });
});

test('a rejected file is shown with its code and reason; other files in input/ are not shown', () => {
  const seen = { signature: '1', takenSignature: null, sinceAtMs: 0, code: null, message: null };
  const rejected = rejectedFiles(
    [
      {
        ...seen,
        path: '/in/a/song.mkv',
        state: 'rejected',
        code: 'NO_VIDEO_STREAM',
        message: 'It has no video.',
      },
      { ...seen, path: '/in/b.mkv', state: 'taken' },
    ],
    '/in',
  );
  expect(rejected).toEqual([{ file: 'a/song.mkv', code: 'NO_VIDEO_STREAM', message: 'It has no video.' }]);
  expect(formatStatus({ ...report([]), rejected }).at(-1)).toBe(
    '  a/song.mkv  NO_VIDEO_STREAM: It has no video.',
  );
});
