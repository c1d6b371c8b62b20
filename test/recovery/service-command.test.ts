import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import { makeHome, run, start } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Programs `systemctl`, `loginctl` and `journalctl` that record their calls; the state of the service is a file. */
function fakeSystemd(linger = 'no') {
  const root = temporaryFolder();
  const bin = join(root, 'bin');
  const [calls, state] = [join(root, 'calls'), join(root, 'state')];
  mkdirSync(bin);
  writeFileSync(calls, '');
  writeFileSync(state, 'inactive');
  const script = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  script(
    'systemctl',
    `[ "$2" = show ] || echo "$*" >> ${calls}
unit=${root}/config/systemd/user/framekiln.service
case "$2" in
  show) [ -e "$unit" ] && load=loaded || load=not-found
    printf 'LoadState=%s\\nActiveState=%s\\nSubState=x\\nResult=success\\nMainPID=12\\nNRestarts=1\\nUnitFileState=enabled\\nActiveEnterTimestamp=Fri\\n' $load $(cat ${state});;
  restart) echo active > ${state};;
  disable) echo inactive > ${state};;
esac`,
  );
  script('loginctl', `echo Linger=${linger}`);
  script('journalctl', 'echo "journal: $*"');
  const environment = {
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    XDG_CONFIG_HOME: join(root, 'config'),
  };
  return {
    environment,
    unit: join(root, 'config/systemd/user/framekiln.service'),
    calls: () => readFileSync(calls, 'utf8').split('\n').filter(Boolean),
    setState: (text: string) => writeFileSync(state, text),
  };
}

it('the service is installed, shown, read and removed', { tags: ['slow'] }, () => {
  const home = makeHome(temporaryFolder());
  const { environment, unit, calls, setState } = fakeSystemd();
  const service = (...args: string[]) => run(['service', ...args, '--home', home], environment);
  expect(service('status')).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/not installed/) as unknown,
  });

  const installed = service('install');
  expect(installed).toMatchObject({ status: 0, stderr: '' });
  expect(installed.stdout).toContain(`The service is running for the home ${home} (${unit}).`);
  expect(installed.stdout).toContain('loginctl enable-linger');
  expect(readFileSync(unit, 'utf8')).toContain(`"--home" "${home}"`);
  expect(calls()).toEqual([
    '--user daemon-reload',
    '--user enable framekiln.service',
    '--user restart framekiln.service',
  ]);
  expect(service('status')).toMatchObject({
    status: 0,
    stdout: `The service has been running since Fri (process 12, restarted 1 time).\nIt starts at login; its home is ${home}.\n`,
  });
  setState('failed');
  expect(service('status')).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/is not running \(failed/) as unknown,
  });
  expect(service('logs', '-f', '-n', '7').status).toBe(0);

  const elsewhere = makeHome(temporaryFolder());
  expect(run(['service', 'install', '--home', elsewhere], environment)).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/is installed for the home .*service uninstall/) as unknown,
  });

  expect(service('uninstall').status).toBe(0);
  expect(existsSync(unit)).toBe(false);
  expect(calls().slice(3)).toEqual(['--user disable --now framekiln.service', '--user daemon-reload']);
  expect(service('uninstall').stdout).toMatch(/not installed/);
});

it('the service of a user who lingers starts at boot', () => {
  const home = makeHome(temporaryFolder());
  const { environment } = fakeSystemd('yes');
  expect(run(['service', 'install', '--home', home], environment).stdout).not.toContain('enable-linger');
  expect(run(['service', 'status', '--home', home], environment).stdout).toContain(
    `It starts at boot; its home is ${home}.`,
  );
});

it('without systemd, nothing is written', () => {
  const home = makeHome(temporaryFolder());
  const { environment, unit } = fakeSystemd();
  const { status, stderr } = run(['service', 'install', '--home', home], {
    ...environment,
    PATH: join(home, 'empty'),
  });
  expect([status, stderr]).toEqual([3, expect.stringMatching(/^NO_SYSTEMD: systemctl was not found/)]);
  expect(existsSync(unit)).toBe(false);
});

it('stop ends a daemon that was started by hand, which a service must not compete with', async () => {
  const home = makeHome(temporaryFolder());
  const { environment, unit } = fakeSystemd();
  expect(run(['stop', '--home', home])).toMatchObject({ status: 0, stdout: 'The daemon is not running.\n' });
  const { ended } = start(['start', '--home', home]);
  await expect
    .poll(() => run(['status', '--home', home]).stdout, { timeout: 30_000 })
    .toMatch(/^The daemon is running/);
  const install = run(['service', 'install', '--home', home], environment);
  expect(install).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/A daemon is already running on .*framekiln stop/) as unknown,
  });
  expect(existsSync(unit)).toBe(false);
  expect(run(['stop', '--home', home])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/has stopped/) as unknown,
  });
  expect(await ended).toBe(0);
});
