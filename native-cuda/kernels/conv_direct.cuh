// Convolutions of any kernel, stride and padding, grouped by 1 or by channel, on the ordinary cores: first layers of
// three channels, and the small layers of face models.
#pragma once

#include <vector>

#include "tensor.cuh"

namespace framekiln::kernels {

struct DirectConv {
  Tensor x;
  Tensor y;
  const float* weights = nullptr;  // Packed, on the device.
  DeviceEpilogue epilogue;
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, pad_top = 0, pad_left = 0;
  bool depthwise = false;
};

// Weights [cout][kernel_h][kernel_w][cin / groups] as [tap][cin / groups][cout rounded up to 8], the rest zeros.
std::vector<float> PackDirectConvWeights(const float* weights, int cout, int taps, int cin_per_group);

DeviceStatus LaunchDirectConv(const DirectConv& conv, Stream stream);

}  // namespace framekiln::kernels
