import { expect, it } from 'vitest';
import type { Estimate } from '../../../src/domain/estimate.ts';
import { formatEstimate } from '../../../src/observability/format-estimate.ts';

const estimate: Estimate = {
  seconds: 7800,
  basis: 'past-jobs',
  diskBytes: 3.42e9,
  memoryBytes: 112e6,
  jobCount: 3,
};

it.each<[Partial<Estimate>, string]>([
  [{}, 'about 2 h 10 min, based on 3 similar jobs; needs about 3.4 GB of disk and 112 MB of memory'],
  [
    { seconds: 93.2, basis: 'measurement', jobCount: 0 },
    'about 1 min 33 s, as measured on this machine; needs about 3.4 GB of disk and 112 MB of memory',
  ],
  [
    { seconds: null, basis: null, jobCount: 0 },
    'time left: known after the first batch; needs about 3.4 GB of disk and 112 MB of memory',
  ],
  [
    { seconds: null, diskBytes: null },
    'time left: known after the frames are counted; needs 112 MB of memory',
  ],
])('formats known and unknown parts: %o', (change, text) => {
  expect(formatEstimate({ ...estimate, ...change })).toBe(text);
});
