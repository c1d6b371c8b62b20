// Sixteen independent sums per warp hide the latency of the instruction. It has no CPU reference, because the result is discarded.
#include "mma_rate.cuh"

namespace framekiln::kernels {
namespace {

FK_KERNEL FK_LAUNCH_BOUNDS(256, 2) MmaRateKernel(const MmaRate p) {
  const uint32_t a[4] = {ThreadX(), ThreadX() * 3, ThreadX() * 5, ThreadX() * 7};
  float sums[16][4] = {};
  for (int round = 0; round < p.rounds; round++) {
    FK_UNROLL
    for (int i = 0; i < 16; i++) MultiplyAdd(sums[i], a, ThreadX() + i, ThreadX() - i);
  }
  float total = 0;
  FK_UNROLL
  for (int i = 0; i < 16; i++) total += sums[i][0] + sums[i][1] + sums[i][2] + sums[i][3];
  if (total == p.never) *p.sink = total;
}

}  // namespace

DeviceStatus LaunchMmaRate(const MmaRate& rate, unsigned blocks, Stream stream) {
  return Launch(MmaRateKernel, {blocks, 1, 1}, 256, 0, stream, rate);
}

}  // namespace framekiln::kernels
