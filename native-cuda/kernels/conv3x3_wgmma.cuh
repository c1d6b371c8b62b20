// 3x3 convolution, stride 1, padding 1, by wgmma: Hopper's full rate (compute capability 9.0). What conv3x3_tensor.cuh
// computes, for 33 and more output channels.
#pragma once

#include <vector>

#include "conv3x3_tensor.cuh"

namespace framekiln::kernels {

// Whether the current device has the instruction and the shape is worth it; the emulation says no, because its models
// are to show the kernels that everybody has.
bool WgmmaConvTakes(int cin, int cout);

// Weights [cout][3][3][cin] as [64 output channels][32 input channels][tap][8 input channels][output][input].
std::vector<uint16_t> PackWgmmaConvWeights(const float* weights, int cout, int cin);

DeviceStatus LaunchWgmmaConv(const TensorConv& conv, Stream stream);

}  // namespace framekiln::kernels
