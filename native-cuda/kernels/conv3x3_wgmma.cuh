// 3x3 convolution, stride 1, padding 1, with wgmma, at Hopper's full rate (compute capability 9.0). The same function as
// conv3x3_tensor.cuh, for 33 or more output channels.
#pragma once

#include <vector>

#include "conv3x3_tensor.cuh"

namespace framekiln::kernels {

// Whether the current device has the instruction and the shape benefits from it. Always false in the emulator, so that
// models are tested with the kernels that every GPU has.
bool WgmmaConvTakes(int cin, int cout);

// Weights [cout][3][3][cin] as [64 output channels][32 input channels][tap][8 input channels][output][input].
std::vector<uint16_t> PackWgmmaConvWeights(const float* weights, int cout, int cin);

DeviceStatus LaunchWgmmaConv(const TensorConv& conv, Stream stream);

}  // namespace framekiln::kernels
