import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { reportStep } from './report.mjs';
import { findOnPath, runCommand } from './run-command.mjs';
import { assertNotRunning } from './running.mjs';
import { hashFiles, readStamp, writeStamp } from './stamp.mjs';

const SOURCES = [
  ...['addon', 'engine', 'program'].map((name) => `native-cpu/${name}`),
  ...['addon', 'plan', 'reference'].map((name) => `native-cuda/${name}`),
];

const FLAGS = [
  '-std=c++20',
  '-O3',
  '-fPIC',
  '-pthread',
  '-fvisibility=hidden',
  '-ffp-contract=off',
  '-Wall',
  '-Wextra',
  // GCC 12 warns of its own intrinsics.
  '-Wno-maybe-uninitialized',
];

/** Each set of vector instructions has its own copy of the kernels; which one is used is decided at run time. */
const AVX2 = ['-mavx2', '-mfma'];
const AVX512 = [
  ...AVX2,
  ...['f', 'bw', 'dq', 'vl'].map((part) => `-mavx512${part}`),
  '-mprefer-vector-width=512',
];
const INSTRUCTION_SETS = {
  plain: [],
  avx2: AVX2,
  avx2_vnni: [...AVX2, '-mavxvnni'],
  avx512: AVX512,
  avx512_vnni: [...AVX512, '-mavx512vnni'],
};

const ENGINE = ['dispatch', 'model', 'runner', 'thread_pool', 'weights'].map(
  (name) => `native-cpu/engine/${name}.cc`,
);
const PLAN = 'native-cuda/plan/plan.cc';

/** What is linked of which sources. The program runs the native tests. */
const TARGETS = {
  addon: {
    file: 'framekiln_cpu.node',
    sources: [...ENGINE, PLAN, ...['addon', 'vulkan_adapters'].map((name) => `native-cpu/addon/${name}.cc`)],
    // Before glibc 2.34, dlopen is in a library of its own.
    link: ['-shared', '-Wl,--no-as-needed', '-ldl'],
  },
  program: {
    file: 'framekiln-cpu',
    sources: [
      ...ENGINE,
      PLAN,
      ...['layers', 'execute'].map((name) => `native-cuda/reference/${name}.cc`),
      ...['main', 'peaks', 'tests'].map((name) => `native-cpu/program/${name}.cc`),
    ],
    link: [],
  },
};

/**
 * Builds the addon of the CPU engine, which takes about half a minute. Without a C++ compiler, or when the build fails, models
 * run with onnxruntime; that is reported once, and the build is tried again when a compiler or its sources change.
 *
 * @param {string} root the project's folder
 */
export async function ensureCpuAddon(root) {
  if (!existsSync(join(root, 'native-cpu'))) return; // A package without sources brings the addon along.
  const compiler = findCompiler();
  const stampFile = join(root, 'node_modules', '.framekiln-cpu.json');
  const stamp = `${compiler ?? 'no compiler'} ${process.arch} ${hashFiles(root, SOURCES)}`;
  if (readStamp(stampFile)?.stamp === stamp) return;
  const failure =
    compiler === null
      ? 'no C++ compiler was found (to install one on Debian: apt install g++)'
      : await buildForSetup(root);
  writeStamp(stampFile, { stamp, failure });
  if (failure !== null)
    console.error(
      `Models on the CPU will run with onnxruntime, which is slower, because the CPU addon could not be built:\n${failure}`,
    );
}

async function buildForSetup(root) {
  assertNotRunning(root);
  const { ok, output } = await reportStep('Building the CPU addon (half a minute)', () =>
    buildCpu(root, 'addon'),
  );
  return ok ? null : output.trimEnd();
}

/**
 * Compiles and links a target in native-cpu/build.
 *
 * @param {string} root the project's folder
 * @param {'addon' | 'program'} name
 * @param {{ folder?: string, flags?: string[], compiler?: string | null }} [options] another build folder, with further flags, and
 *   perhaps a compiler for another architecture
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export async function buildCpu(root, name, { folder = 'build', flags = [], compiler = findCompiler() } = {}) {
  if (compiler === null) return { ok: false, output: 'no C++ compiler was found' };
  const build = join(root, 'native-cpu', folder);
  mkdirSync(build, { recursive: true });
  const { file, sources, link } = TARGETS[name];
  const headers = ['node-api-headers/include', 'node-addon-api'].flatMap((path) => [
    '-isystem',
    join(root, 'node_modules', path),
  ]);
  const sets = await instructionSets(compiler);
  const defines = ['-DNAPI_VERSION=8', ...('avx2_vnni' in sets ? ['-DFRAMEKILN_AVX_VNNI'] : [])];
  const units = [
    ...sources.map((source) => ({ source, object: source.replaceAll('/', '_'), extra: [] })),
    ...Object.entries(sets).flatMap(([isa, extra]) =>
      ['kernels', 'yuv'].map((name) => ({
        source: `native-cpu/engine/${name}.cc`,
        object: `${name}_${isa}`,
        extra,
      })),
    ),
  ];
  const compile = async ({ source, object, extra }) => {
    const to = join(build, `${object}.o`);
    const args = [...FLAGS, ...flags, ...extra, ...headers, ...defines, '-c', source, '-o', to];
    return { to, ...(await runCommand(compiler, args, { cwd: root })) };
  };
  const compiled = await Promise.all(units.map(compile));
  const failed = compiled.find(({ ok }) => !ok);
  if (failed !== undefined) return failed;
  // A process that has loaded the old addon keeps it; a build that is interrupted leaves no half of a new one.
  const target = join(build, file);
  const args = [...FLAGS, ...flags, ...link, ...compiled.map(({ to }) => to), '-o', `${target}.new`];
  const linked = await runCommand(compiler, args, { cwd: root });
  if (linked.ok) renameSync(`${target}.new`, target);
  return linked;
}

/** Those that the compiler knows: GCC before 11 and its assembler do not have AVX-VNNI. NEON is plain on its architecture. */
async function instructionSets(compiler) {
  const { output: architecture } = await runCommand(compiler, ['-dumpmachine']);
  if (!architecture.startsWith('x86_64')) return { plain: [] };
  const { ok } = await runCommand(compiler, ['-mavxvnni', '-E', '-x', 'c++', '/dev/null']);
  return Object.fromEntries(Object.entries(INSTRUCTION_SETS).filter(([isa]) => ok || isa !== 'avx2_vnni'));
}

function findCompiler() {
  return ['g++', 'c++', 'clang++'].map(findOnPath).find((path) => path !== null) ?? null;
}
