// 3x3 convolution, stride 1, padding 1, on tensor cores with mma.sync (sm_75 and newer): nine tenths of all work.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor.cuh"

namespace framekiln::kernels {

// Input channels must be a multiple of 16. Output channels are computed in groups of 16, up to 64 per block.
bool TensorConvTakes(int input_channels);

// Weights [cout][3][3][cin] as the kernel reads them: [group of output channels][16 input channels][tap][output][input],
// with zeros for the output channels that fill up a group.
std::vector<uint16_t> PackTensorConvWeights(const float* weights, int cout, int cin);

struct TensorConv {
  Tensor x;
  Tensor y;
  const uint16_t* weights = nullptr;  // Packed, on the device.
  DeviceEpilogue epilogue;
};
DeviceStatus LaunchTensorConv(const TensorConv& conv, Stream stream);

}  // namespace framekiln::kernels
