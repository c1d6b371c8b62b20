import { expect, test } from 'vitest';
import { parseGpuFigures } from '../../../src/hardware/gpu-figures.ts';
import { MachineHistory, type Sample } from '../../../src/page/machine/history.ts';
import { useOfGpus } from '../../../src/page/machine/sample-machine.ts';

const NOW = 1_800_011_700;
const sample = (processor: number): Sample => ({
  ...{ processor, memory: 50, gpu: null, videoMemory: null, encoder: null },
  ...{ ramDisk: 1, freeDisk: 2, speed: 0 },
});

function aWeek(): MachineHistory {
  const history = new MachineHistory();
  for (let at = NOW - 8 * 86_400; at < NOW; at += 10) history.add(at, sample(at % 20 === 0 ? 10 : 30));
  return history;
}

test('an hour, a day and a week are kept, however long it records', () => {
  const history = aWeek();
  expect(history.columns('1h').times).toHaveLength(360);
  expect(history.columns('24h').times).toHaveLength(720);
  expect(history.columns('7d').times).toHaveLength(672);
  expect(history.columns('7d').times.at(0)).toBe(NOW - 7 * 86_400);
  // Coarser points are means, and what was never known is left out.
  expect(history.columns('1h').values.processor?.slice(0, 2).toSorted()).toEqual([10, 30]);
  expect(history.columns('24h').values.processor?.[5]).toBe(20);
  expect(Object.keys(history.columns('24h').values)).not.toContain('gpu');
  expect(history.toJson().length).toBeLessThan(200_000);
});

test('what was stored is taken over, apart from what is too old; where the daemon did not run is a gap', () => {
  const stored = aWeek().toJson();
  const history = new MachineHistory();
  history.restore(stored, NOW + 1800);
  history.add(NOW + 1800, sample(40));
  const { times, values } = history.columns('1h');
  expect(times.slice(0, 2)).toEqual([NOW - 1800, NOW - 1790]);
  expect([values.processor?.at(-1), values.processor?.at(-2)]).toEqual([40, null]);
  history.restore('{"measures"', NOW);
  history.restore('{"measures":["other"],"spans":{}}', NOW);
  expect(history.columns('1h').times.at(-1)).toBe(NOW + 1800);
});

test('the busiest of several GPUs counts, and what the driver does not report is unknown', () => {
  const use = (text: string) => useOfGpus(parseGpuFigures(text));
  expect(use('0, 12, 1000, 4000, 60, 0, 5\n1, 80, 3000, 4000, 70, 0, [N/A]\n')).toEqual({
    ...{ gpu: 80, videoMemory: 75, encoder: 5 },
  });
  const unknown = { gpu: null, videoMemory: null, encoder: null };
  expect(use('0, [N/A], [N/A], 4000, [N/A], [N/A], [N/A]\n')).toEqual(unknown);
  expect(use('')).toEqual(unknown);
});
