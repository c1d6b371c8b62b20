#include "dispatch.h"

#include <stdexcept>

#include "memory.h"

namespace framekiln::cpu {
namespace {

// 28 rows of half a frame's width, with a border.
size_t YuvScratchBytes(const YuvConversion& c) { return sizeof(float) * 28 * (c.width / 2 + 16); }

}  // namespace

std::vector<const Kernels*> AvailableKernels() {
  std::vector<const Kernels*> available;
#ifdef __x86_64__
  // These also ask whether the operating system saves the wide registers.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    if (__builtin_cpu_supports("avx512vnni")) available.push_back(&kAvx512VnniKernels);
    available.push_back(&kAvx512Kernels);
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
#ifdef FRAMEKILN_AVX_VNNI
    if (__builtin_cpu_supports("avxvnni")) available.push_back(&kAvx2VnniKernels);
#endif
    available.push_back(&kAvx2Kernels);
  }
#endif
  available.push_back(&kPlainKernels);
  return available;
}

const Kernels& ChooseKernels(const std::string& name) {
  for (const Kernels* kernels : AvailableKernels()) {
    if (name.empty() || name == kernels->name) return *kernels;
  }
  throw std::invalid_argument("This machine does not have the instruction set " + name + ".");
}

size_t YuvSamples(const YuvConversion& c) {
  const size_t pixels = size_t{c.width} * c.height;
  return pixels + 2 * (pixels / (c.halves_columns ? 2 : 1) / (c.halves_rows ? 2 : 1));
}

void ConvertFrameToYuv(const Kernels& kernels, const YuvConversion& conversion, const void* rgb, void* yuv) {
  const Memory scratch(YuvScratchBytes(conversion));
  kernels.convert_to_yuv(conversion, rgb, yuv, scratch.floats());
}

}  // namespace framekiln::cpu
