import { describe, expect, it } from 'vitest';

const script = new URL('../../../scripts/test/vitest-arguments.mjs', import.meta.url).href;
const { vitestArguments } = (await import(script)) as { vitestArguments: (args: string[]) => string[] };

describe('vitestArguments', () => {
  it('leaves out slow and native tests in `npm test`', () => {
    const args = vitestArguments([]);
    expect(args).toContain('--tags-filter=!slow');
    expect(args).toContain('--project=recovery');
    expect(args).not.toContain('--project=native');
  });

  it('leaves out nothing in `npm run test:all`', () => {
    const args = vitestArguments(['--all']);
    expect(args.filter((arg) => arg.startsWith('--tags-filter'))).toEqual([]);
    expect(args).toContain('--project=native');
    expect(args).not.toContain('--all');
  });

  it('passes further arguments on to vitest', () => {
    expect(vitestArguments(['--all', '--reporter=json', 'kill']).slice(-2)).toEqual([
      '--reporter=json',
      'kill',
    ]);
  });
});
