import { expect, test } from 'vitest';
import { HandOver, MessageLost, Stalled } from '../../../src/cloud/worker/ends.ts';
import { HOLD_TIMES, MessageHold } from '../../../src/cloud/worker/message-hold.ts';
import { silentLogger } from '../../helpers/silent-logger.ts';

function holdWith(extend: () => Promise<void> = () => Promise.resolve()) {
  const clock = { ms: 0 };
  const message = { id: 'm', body: '', receipt: 'r', receiveCount: 1, retries: 0, queueUrl: 'q' };
  const queue = { setVisibility: extend };
  const hold = new MessageHold({
    ...{ queue, message, times: HOLD_TIMES, log: silentLogger, nowMs: () => clock.ms },
  });
  const pass = async (ms: number, isMoving: boolean): Promise<void> => {
    for (let left = ms; left > 0 && !hold.signal.aborted; left -= 30_000) {
      clock.ms += 30_000;
      if (isMoving) hold.moved();
      await hold.look();
    }
  };
  return { hold, pass, clock };
}

test('a message is handed over after 11 hours of work, not before', async () => {
  const { hold, pass, clock } = holdWith();
  await pass(12 * 3_600_000, true);
  expect(hold.signal.reason).toBeInstanceOf(HandOver);
  expect(clock.ms).toBe(11 * 3_600_000);
});

test('a message is not extended for work that does not move', async () => {
  const { hold, pass, clock } = holdWith();
  await pass(12 * 3_600_000, false);
  expect(hold.signal.reason).toBeInstanceOf(Stalled);
  expect(clock.ms).toBe(30 * 60_000);
});

test('what has failed last is the reason why work did not move, unless it moved since', async () => {
  const { hold, pass } = holdWith();
  hold.failed('the store is away');
  await pass(60_000, true);
  hold.failed('the bucket is full');
  await pass(12 * 3_600_000, false);
  expect(String(hold.signal.reason)).toContain('Nothing has moved for 30 minutes: the bucket is full');
});

test('a message that cannot be extended for 90 seconds is lost', async () => {
  const { hold, pass, clock } = holdWith(() => Promise.reject(new Error('The network is down.')));
  await pass(3_600_000, true);
  expect(hold.signal.reason).toBeInstanceOf(MessageLost);
  expect(clock.ms).toBe(90_000);
});

test('a message whose extension hangs for 90 seconds is lost', async () => {
  const { hold, clock } = holdWith(() => new Promise(() => undefined));
  for (let looks = 0; looks < 4 && !hold.signal.aborted; looks++) {
    clock.ms += 30_000;
    void hold.look();
    await Promise.resolve();
  }
  expect(hold.signal.reason).toBeInstanceOf(MessageLost);
  expect(clock.ms).toBe(90_000);
});

test('a process that was suspended past the visibility has lost its message', async () => {
  const { hold, clock } = holdWith();
  clock.ms += 121_000;
  await hold.look();
  expect(hold.signal.reason).toBeInstanceOf(MessageLost);
});
