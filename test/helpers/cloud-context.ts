import { join } from 'node:path';
import { SqsQueue } from '../../src/cloud/queue/sqs-queue.ts';
import type { CloudContext } from '../../src/cloud/worker/cloud-context.ts';
import { bucketsOf } from '../../src/cloud/worker/cloud-worker.ts';
import { HOLD_TIMES } from '../../src/cloud/worker/message-hold.ts';
import { homeAt } from '../../src/config/home.ts';
import { LiveSettings } from '../../src/config/live-settings.ts';
import { BUCKET, type CloudStandIn } from './cloud-stand-in.ts';
import { makeHome } from './framekiln.ts';
import { silentLogger } from './silent-logger.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** What a worker in this process has, connected to the stand-in. */
export function cloudContext(cloud: CloudStandIn, changes: Partial<CloudContext> = {}): CloudContext {
  const home = homeAt(makeHome(join(temporaryFolder(), 'home')));
  return {
    home,
    settings: new LiveSettings({ home, flags: [] }),
    log: { ...silentLogger, write: () => undefined, close: () => Promise.resolve() },
    queue: new SqsQueue(cloud.sqs),
    bucket: bucketsOf(cloud.s3),
    rules: { bucket: BUCKET, allowedBuckets: [BUCKET] },
    worker: 'worker-1',
    gpu: null,
    pricePerHour: null,
    times: HOLD_TIMES,
    nowMs: () => performance.now(),
    stopping: new AbortController().signal,
    ...changes,
  };
}
