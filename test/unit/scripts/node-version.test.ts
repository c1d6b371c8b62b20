import { describe, expect, it } from 'vitest';

const script = new URL('../../../scripts/setup/node-version.mjs', import.meta.url).href;
const { checkNodeVersion } = (await import(script)) as { checkNodeVersion: (version: string) => void };

describe('checkNodeVersion', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '100.1.0'])('takes %s', (version) => {
    expect(() => {
      checkNodeVersion(version);
    }).not.toThrow();
  });

  it.each(['20.18.9', '18.20.0', '8.0.0'])('rejects %s and says what it needs', (version) => {
    expect(() => {
      checkNodeVersion(version);
    }).toThrow(`Framekiln needs Node 20.19 or newer, and this is ${version}`);
  });
});
