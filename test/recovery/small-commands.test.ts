import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { DaemonWithPage } from '../helpers/daemon-with-page.ts';
import { MAIN, makeHome, run } from '../helpers/framekiln.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const TIMEOUT = { timeout: 30_000 };

it('logs prints the end of the log, and follows it through a rotation', async () => {
  const home = makeHome(temporaryFolder());
  expect(run(['logs', '--home', home])).toMatchObject({
    ...{ status: 1, stderr: expect.stringMatching(/There is no log yet/) as unknown },
  });
  const file = join(home, 'logs/framekiln.log');
  writeFileSync(file, 'one\ntwo\nthree\n');
  expect(run(['logs', '-n', '2', '--home', home])).toMatchObject({ status: 0, stdout: 'two\nthree\n' });

  const child = spawn(process.execPath, [MAIN, 'logs', '-f', '-n', '1', '--home', home], { detached: true });
  onTestFinished(() => void process.kill(-(child.pid ?? NaN), 'SIGKILL'));
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await expect.poll(() => printed, TIMEOUT).toBe('three\n');
  renameSync(file, join(home, 'logs/framekiln.1.log'));
  writeFileSync(file, 'four\n');
  await expect.poll(() => printed, TIMEOUT).toBe('three\nfour\n');
  appendFileSync(file, 'five\n');
  await expect.poll(() => printed, TIMEOUT).toBe('three\nfour\nfive\n');
});

it('open starts the browser with the address of the page, and without its token', async () => {
  const daemon = await DaemonWithPage.start();
  const bin = join(temporaryFolder(), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$@" > ${bin}/opened\n`);
  chmodSync(join(bin, 'xdg-open'), 0o755);
  const environment = {
    ...{ FRAMEKILN_PAGE_ENABLED: 'true', FRAMEKILN_PAGE_PORT: String(daemon.port) },
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  expect(run(['open', '--home', daemon.home], environment)).toMatchObject({ status: 0, stderr: '' });
  expect(readFileSync(join(bin, 'opened'), 'utf8')).toBe(`${daemon.address}\n`);
  const withoutBrowser = { ...environment, PATH: temporaryFolder() };
  expect(run(['open', '--home', daemon.home], withoutBrowser)).toMatchObject({
    ...{ status: 1, stderr: expect.stringContaining(`open ${daemon.address} yourself`) as unknown },
  });
  expect(run(['prioritize', '7', '1', '--home', daemon.home]).stderr).toMatch(/There is no job 7/);
  await daemon.running.killGroup();
  expect(run(['open', '--home', daemon.home], environment).stderr).toMatch(
    /The daemon, which serves the page, is not running/,
  );
});

it('config unset removes a setting, and says what applies instead', () => {
  const home = makeHome(temporaryFolder(), '# mine\n\n# sharper\nencoder: { crf: 20 }\n');
  const unset = run(['config', 'unset', 'encoder.crf', '--home', home]);
  expect(unset).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/is no longer set in .*; it is 18 \(default/) as unknown,
  });
  expect(readFileSync(join(home, 'framekiln.yaml'), 'utf8').trim()).toBe('# mine\n\n# sharper');
  expect(run(['config', 'unset', 'encoder.crf', '--home', home]).stdout).toMatch(/was not set in/);
});

it('bash completes commands, subcommands and options', () => {
  const { stdout: script } = run(['completion', 'bash']);
  const complete = (...words: string[]): string[] => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const test = `${script}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _framekiln; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', test], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.split('\n').filter(Boolean);
  };
  expect(complete('framekiln', 'sta')).toEqual(['start', 'status']);
  expect(complete('framekiln', 'config', '')).toEqual(
    expect.arrayContaining(['show', 'set', 'unset', 'example', '--home', '--help']),
  );
  expect(complete('framekiln', 'start', '--on')).toEqual(['--once']);
  expect(complete('framekiln', '--home', 'x')).toEqual([]);
  expect(run(['completion', 'fish']).stdout).toContain(
    "complete -c framekiln -f -n '__fish_seen_subcommand_from config' -a unset",
  );
  expect(run(['completion', 'csh']).status).toBe(2);
});
