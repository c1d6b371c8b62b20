import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import SqliteDatabase from 'better-sqlite3';
import { frameMd5, makeClip } from './clips.ts';
import { MIGRATIONS } from '../../src/queue/migrations.ts';
import { failPointFolder, type FailPointFolder } from './fail-points.ts';
import { filesBelow, makeHome, processesOf, run, start, type Running } from './framekiln.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const BATCH = 20;
/** Uneven intervals, so that a frame at a wrong time shows. */
const UNEVEN = "setpts='(N*40+mod(N\\,3)*7)/1000/TB'";

/** A frame takes this long at most, on a busy machine. */
const IN_FLIGHT_MS = 1000;

interface Row {
  readonly job: number;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly first: number;
  readonly count: number;
  readonly at: number;
}

const undisturbed = new Map<number, string[]>();

/** Images and timestamps of a run that nobody disturbs, made once for each length. */
function framesOfUndisturbedRun(frames: number): string[] {
  let known = undisturbed.get(frames);
  if (known === undefined) {
    const home = makeHome(temporaryFolder());
    makeClip(join(home, 'input/clip.mp4'), { frames, filter: UNEVEN });
    const { status, stderr } = run(['start', '--once', '--home', home]);
    known = frameMd5(join(home, 'output/clip.mp4'));
    if (status !== 0 || known.length !== frames) throw new Error(`The undisturbed run failed: ${stderr}`);
    undisturbed.set(frames, known);
  }
  return known;
}

/**
 * One clip on its way through daemons that are killed: the real program, a real model. `check` holds the promises
 * I1, I2, I3 and I5 of the kill standard after each kill, `end` all of them; what is broken is a sentence in
 * `violations`.
 */
export class Life {
  readonly home: string;
  readonly points: FailPointFolder;
  readonly violations: string[] = [];
  /** From the start of a process to the first frame that it inferred, each in ms. */
  readonly recoveriesMs: number[] = [];
  kills = 0;
  /** When stopped workers were woken. */
  readonly wokenAtMs: number[] = [];
  /** Frames whose checkpoints a person threw away. */
  extraFrames = 0;
  /** Segments that the test itself spoiled. */
  readonly damaged = new Set<string>();
  readonly frames: number;
  readonly #trace: string;
  readonly #expected: readonly string[];
  #daemon: Running | null = null;
  #startedAtMs = 0;

  constructor(frames: number) {
    this.frames = frames;
    this.#expected = framesOfUndisturbedRun(frames);
    this.home = makeHome(temporaryFolder());
    this.points = failPointFolder(join(this.home, 'points'));
    onTestFinished(() => this.wipeRamDisk());
    this.#trace = join(this.home, 'trace.log');
    makeClip(join(this.home, 'input/clip.mp4'), { frames, filter: UNEVEN });
  }

  /** Starts a daemon that ends when the clip is done. */
  start(): Running {
    this.#startedAtMs = Date.now();
    this.#daemon = start(['start', '--once', '--home', this.home], {
      FRAMEKILN_TRACE: this.#trace,
      ...this.points.environment,
    });
    return this.#daemon;
  }

  /** The daemon that runs, or a new one. */
  daemon(): Running {
    return this.#daemon !== null && isRunning(this.#daemon) ? this.#daemon : this.start();
  }

  /** Kills the daemon if one runs. */
  async quiet(): Promise<void> {
    if (this.#daemon !== null && isRunning(this.#daemon)) await this.killAll();
  }

  /** A new daemon. */
  async fresh(): Promise<Running> {
    await this.quiet();
    return this.start();
  }

  /** kill -9 for the daemon, its worker and every ffmpeg, and a look at what they leave. */
  async killAll(): Promise<void> {
    await this.#daemon?.killGroup();
    this.noteRecovery();
    this.kills++;
    this.check();
  }

  get isDone(): boolean {
    return (
      this.read((db) => db.prepare(`SELECT 1 FROM jobs WHERE state = 'done'`).get() !== undefined) ?? false
    );
  }

  /** From then on its segments are not needed any more. */
  get isPublished(): boolean {
    const look = (db: SqliteDatabase.Database) =>
      db.prepare(`SELECT 1 FROM jobs WHERE published_at_ms IS NOT NULL`).get() !== undefined;
    return this.read(look) ?? false;
  }

  /** Committed batches. */
  get committed(): number {
    return this.#rows().length;
  }

  /** Waits for something to come true; a violation when it does not within `ms`. */
  async until(what: string, isTrue: () => boolean, ms = 60_000): Promise<boolean> {
    const deadline = Date.now() + ms;
    while (Date.now() < deadline) {
      if (isTrue()) return true;
      await delay(100);
    }
    this.violations.push(`${what} did not come within ${ms / 1000} s`);
    return false;
  }

  /** Waits until one more batch is committed, or all is done. */
  async progress(): Promise<void> {
    const before = this.committed;
    await this.until('progress', () => this.committed > before || this.isDone);
  }

  /** Writes down how long the process that was started last took to its first frame, once. */
  noteRecovery(): void {
    const startedAtMs = this.#startedAtMs;
    const first = this.inferred().find(({ atMs }) => atMs >= startedAtMs);
    if (first === undefined) return;
    if (this.kills > 0) this.recoveriesMs.push(first.atMs - startedAtMs);
    this.#startedAtMs = Infinity;
  }

  /** One process was killed, and the others go on. */
  lostOne(): void {
    this.kills++;
    this.#startedAtMs = Date.now();
  }

  /** The RAM disk's contents are gone, as after a reboot. */
  wipeRamDisk(): void {
    for (const mount of this.#mounts()) execFileSync('umount', ['--lazy', mount]);
    const folder = join(this.home, '.framekiln/frames');
    for (const file of filesBelow(folder)) rmSync(join(folder, file));
  }

  /** Runs to the end, undisturbed from here on, and holds all promises. */
  async end(): Promise<void> {
    this.points.arm();
    const isAtWork = this.#daemon !== null && isRunning(this.#daemon);
    if (!this.isDone || isAtWork) {
      const running = this.daemon();
      await this.until('the end', () => !isRunning(running), 180_000);
      this.noteRecovery();
      if (running.child.exitCode !== 0)
        this.violations.push(`the last daemon ended with ${running.child.exitCode}`);
      // Also of the workers that died under it: it has put everything in order itself.
      const left = this.leftovers();
      if (left.length > 0) this.violations.push(`I6 left behind by a daemon that ended: ${left.join(', ')}`);
    }
    await this.#daemon?.killGroup();
    // Whoever was killed after the end left things to whoever comes next.
    if (this.leftovers().length > 0) run(['start', '--once', '--home', this.home]);
    this.check();
    if (!existsSync(join(this.home, 'output/clip.mp4'))) this.violations.push('I4 there is no finished file');
    const inferred = this.inferred().length;
    const allowed = this.frames + this.kills * BATCH + this.extraFrames;
    if (inferred > allowed) this.violations.push(`I3 ${inferred} frames inferred, ${allowed} allowed`);
    await this.until('I6 the end of all processes', () => processesOf(this.home).length === 0, 10_000);
    const left = this.leftovers();
    if (left.length > 0) this.violations.push(`I6 left behind: ${left.join(', ')}`);
  }

  /** I1, I2, I3, I5: what holds at every instant. */
  check(): void {
    const integrity = this.read((db) => db.pragma('integrity_check', { simple: true }));
    if (integrity !== null && integrity !== 'ok') this.violations.push(`I1 ${JSON.stringify(integrity)}`);
    const rows = this.#rows();
    if (!this.isPublished)
      for (const row of rows.filter(({ name }) => !this.damaged.has(name))) this.#checkSegment(row);
    for (const { frame, atMs } of this.inferred()) {
      const row = rows.find(({ first, count }) => frame >= first && frame < first + count);
      // The frame that a stopped worker was in when it was stopped ends when it is woken; it goes nowhere.
      if (this.wokenAtMs.some((woken) => atMs >= woken && atMs < woken + IN_FLIGHT_MS)) continue;
      if (row !== undefined && atMs > row.at + 1)
        this.#violated(`I3 frame ${frame} was inferred ${atMs - row.at} ms after its batch was committed`);
    }
    const output = join(this.home, 'output/clip.mp4');
    if (existsSync(output) && frameMd5(output).join() !== this.#expected.join())
      this.violations.push(`${this.isDone ? 'I4' : 'I5'} the final file is not that of an undisturbed run`);
  }

  /** Frames that a model ran on, and when. */
  inferred(): { frame: number; atMs: number }[] {
    if (!existsSync(this.#trace)) return [];
    const lines = readFileSync(this.#trace, 'utf8').trim().split('\n');
    return lines
      .map((line) => line.split(' ').map(Number))
      .map(([, frame = 0, atMs = 0]) => ({ frame, atMs }));
  }

  /**
   * Reads the database: the one that a daemon works on, or a copy of what the dead left, so that looking recovers
   * nothing for those who come after. Null before there is a schema.
   */
  read<T>(look: (db: SqliteDatabase.Database) => T): T | null {
    const path = join(this.home, '.framekiln/framekiln.db');
    if (!existsSync(path)) return null;
    const alive = (this.#daemon !== null && isRunning(this.#daemon)) || processesOf(this.home).length > 0;
    const copy = join(this.home, 'copy');
    rmSync(copy, { recursive: true, force: true });
    if (!alive) {
      mkdirSync(copy);
      for (const end of ['', '-wal'])
        if (existsSync(path + end)) cpSync(path + end, join(copy, `x.db${end}`));
    }
    const db = new SqliteDatabase(alive ? path : join(copy, 'x.db'));
    try {
      // Killed between two migrations it has not all columns yet.
      return Number(db.pragma('user_version', { simple: true })) < MIGRATIONS.length ? null : look(db);
    } finally {
      db.close();
    }
  }

  /** Temporary files, job folders, RAM disks. */
  leftovers(): string[] {
    const state = join(this.home, '.framekiln');
    const kept =
      /^(framekiln\.db(-wal|-shm)?|daemon\.lock(-journal|-wal|-shm)?|reports\/1\.json|detected\.yaml|probe\.json)$/;
    return [
      ...filesBelow(state).filter((path) => !kept.test(path)),
      ...readdirSync(join(this.home, 'output')).filter((name) => name !== 'clip.mp4'),
      ...this.#mounts(),
    ];
  }

  /** Once is enough: the trace is read whole each time. */
  #violated(sentence: string): void {
    if (!this.violations.some((each) => each.startsWith(sentence))) this.violations.push(sentence);
  }

  #mounts(): string[] {
    const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    return lines.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${this.home}/`));
  }

  #rows(): Row[] {
    const columns = `job_id AS job, segment_name AS name, segment_bytes AS bytes, segment_sha256 AS sha256,
      first_frame AS first, frame_count AS count, committed_at_ms AS at`;
    return this.read((db) => db.prepare<[], Row>(`SELECT ${columns} FROM batches`).all()) ?? [];
  }

  #checkSegment({ job, name, bytes, sha256 }: Row): void {
    const path = join(this.home, '.framekiln/jobs', String(job), 'segments', name);
    // Under a living daemon the job may have been published between two looks.
    if (!existsSync(path) && this.isPublished) return;
    if (!existsSync(path)) this.violations.push(`I2 ${name} is committed and not there`);
    else if (statSync(path).size !== bytes)
      this.violations.push(`I2 ${name} has ${statSync(path).size} bytes, not ${bytes}`);
    else if (createHash('sha256').update(readFileSync(path)).digest('hex') !== sha256)
      this.violations.push(`I2 ${name} has another content than was committed`);
  }
}

function isRunning({ child }: Running): boolean {
  return child.exitCode === null && child.signalCode === null;
}
