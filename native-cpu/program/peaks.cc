#include "peaks.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <thread>
#include <vector>

namespace framekiln::cpu {
namespace {

// Instructions of a loop: one for each of 14 registers, so that none waits for the result of another. The other two hold
// zeros.
constexpr int kRegisters = 14;
constexpr uint64_t kLoops = 400'000;
constexpr int kRepeats = 12;

#ifdef __x86_64__
#define FRAMEKILN_PEAK(name, zero, instructions)                                                                         \
  void name(uint64_t loops) {                                                                                            \
    asm volatile(zero "\n1:\n.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13\n" instructions "\n.endr\ndec %0\njnz 1b\n"             \
                 : "+r"(loops)                                                                                           \
                 :                                                                                                       \
                 : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
                   "xmm12", "xmm13", "xmm14", "xmm15");                                                                  \
  }

FRAMEKILN_PEAK(Avx512Floats, "vzeroall", "vfmadd231ps %%zmm14, %%zmm15, %%zmm\\r")
FRAMEKILN_PEAK(Avx512Brains, "vzeroall", "vdpbf16ps %%zmm14, %%zmm15, %%zmm\\r")
FRAMEKILN_PEAK(Avx512Words, "vzeroall", "vpdpwssd %%zmm14, %%zmm15, %%zmm\\r")
FRAMEKILN_PEAK(Avx512Bytes, "vzeroall", "vpdpbusd %%zmm14, %%zmm15, %%zmm\\r")
FRAMEKILN_PEAK(Avx2Floats, "vzeroall", "vfmadd231ps %%ymm14, %%ymm15, %%ymm\\r")
#ifdef FRAMEKILN_AVX_VNNI
FRAMEKILN_PEAK(Avx2Words, "vzeroall", "%{vex%} vpdpwssd %%ymm14, %%ymm15, %%ymm\\r")
FRAMEKILN_PEAK(Avx2Bytes, "vzeroall", "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm\\r")
#endif
FRAMEKILN_PEAK(PlainFloats, "xorps %%xmm14, %%xmm14\nxorps %%xmm15, %%xmm15",
               "mulps %%xmm14, %%xmm\\r\naddps %%xmm15, %%xmm\\r")
#elif defined(__aarch64__)
void PlainFloats(uint64_t loops) {
  asm volatile(
      "movi v14.4s, #0\nmovi v15.4s, #0\n1:\n.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13\nfmla v\\r\\().4s, v14.4s, v15.4s\n.endr\n"
      "subs %0, %0, #1\nb.ne 1b\n"
      : "+r"(loops)
      :
      : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15");
}
#endif

struct Peak {
  const char* instructions;
  const char* kind;
  void (*loop)(uint64_t loops);
  int operations;  // Multiplications and additions for each register.
};

std::vector<Peak> Peaks() {
  std::vector<Peak> peaks;
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) {
    peaks.push_back({"avx512", "float32", Avx512Floats, 32});
    if (__builtin_cpu_supports("avx512bf16")) peaks.push_back({"avx512", "bfloat16", Avx512Brains, 64});
    if (__builtin_cpu_supports("avx512vnni")) {
      peaks.push_back({"avx512", "int16", Avx512Words, 64});
      peaks.push_back({"avx512", "int8", Avx512Bytes, 128});
    }
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    peaks.push_back({"avx2", "float32", Avx2Floats, 16});
#ifdef FRAMEKILN_AVX_VNNI
    if (__builtin_cpu_supports("avxvnni")) {
      peaks.push_back({"avx2", "int16", Avx2Words, 32});
      peaks.push_back({"avx2", "int8", Avx2Bytes, 64});
    }
#endif
  }
#endif
#if defined(__x86_64__) || defined(__aarch64__)
  peaks.push_back({"plain", "float32", PlainFloats, 8});
#endif
  return peaks;
}

// CPU time of this thread: other programs on the machine do not count.
double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double BestRate(const Peak& peak) {
  double best = 0;
  for (int i = 0; i < kRepeats; i++) {
    const double begin = ThreadSeconds();
    peak.loop(kLoops);
    best = std::max(best, 1e-9 * kLoops * kRegisters * peak.operations / (ThreadSeconds() - begin));
  }
  return best;
}

}  // namespace

void PrintPeaks(uint32_t threads) {
  for (const Peak& peak : Peaks()) {
    std::vector<double> rates(threads);
    std::vector<std::thread> running;
    for (double& rate : rates) running.emplace_back([&] { rate = BestRate(peak); });
    for (std::thread& thread : running) thread.join();
    std::printf("%s %s %.1f\n", peak.instructions, peak.kind, std::accumulate(rates.begin(), rates.end(), 0.0) / threads);
  }
}

}  // namespace framekiln::cpu
