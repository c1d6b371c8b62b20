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
/** Uneven intervals, so that a frame at a wrong time is noticed. */
const UNEVEN = "setpts='(N*40+mod(N\\,3)*7)/1000/TB'";

/** The longest time for one frame, on a busy machine. */
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

/** Images and timestamps of an undisturbed run, made once for each length. */
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
 * One job of the real program with a real model, whose daemons are killed. `check` checks after each kill that the
 * database is intact, that committed segments are on the disk, that no committed frame is processed again and that no
 * incomplete output is visible. `end` also checks the finished file and that nothing is left behind. Each broken
 * promise is a sentence in `violations`.
 */
export class InterruptedJob {
  readonly home: string;
  readonly points: FailPointFolder;
  readonly violations: string[] = [];
  /** Times in ms from the start of a process to the first frame that it inferred. */
  readonly recoveriesMs: number[] = [];
  kills = 0;
  /** When stopped workers were continued. */
  readonly continuedAtMs: number[] = [];
  /** Number of frames whose checkpoints a command has discarded. */
  extraFrames = 0;
  /** Segments that the test itself has damaged. */
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

  /** Starts a daemon that exits when the clip is done. */
  start(): Running {
    this.#startedAtMs = Date.now();
    this.#daemon = start(['start', '--once', '--home', this.home], {
      FRAMEKILN_TRACE: this.#trace,
      ...this.points.environment,
    });
    return this.#daemon;
  }

  /** The running daemon, or a new one. */
  daemon(): Running {
    return this.#daemon !== null && isRunning(this.#daemon) ? this.#daemon : this.start();
  }

  /** Kills the daemon if it is running. */
  async killIfRunning(): Promise<void> {
    if (this.#daemon !== null && isRunning(this.#daemon)) await this.killAll();
  }

  /** Kills the daemon if it is running, and starts a new one. */
  async restart(): Promise<Running> {
    await this.killIfRunning();
    return this.start();
  }

  /** Kills the daemon, its worker and every ffmpeg with SIGKILL, and checks what they leave. */
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

  /** Whether the output is published; its segments are not needed from then on. */
  get isPublished(): boolean {
    const look = (db: SqliteDatabase.Database) =>
      db.prepare(`SELECT 1 FROM jobs WHERE published_at_ms IS NOT NULL`).get() !== undefined;
    return this.read(look) ?? false;
  }

  /** Number of committed batches. */
  get committed(): number {
    return this.#rows().length;
  }

  /** Waits until `isTrue`; if that takes longer than `ms`, it is a violation. */
  async waitFor(what: string, isTrue: () => boolean, ms = 60_000): Promise<boolean> {
    const deadline = Date.now() + ms;
    while (Date.now() < deadline) {
      if (isTrue()) return true;
      await delay(100);
    }
    this.violations.push(`${what} did not happen within ${ms / 1000} s`);
    return false;
  }

  /** Waits until one more batch is committed, or all is done. */
  async progress(): Promise<void> {
    const before = this.committed;
    await this.waitFor('progress', () => this.committed > before || this.isDone);
  }

  /** Records once how long the process that was started last took until its first frame. */
  noteRecovery(): void {
    const startedAtMs = this.#startedAtMs;
    const first = this.inferred().find(({ atMs }) => atMs >= startedAtMs);
    if (first === undefined) return;
    if (this.kills > 0) this.recoveriesMs.push(first.atMs - startedAtMs);
    this.#startedAtMs = Infinity;
  }

  /** Notes that one process was killed while the others keep running. */
  noteKilledProcess(): void {
    this.kills++;
    this.#startedAtMs = Date.now();
  }

  /** Removes the contents of the RAM disk, as a reboot does. */
  wipeRamDisk(): void {
    for (const mount of this.#mounts()) execFileSync('umount', ['--lazy', mount]);
    const folder = join(this.home, '.framekiln/frames');
    for (const file of filesBelow(folder)) rmSync(join(folder, file));
  }

  /** Runs the job to its end without further kills, and checks all promises. */
  async end(): Promise<void> {
    this.points.arm();
    const isAtWork = this.#daemon !== null && isRunning(this.#daemon);
    if (!this.isDone || isAtWork) {
      const running = this.daemon();
      await this.waitFor('the end', () => !isRunning(running), 180_000);
      this.noteRecovery();
      if (running.child.exitCode !== 0)
        this.violations.push(`the last daemon exited with ${running.child.exitCode}`);
      // A daemon that exits has also removed what its killed workers left.
      const left = this.leftovers();
      if (left.length > 0) this.violations.push(`left behind by a daemon that exited: ${left.join(', ')}`);
    }
    await this.#daemon?.killGroup();
    // If a daemon was killed after the end of the job, the next one removes what it left.
    if (this.leftovers().length > 0) run(['start', '--once', '--home', this.home]);
    this.check();
    if (!existsSync(join(this.home, 'output/clip.mp4'))) this.violations.push('there is no finished file');
    const inferred = this.inferred().length;
    const allowed = this.frames + this.kills * BATCH + this.extraFrames;
    if (inferred > allowed) this.violations.push(`${inferred} frames inferred, ${allowed} allowed`);
    await this.waitFor('the end of all processes', () => processesOf(this.home).length === 0, 10_000);
    const left = this.leftovers();
    if (left.length > 0) this.violations.push(`left behind: ${left.join(', ')}`);
  }

  /** Checks what must hold at every instant. */
  check(): void {
    const integrity = this.read((db) => db.pragma('integrity_check', { simple: true }));
    if (integrity !== null && integrity !== 'ok')
      this.violations.push(`integrity check of the database: ${JSON.stringify(integrity)}`);
    const rows = this.#rows();
    if (!this.isPublished)
      for (const row of rows.filter(({ name }) => !this.damaged.has(name))) this.#checkSegment(row);
    for (const { frame, atMs } of this.inferred()) {
      const row = rows.find(({ first, count }) => frame >= first && frame < first + count);
      // A stopped worker finishes its current frame when it is continued, and the frame is discarded.
      if (this.continuedAtMs.some((woken) => atMs >= woken && atMs < woken + IN_FLIGHT_MS)) continue;
      if (row !== undefined && atMs > row.at + 1)
        this.#violated(`frame ${frame} was inferred ${atMs - row.at} ms after its batch was committed`);
    }
    const output = join(this.home, 'output/clip.mp4');
    if (existsSync(output) && frameMd5(output).join() !== this.#expected.join())
      this.violations.push(`the finished file differs from that of an undisturbed run`);
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
   * Reads the database. Without running processes it reads a copy, because opening the database would recover it
   * before the next daemon does. Null before the schema is complete.
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
      // After a kill between two migrations columns are missing.
      return Number(db.pragma('user_version', { simple: true })) < MIGRATIONS.length ? null : look(db);
    } finally {
      db.close();
    }
  }

  /** Temporary files, job folders and RAM disks that should not be there. */
  leftovers(): string[] {
    const state = join(this.home, '.framekiln');
    const kept =
      /^(framekiln\.db(-wal|-shm)?|daemon\.lock(-journal|-wal|-shm)?|reports\/1\.json|(detected|last-valid-settings)\.yaml|(probe|speeds)\.json)$/;
    return [
      ...filesBelow(state).filter((path) => !kept.test(path)),
      ...readdirSync(join(this.home, 'output')).filter((name) => name !== 'clip.mp4'),
      ...this.#mounts(),
    ];
  }

  /** Adds a violation once, although the whole trace is checked each time. */
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
    // The running daemon may have published the job meanwhile.
    if (!existsSync(path) && this.isPublished) return;
    if (!existsSync(path)) this.violations.push(`the committed segment ${name} is missing`);
    else if (statSync(path).size !== bytes)
      this.violations.push(
        `the committed segment ${name} has ${statSync(path).size} bytes instead of ${bytes}`,
      );
    else if (createHash('sha256').update(readFileSync(path)).digest('hex') !== sha256)
      this.violations.push(`the content of the committed segment ${name} has changed`);
  }
}

function isRunning({ child }: Running): boolean {
  return child.exitCode === null && child.signalCode === null;
}
