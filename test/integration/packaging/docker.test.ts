import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { SAFE_DEFAULTS } from '../../../src/config/settings.ts';

/* No Docker engine is needed here: these tests read the files. docs/decisions/0081 says how the steps were tried. */
const project = resolve(import.meta.dirname, '../../..');
const folder = join(project, 'packaging/docker');
const dockerfile = readFileSync(join(folder, 'Dockerfile'), 'utf8');
/** Each instruction with its lines joined, without comments. */
const instructions = dockerfile
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '');
const stages = dockerfile.split(/^FROM /m).slice(1);

const hasHadolint = spawnSync('hadolint', ['--version']).status === 0;
const suffix = hasHadolint ? '' : ' (hadolint is not installed)';

it.skipIf(!hasHadolint)(`hadolint finds nothing in the Dockerfile${suffix}`, () => {
  const { status, stdout } = spawnSync('hadolint', [join(folder, 'Dockerfile')], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});

it('every base image has a version, and is a stage or named in full', () => {
  const names = stages.map((stage) => /^(\S+) AS (\S+)/.exec(stage)?.slice(1) ?? []);
  const known = names.map(([, name]) => name);
  for (const [image = ''] of names)
    expect(known.includes(image) || /:(?!latest)[\w.-]+$/.test(image), image).toBe(true);
  for (const [, from] of dockerfile.matchAll(/(?:--from=|,from=)([\w-]+)/g)) expect(known).toContain(from);
});

it('apt installs only what is named, and leaves no lists behind', () => {
  const runs = instructions.filter((each) => each.startsWith('RUN') && each.includes('apt-get install'));
  expect(runs).toHaveLength(4);
  for (const run of runs) {
    expect(run).toMatch(/apt-get update &&\s*apt-get install -y --no-install-recommends /);
    expect(run).toMatch(/rm -rf \/var\/lib\/apt\/lists\/\*$/);
  }
});

it('both images run as a user, and their health check asks the address that needs no token', () => {
  for (const target of ['cuda', 'cpu'])
    expect(stages.find((stage) => stage.startsWith(`base AS ${target}`))).toMatch(/^USER framekiln$/m);
  const { port } = SAFE_DEFAULTS.page;
  const check = instructions.find((each) => each.startsWith('HEALTHCHECK')) ?? '';
  expect(check).toContain(`http://127.0.0.1:${port}/healthz`);
  expect(instructions).toContain(`EXPOSE ${port}`);
  // JSON, so that no shell is needed, and the program itself gets the signals.
  for (const each of instructions.filter((line) => /^(CMD|ENTRYPOINT) /.test(line)))
    expect(JSON.parse(each.replace(/^\w+ /, ''))).toBeInstanceOf(Array);
  expect(JSON.parse(check.slice(check.indexOf('CMD ') + 4))).toHaveLength(3);
});

it('the compose files build the images of the Dockerfile', () => {
  const Compose = z.object({
    services: z.object({
      framekiln: z.looseObject({
        build: z.object({
          context: z.string().optional(),
          dockerfile: z.string().optional(),
          target: z.string(),
        }),
      }),
    }),
  });
  const read = (name: string) =>
    Compose.parse(parse(readFileSync(join(folder, name), 'utf8'))).services.framekiln;
  const cpu = read('compose.yaml');
  const context = resolve(folder, cpu.build.context ?? '');
  expect(context).toBe(project);
  expect(existsSync(join(context, cpu.build.dockerfile ?? ''))).toBe(true);
  expect(cpu).toMatchObject({ build: { target: 'cpu' }, init: true, volumes: ['./home:/data'] });
  expect(dockerfile).toContain('FRAMEKILN_HOME=/data');
  // The home has videos and the token of the page.
  expect(readFileSync(join(folder, 'Dockerfile.dockerignore'), 'utf8')).toMatch(/^packaging\/docker\/home$/m);
  // `user` may be one without a home folder.
  expect(dockerfile).toMatch(/^ENV .*NPM_CONFIG_CACHE=\/tmp\//m);
  expect(read('compose.cuda.yaml')).toMatchObject({ build: { target: 'cuda' }, image: 'framekiln:cuda' });
});
