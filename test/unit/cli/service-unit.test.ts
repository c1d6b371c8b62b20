import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { homeOfUnit, serviceUnit } from '../../../src/cli/service-unit.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const hasVerify = spawnSync('systemd-analyze', ['--version']).status === 0;

it.skipIf(!hasVerify)(
  `systemd accepts the unit for a home with a strange name${hasVerify ? '' : ' (no systemd-analyze)'}`,
  () => {
    const root = temporaryFolder();
    const homeRoot = join(root, 'my "home" 100% $HOME \\ x');
    mkdirSync(homeRoot);
    const unit = serviceUnit({ homeRoot, node: process.execPath, path: '/usr/bin:/opt/50% more/bin' });
    expect(homeOfUnit(unit)).toBe(homeRoot);
    const file = join(root, 'framekiln.service');
    writeFileSync(file, unit);
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['--user', 'verify', file], {
      encoding: 'utf8',
      env: { ...process.env, XDG_RUNTIME_DIR: root },
    });
    // It prints nothing about a unit without faults.
    expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
  },
);

it('keeps the watchdog and the limits of the unit in packaging/', () => {
  const unit = serviceUnit({ homeRoot: '/home/me/kiln', node: '/usr/bin/node', path: '/bin' });
  expect(unit).toMatch(/^WorkingDirectory=\/home\/me\/kiln$/m);
  expect(unit).toMatch(
    /^ExecStart="\/usr\/bin\/node" "\/.*\/dist\/main\.js" "start" "--home" "\/home\/me\/kiln"$/m,
  );
  expect(unit).toMatch(/^Environment="PATH=\/bin"$/m);
  expect(unit).toMatch(/^WatchdogSec=30$/m);
  expect(unit).toMatch(/^RestartPreventExitStatus=2 3 4 5$/m);
  expect(unit).not.toContain('%h');
});

it('rejects a path with a line break', () => {
  expect(() => serviceUnit({ homeRoot: '/a\nExecStart=/bin/sh', node: 'node', path: '' })).toThrow(
    /cannot use a path with a line break/,
  );
});
