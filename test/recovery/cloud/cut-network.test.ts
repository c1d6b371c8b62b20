import { expect, test } from 'vitest';
import { cutNetworkFor } from '../../helpers/cut-network.ts';

test(
  'a network that is cut for 10 s in mid-job costs time only',
  { tags: ['slow'], timeout: 180_000 },
  async () => {
    expect(await cutNetworkFor(10_000)).toBe(1);
  },
);
