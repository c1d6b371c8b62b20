import { expect, test } from 'vitest';
import { frameMd5 } from '../helpers/clips.ts';
import { run } from '../helpers/framekiln.ts';
import { finishAfterKills, lipSyncHome, lipSyncOutput } from '../helpers/lip-sync.ts';
import { whyNoSharedMedia } from '../helpers/shared-media.ts';

test.skipIf(whyNoSharedMedia !== null)(
  'after kills while the speech is laid, in both passes, in a batch and while joining, the frames are those of an undisturbed run',
  async () => {
    const keys = { frameSkip: 2, resolution: '360p' };
    const undisturbed = lipSyncHome(keys);
    expect(run(['start', '--once', '--home', undisturbed]).status).toBe(0);
    const killed = await finishAfterKills(
      [
        ['frame-index.published', 1],
        ['other-file.before-rename', 1],
        ['other-file.published', 1],
        ['frame-index.published', 1],
        ['commit-analysis.committed', 2],
        ['store-directions.committed', 1],
        ['transformed-frame.written', 14],
        ['transformed-frame.before-write', 9],
        ['commit-batch.committed', 1],
        ['output.joined', 1],
        ['output.published', 1],
      ],
      keys,
    );
    expect(frameMd5(lipSyncOutput(killed))).toEqual(frameMd5(lipSyncOutput(undisturbed)));
  },
);
