// Colour conversion of a model's input and output images. YUV follows ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance), 8 and
// 10 bit, limited or full range; 4:2:0 chroma lies left in the row and between two rows, as MPEG-2, H.264 and HEVC have it.
#pragma once

#include "image_format.h"
#include "tensor.cuh"

namespace framekiln::kernels {

// Converts a window of an image to a tensor of three channels (and padding, which is zeroed).
struct ReadImage {
  const void* image = nullptr;
  ImageLayout layout;
  int image_height = 0, image_width = 0;
  int top = 0, left = 0;  // Position of the window, which has the tensor's size.
  Tensor y;
};
DeviceStatus LaunchReadImage(const ReadImage& read, Stream stream);

// Converts a window of a tensor to a part of an image, clamped and rounded.
struct WriteImage {
  Tensor x;         // Three channels; with factor > 0, 3 * factor^2 ones that are shuffled to space on the way.
  int factor = 0;   // Factor of depth_to_space; 0: x is the image.
  Tensor base;      // Added after shuffling, `factor` times smaller; data null: none.
  float scale = 1;  // Scale of x when it is shuffled.
  float scale1 = 1;  // Scale of base.
  void* image = nullptr;
  ImageLayout layout;
  int image_height = 0, image_width = 0;
  // The window in the (shuffled) tensor, and where it goes. For 4:2:0, `to_top` and `to_left` are even.
  int from_top = 0, from_left = 0, height = 0, width = 0, to_top = 0, to_left = 0;
};
DeviceStatus LaunchWriteImage(const WriteImage& write, Stream stream);

}  // namespace framekiln::kernels
