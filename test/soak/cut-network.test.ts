import { expect, test } from 'vitest';
import { cutNetworkFor } from '../helpers/cut-network.ts';

test('a network that is cut for 5 minutes costs the message, not the job', async () => {
  // After 90 s without an extension the worker gives the job up. It is the next one to receive the message, too.
  expect(await cutNetworkFor(5 * 60_000)).toBe(2);
});
