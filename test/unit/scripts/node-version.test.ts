import { describe, expect, it } from 'vitest';

const script = new URL('../../../scripts/setup/node-version.mjs', import.meta.url).href;
const { checkNodeVersion } = (await import(script)) as {
  checkNodeVersion: (version: string) => string | null;
};

describe('checkNodeVersion', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '24.21.0'])('accepts %s', (version) => {
    expect(checkNodeVersion(version)).toBeNull();
  });

  it.each(['25.0.0', '26.1.0', '100.1.0'])('warns that %s is untested', (version) => {
    expect(checkNodeVersion(version)).toBe(
      `Node ${version} is newer than the versions that Framekiln is tested with (20.19 to 24); if something fails, try Node 24.`,
    );
  });

  it.each(['20.18.9', '18.20.0', '8.0.0'])('rejects %s and says which versions are supported', (version) => {
    expect(() => {
      checkNodeVersion(version);
    }).toThrow(`Node ${version} is too old: Framekiln supports Node 20.19 to 24; install a newer one`);
  });
});
