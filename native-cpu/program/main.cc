// The native program of the CPU engine: tests and measurements that need no Node.
//
//   framekiln-cpu test [SEED [TIMES]]                compares every instruction set with the CPU reference; TIMES is the most
//                                                    that a test is repeated, for emulators
//   framekiln-cpu peaks [THREADS]                    measures what the processor can do at most
//   framekiln-cpu bench PLAN HEIGHT WIDTH [THREADS [ISA [PRECISION]]]   measures a model plan
#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "../engine/dispatch.h"
#include "../engine/runner.h"
#include "peaks.h"
#include "tests.h"

namespace {

using namespace framekiln;
using namespace framekiln::cpu;

std::vector<std::byte> ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string("cannot open ") + path);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  return {data, data + bytes.size()};
}

double OperationsPerPixel(const Plan& plan) {
  double operations = 0;
  const std::vector<Size> sizes = TensorSizes(plan, {16, 16});
  for (const StepRecord& s : plan.steps) {
    if (s.op != Op::kConv) continue;
    const double pixels = sizes[s.output].height * sizes[s.output].width / 256.0;
    operations += 2.0 * 9 * plan.tensors[s.input].channels * plan.tensors[s.output].channels * pixels;
  }
  return operations;
}

int Bench(int count, char** arguments) {
  const Plan plan = ReadPlan(ReadFile(arguments[0]));
  const Size size{static_cast<uint32_t>(std::atoi(arguments[1])), static_cast<uint32_t>(std::atoi(arguments[2]))};
  const auto threads = static_cast<uint32_t>(count > 3 ? std::atoi(arguments[3]) : 0);
  const std::string name = count > 5 ? arguments[5] : "exact";
  const Precision precision = name == "exact" ? Precision::kExact : name == "balanced" ? Precision::kBalanced : Precision::kFast;
  Runner runner(plan, ChooseKernels(count > 4 ? arguments[4] : ""), precision, threads);
  const uint32_t scale = runner.model().scale();
  std::mt19937 random(1);
  std::vector<uint8_t> source(size_t{3} * size.height * size.width), target(source.size() * scale * scale);
  for (uint8_t& value : source) value = static_cast<uint8_t>(random());
  const Area all{0, 0, size.height, size.width};
  // CPU time as well: on a busy machine it says more than wall time.
  double best = 1e9, least = 1e9;
  for (int i = 0; i < 7; i++) {
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    runner.Upscale({PixelFormat::kRgb24, size, all, all}, source.data(), target.data());
    least = std::min(least, static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  const double operations = OperationsPerPixel(plan) * size.height * size.width;
  std::printf("%s, %u threads, %ux%u: %.1f ms, %.0f GFLOP/s; %.0f GFLOP per CPU second, %zu bytes per pixel\n", runner.model().kernels().name, runner.threads(),
              size.width, size.height, best * 1e3, operations / best / 1e9,
              operations / least / 1e9, runner.bytes_per_pixel());
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count >= 2 && std::strcmp(arguments[1], "test") == 0)
      return framekiln::cpu::RunTests(count > 2 ? std::strtoull(arguments[2], nullptr, 10) : std::random_device{}(),
                                      count > 3 ? std::atoi(arguments[3]) : INT_MAX);
    if (count >= 2 && std::strcmp(arguments[1], "peaks") == 0) {
      PrintPeaks(count > 2 ? std::max(1, std::atoi(arguments[2])) : 1);
      return 0;
    }
    if (count >= 5 && std::strcmp(arguments[1], "bench") == 0) return Bench(count - 2, arguments + 2);
    std::fprintf(stderr, "usage: framekiln-cpu test [SEED [TIMES]] | peaks [THREADS] | bench PLAN HEIGHT WIDTH [THREADS [ISA [PRECISION]]]\n");
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
