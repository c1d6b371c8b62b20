import { expect, it } from 'vitest';
import { formatEstimate } from '../../../src/observability/format-estimate.ts';

const estimate = { seconds: 7800, diskBytes: 3.42e9, memoryBytes: 112e6, jobCount: 3 };

it.each([
  [{}, 'about 2 h 10 min, based on 3 similar jobs; needs about 3.4 GB of disk and 112 MB of memory'],
  [
    { seconds: null, jobCount: 0 },
    'time left: known after the first batch; needs about 3.4 GB of disk and 112 MB of memory',
  ],
  [
    { seconds: null, diskBytes: null },
    'time left: known after the frames are counted; needs 112 MB of memory',
  ],
])('formats known and unknown parts: %o', (change, text) => {
  expect(formatEstimate({ ...estimate, ...change })).toBe(text);
});
