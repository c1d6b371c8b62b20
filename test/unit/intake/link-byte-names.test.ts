import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { linkByteNames } from '../../../src/intake/link-byte-names.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test.each(['a folder', 'a link to another folder'])(
  'a name that is not UTF-8 gets a link that leads to its file where .framekiln is %s',
  (kind) => {
    const root = temporaryFolder();
    const input = join(root, 'input');
    mkdirSync(input);
    if (kind !== 'a folder') {
      const state = join(temporaryFolder(), 'deep/state');
      mkdirSync(state, { recursive: true });
      symlinkSync(state, join(root, '.framekiln'));
    }
    const inside = Buffer.from('caf\xe9.mp4', 'latin1');
    writeFileSync(Buffer.concat([Buffer.from(`${input}/`), inside]), 'a video');
    for (let scan = 0; scan < 2; scan++) {
      const [file] = linkByteNames(input, [{ path: join(input, 'caf\\xe9.mp4'), inside, signature: '' }]);
      expect(file?.unusable).toBeUndefined();
      expect(readFileSync(file?.path ?? '', 'utf8')).toBe('a video');
    }
  },
);
