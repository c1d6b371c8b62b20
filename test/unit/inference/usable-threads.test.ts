import { expect, test } from 'vitest';
import { usableThreads } from '../../../src/inference/usable-threads.ts';

test.for([
  { title: 'one per core without a limit', threads: 0, cores: null, usable: 0 },
  { title: 'no more than a control group allows', threads: 0, cores: 2.5, usable: 3 },
  { title: 'at least one', threads: 0, cores: 0.2, usable: 1 },
  { title: 'as many as the settings say', threads: 6, cores: 2, usable: 6 },
])('threads for inference: $title', ({ threads, cores, usable }) => {
  expect(usableThreads(threads, { cores })).toBe(usable);
});
