import { expect, it } from 'vitest';
import { formatEstimate } from '../../../src/observability/format-estimate.ts';

const estimate = { seconds: 7800, diskBytes: 3.42e9, memoryBytes: 112e6, jobCount: 3 };

it.each([
  [{}, 'about 2 h 10 min, by 3 jobs like it; about 3.4 GB on the disk and 112 MB of memory for frames'],
  [
    { seconds: null, jobCount: 0 },
    'no history yet, the time is measured after the first batch; at a guess 3.4 GB on the disk and 112 MB of memory for frames',
  ],
  [
    { seconds: null, diskBytes: null },
    'its length is not known before its frames are counted; 112 MB of memory for frames',
  ],
])('says what is known and what is not: %o', (change, text) => {
  expect(formatEstimate({ ...estimate, ...change })).toBe(text);
});
