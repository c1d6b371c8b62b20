// The peak rate for the benchmark: mma.sync with both operands in registers and no other work.
#pragma once

#include "device.cuh"

namespace framekiln::kernels {

struct MmaRate {
  float* sink = nullptr;  // One float; never written, which the compiler cannot know.
  int rounds = 0;
  float never = 0;  // A value that no sum has.
};
// Multiply-adds of one block of 256 threads.
constexpr double MmaRateWork(int rounds) { return 8.0 * rounds * 16 * (16.0 * 8 * 16); }
DeviceStatus LaunchMmaRate(const MmaRate& rate, unsigned blocks, Stream stream);

}  // namespace framekiln::kernels
