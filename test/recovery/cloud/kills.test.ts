import { expect, test } from 'vitest';
import { runCloudKills } from '../../helpers/cloud-kills.ts';

test(
  'workers that are killed at random requests lose no job, and do none twice',
  { tags: ['slow'], timeout: 600_000 },
  async () => {
    const { violations, lines } = await runCloudKills(4, 18);
    expect(violations, lines.join('\n')).toEqual([]);
  },
);
