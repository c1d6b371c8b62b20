import { expect, it, vi } from 'vitest';
import { hardwareReason, type HardwareReason } from '../../../src/domain/hardware-reason.ts';
import { DriverSilence } from '../../../src/media/encode/driver-silence.ts';

const SILENT = hardwareReason('driver-silent');
const OTHER = hardwareReason('unsupported');

it('asks a silent driver again after a minute, then two, and at once after it has answered', async () => {
  let nowMs = 0;
  const silence = new DriverSilence(() => nowMs);
  const answers: (HardwareReason | null)[] = [SILENT, SILENT, null, OTHER, SILENT];
  const trial = vi.fn(() => Promise.resolve(answers.shift() ?? null));
  const ask = (atMs: number): Promise<HardwareReason | null> => ((nowMs = atMs), silence.whyNot(trial));

  expect([await ask(0), await ask(59_999), trial.mock.calls.length]).toEqual([SILENT, SILENT, 1]);
  expect([await ask(60_000), await ask(179_999), trial.mock.calls.length]).toEqual([SILENT, SILENT, 2]);
  expect([await ask(180_000), await ask(180_001), trial.mock.calls.length]).toEqual([null, OTHER, 4]);
  expect([await ask(180_002), await ask(240_001), trial.mock.calls.length]).toEqual([SILENT, SILENT, 5]);
  expect([await ask(240_002), trial.mock.calls.length]).toEqual([null, 6]);
});
