import { expect, test } from 'vitest';
import { hardwareReason, isBusy, reasonFromStderr } from '../../../src/domain/hardware-reason.ts';

test('a known message of ffmpeg becomes a code, any other one is kept by its first line', () => {
  expect(reasonFromStderr('[h264_nvenc @ 0x1] Cannot load libcuda.so.1\n', 'nothing').code).toBe('no-gpu');
  expect(reasonFromStderr('\n  something new  \nmore\n', 'nothing')).toEqual({
    code: 'other',
    text: 'something new',
  });
});

test('the fallback is the reason where ffmpeg wrote nothing', () => {
  expect(reasonFromStderr(' \n', 'ffmpeg exited with code 1')).toEqual({
    code: 'other',
    text: 'ffmpeg exited with code 1',
  });
});

test('whether NVENC is busy depends on the code alone, never on the text', () => {
  const taken = hardwareReason('sessions-taken');
  expect(isBusy(taken)).toBe(true);
  expect(isBusy({ ...taken, text: 'reworded' })).toBe(true);
  expect(isBusy({ code: 'other', text: taken.text })).toBe(false);
  expect(isBusy(hardwareReason('unsupported'))).toBe(false);
});
