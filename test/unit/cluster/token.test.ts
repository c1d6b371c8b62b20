import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeToken, encodeToken, readMembership, writeMembership } from '../../../src/cluster/token.ts';
import { withoutPassword } from '../../../src/cluster/connect.ts';
import { programVersion } from '../../../src/config/program-version.ts';

const CLUSTER = { database: 'postgresql://kiln:se%20cret@nas/kiln', store: '/mnt/share' };

describe('the token of a cluster', () => {
  it('is one word that says database and store', () => {
    expect(encodeToken(CLUSTER)).toMatch(/^[\w.-]+$/);
    expect(decodeToken(encodeToken(CLUSTER))).toEqual({ ...CLUSTER, version: programVersion() });
  });

  it.each([
    '',
    'kiln1.',
    'kiln1.bm90aGluZw',
    encodeToken(CLUSTER).slice(0, -9),
    encodeToken(CLUSTER).slice(6),
  ])('is rejected when it is damaged: %j', (token) => {
    expect(() => decodeToken(token)).toThrow(
      'The token is damaged; print it again with framekiln cluster token.',
    );
  });

  it('is rejected by another version of Framekiln', () => {
    const text = JSON.stringify({ ...CLUSTER, version: '99.0.0' });
    const token = `kiln1.${Buffer.from(text).toString('base64url')}`;
    expect(() => decodeToken(token)).toThrow(
      /The cluster has Framekiln 99\.0\.0 and this machine .*install the same/,
    );
  });

  it('is kept by the home that has joined', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'framekiln-home-'));
    onTestFinished(() => rmSync(stateDir, { recursive: true }));
    expect(await readMembership({ stateDir })).toBeNull();
    const membership = { ...CLUSTER, version: programVersion() };
    await writeMembership({ stateDir }, membership);
    expect(await readMembership({ stateDir })).toEqual(membership);
  });
});

it.each([
  ['postgresql://kiln:secret@nas/kiln', 'postgresql://kiln:***@nas/kiln'],
  ['postgresql://kiln@nas/kiln?password=secret&x=1', 'postgresql://kiln@nas/kiln?password=***&x=1'],
  ['postgresql://kiln@nas/kiln', 'postgresql://kiln@nas/kiln'],
])('the password in %s is not shown', (url, shown) => {
  expect(withoutPassword(url)).toBe(shown);
});
