import { copyFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openBrowser, whyNoBrowser } from '../../helpers/browser.ts';
import { DaemonWithPage } from '../../helpers/daemon-with-page.ts';
import { fillUp, mayMount, mountTmpfs } from '../../helpers/tmpfs.ts';

const suffix = whyNoBrowser === null ? '' : ` (${whyNoBrowser})`;
const browserTest = it.skipIf(whyNoBrowser !== null);
const WAIT = { timeout: 60_000 };

browserTest(`settings are changed, rejected, reset and restored on the page${suffix}`, async () => {
  const daemon = await DaemonWithPage.start();
  const file = join(daemon.home, 'framekiln.yaml');
  const read = (): string => readFileSync(file, 'utf8');
  writeFileSync(file, '# living room\nencoder:\n  crf: 20 # as seen on TV\n');
  const page = await openBrowser(`${daemon.address}#/settings`);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  const crf = page.getByRole('textbox', { name: 'crf' });
  await crf.fill('99');
  await crf.press('Enter');
  await page.getByText('Too big: expected number to be <=51').waitFor(WAIT);
  // What was typed stays, to be corrected.
  expect([await crf.inputValue(), await crf.getAttribute('aria-invalid')]).toEqual(['99', 'true']);
  await crf.fill('23');
  await crf.press('Enter');
  await page.getByText(/encoder\.crf is 23 .*effective from the next job/).waitFor(WAIT);
  expect(read()).toBe('# living room\nencoder:\n  crf: 23 # as seen on TV\n');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(read, WAIT).toContain('crf: 20 # as seen on TV');
  await page.getByRole('button', { name: 'Reset encoder.crf' }).click();
  await page.getByText('encoder.crf is 18 again (default)').waitFor(WAIT);
  expect(read()).toBe('# living room\n');
  await page.getByRole('switch', { name: 'keepJobFolders' }).check();
  await page.getByLabel('existing', { exact: true }).selectOption('keep');
  await page.getByLabel('quietHours').fill('[22:00-07:30]');
  await page.getByLabel('quietHours').press('Tab');
  await expect.poll(read, WAIT).toContain('22:00-07:30');
  expect(read()).toMatch(/workspace:\n +keepJobFolders: true\n.*output:\n +existing: keep\n/s);
  // An environment variable of the daemon wins, so the field is locked.
  expect(await page.getByLabel('port', { exact: true }).isDisabled()).toBe(true);
  await page.getByText('from environment variable FRAMEKILN_PAGE_PORT').waitFor(WAIT);
  expect(faults).toEqual([]);
});

it('changes come all or none, keep the file if it cannot be written, and need the token', async () => {
  const daemon = await DaemonWithPage.start();
  const file = join(daemon.home, 'framekiln.yaml');
  const before = readFileSync(file, 'utf8');
  const changes = [
    { key: 'attempts', value: 5 },
    { key: 'encoder.crf', value: 'good' },
  ];
  const rejected = await daemon.change('/api/settings', { changes });
  expect([rejected.status, rejected.text]).toEqual([
    400,
    expect.stringContaining('encoder.crf: Invalid input'),
  ]);
  const body = JSON.stringify({ changes: [{ key: 'attempts', value: 5 }] });
  const json = { 'content-type': 'application/json' };
  expect((await daemon.ask('POST', '/api/settings', json, body)).status).toBe(401);
  const hook = { changes: [{ key: 'hooks.done', value: ['/bin/sh'] }] };
  const protectedOne = await daemon.change('/api/settings', hook);
  expect([protectedOne.status, protectedOne.text]).toEqual([
    403,
    expect.stringContaining(`Settings of hooks can only be changed in ${file}, because hooks run programs.`),
  ]);
  expect(readFileSync(file, 'utf8')).toBe(before);

  // Their values may contain passwords.
  writeFileSync(file, `${before}hooks: { webhook: 'https://example.org/secret-topic' }\n`);
  const { text } = await daemon.ask('GET', '/api/settings', { authorization: `Bearer ${daemon.token}` });
  expect(text).not.toContain('secret-topic');
  const { settings } = JSON.parse(text) as { settings: { key: string; origins: { value: unknown }[] }[] };
  const [webhook] = settings.find(({ key }) => key === 'hooks.webhook')?.origins ?? [];
  expect(webhook).toMatchObject({ value: null, place: expect.stringContaining('framekiln.yaml') as string });
  writeFileSync(file, before);

  // Two at the same time: neither is lost.
  await Promise.all([
    daemon.change('/api/settings', { changes: [{ key: 'attempts', value: 5 }] }),
    daemon.change('/api/settings', { changes: [{ key: 'encoder.crf', value: 21 }] }),
  ]);
  expect(readFileSync(file, 'utf8')).toMatch(/attempts: 5/);
  expect(readFileSync(file, 'utf8')).toMatch(/crf: 21/);
});

it.skipIf(!mayMount())('a settings file on a full disk is named, and stays as it is', async () => {
  const daemon = await DaemonWithPage.start();
  const [file, disk] = [join(daemon.home, 'framekiln.yaml'), join(daemon.home, 'disk')];
  mountTmpfs(disk, 'size=64k');
  copyFileSync(file, join(disk, 'framekiln.yaml'));
  rmSync(file);
  symlinkSync(join(disk, 'framekiln.yaml'), file);
  const before = readFileSync(file, 'utf8');
  fillUp(disk);
  const { status, text } = await daemon.change('/api/settings', { changes: [{ key: 'attempts', value: 5 }] });
  expect([status, text]).toEqual([409, expect.stringContaining('cannot be written (ENOSPC)')]);
  expect(readFileSync(file, 'utf8')).toBe(before);
});
