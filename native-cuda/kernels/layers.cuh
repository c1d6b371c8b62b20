// The small layers between convolutions. Each reads and writes every pixel once, so memory decides their speed.
#pragma once

#include "tensor.cuh"

namespace framekiln::kernels {

struct Pool {
  Tensor x;
  Tensor y;
  int kernel_h = 0, kernel_w = 0, stride_h = 1, stride_w = 1, pad_top = 0, pad_left = 0;
};
DeviceStatus LaunchMaxPool(const Pool& pool, Stream stream);
// A kernel of height 0 takes the whole image.
DeviceStatus LaunchAveragePool(const Pool& pool, Stream stream);

struct Pointwise {
  Tensor x;  // May have fewer channels than y; the others count as zeros.
  Tensor y;
  DeviceEpilogue epilogue;  // Its bias is not used.
};
DeviceStatus LaunchAdd(const Pointwise& add, Stream stream);

struct Resize {
  Tensor x;
  Tensor y;
  int factor = 1;
};
DeviceStatus LaunchResizeNearest(const Resize& resize, Stream stream);
DeviceStatus LaunchResizeBilinear(const Resize& resize, Stream stream);

// y = depth_to_space(x) * scale + scale1 * base; base, if any, is `factor` times smaller than y.
struct DepthToSpace {
  Tensor x;
  Tensor y;
  Tensor base;
  float scale = 1;
  float scale1 = 1;
  int factor = 1;
};
DeviceStatus LaunchDepthToSpace(const DepthToSpace& shuffle, Stream stream);

}  // namespace framekiln::kernels
