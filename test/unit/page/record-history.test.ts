import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { homeAt } from '../../../src/config/home.ts';
import { HistoryRecorder } from '../../../src/page/machine/record-history.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

afterEach(() => vi.useRealTimers());

function newHome() {
  const home = homeAt(temporaryFolder());
  mkdirSync(home.stateDir);
  return { home, file: join(home.stateDir, 'machine-history.json') };
}

it('a reading that hangs is joined by no other, and does not hold up the end', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { home, file } = newHome();
  let readings = 0;
  const hang = () => {
    readings += 1;
    return new Promise<never>(() => undefined);
  };
  const recorder = new HistoryRecorder(home, { read: hang });
  await recorder.start();
  vi.advanceTimersByTime(60_000);
  await recorder.close();
  expect(readings).toBe(1);
  expect(readFileSync(file, 'utf8')).toContain('"measures"');
});

it('a history that was not read is not overwritten', async () => {
  const { home, file } = newHome();
  writeFileSync(file, 'a week');
  await new HistoryRecorder(home, { read: () => Promise.reject(new Error('unused')) }).close();
  expect(readFileSync(file, 'utf8')).toBe('a week');
});
