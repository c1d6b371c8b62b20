import { expect, it } from 'vitest';
import { judgeHealth, type HealthFacts } from '../../../src/daemon/health.ts';

const GOOD: HealthFacts = {
  ...{ sinceTickMs: 250, queueFailure: null, readOnlyFolder: null, scanFailure: null, crash: null },
  ...{ waitingFor: null, settingsFaults: [] },
};

it.each<[string, Partial<HealthFacts>, string, string[]]>([
  ['nothing is wrong', {}, 'ok', []],
  ['the loop hangs', { sinceTickMs: 61_000 }, 'failing', ['LOOP_STALLED']],
  ['the disk of the queue is full', { queueFailure: 'disk is full' }, 'failing', ['QUEUE_UNUSABLE']],
  ['the disk of output/ is read-only', { readOnlyFolder: '/home/output' }, 'failing', ['DISK_READ_ONLY']],
  ['the input folder is missing', { scanFailure: new Error('no input/') }, 'degraded', ['SCAN_FAILED']],
  [
    'the worker crashed a minute ago',
    { crash: { how: 'signal SIGKILL', agoMs: 60_000 } },
    'degraded',
    ['WORKER_CRASHED'],
  ],
  ['the worker crashed an hour ago', { crash: { how: 'signal SIGKILL', agoMs: 3_600_000 } }, 'ok', []],
  ['a job waits', { waitingFor: 'waiting: the disk is full' }, 'degraded', ['JOB_WAITING']],
  ['settings are wrong', { settingsFaults: ['line 1: x', 'line 2: y'] }, 'degraded', ['SETTINGS_INVALID']],
  [
    'two things are wrong',
    { waitingFor: 'waiting', queueFailure: 'locked' },
    'failing',
    ['QUEUE_UNUSABLE', 'JOB_WAITING'],
  ],
])('%s', (_, facts, status, codes) => {
  const health = judgeHealth({ ...GOOD, ...facts });
  expect(health.status).toBe(status);
  expect(health.impairments.map(({ code }) => code)).toEqual(codes);
  for (const { message, remedy } of health.impairments) expect([message, remedy]).not.toContain('');
});
