// The yardstick of the benchmark: what mma.sync gives with both operands in registers and nothing else to do.
#pragma once

#include "device.cuh"

namespace framekiln::kernels {

struct MmaRate {
  float* sink = nullptr;  // Of one float; is not written, but the compiler does not know.
  int rounds = 0;
  float never = 0;  // A sum that does not come out.
};
// Multiply-adds of one block of 256 threads.
constexpr double MmaRateWork(int rounds) { return 8.0 * rounds * 16 * (16.0 * 8 * 16); }
DeviceStatus LaunchMmaRate(const MmaRate& rate, unsigned blocks, Stream stream);

}  // namespace framekiln::kernels
