// Colour conversion on the way in and out. YUV follows ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance), 8 and
// 10 bit, limited or full range; 4:2:0 chroma lies left in the row and between two rows, as MPEG-2, H.264 and HEVC have it.
#pragma once

#include "picture_format.h"
#include "tensor.cuh"

namespace framekiln::kernels {

// A window of a picture becomes a tensor of three channels (and padding, which is zeroed).
struct ReadPicture {
  const void* picture = nullptr;
  PictureLayout layout;
  int picture_height = 0, picture_width = 0;
  int top = 0, left = 0;  // Of the window, which has the tensor's size.
  Tensor y;
};
DeviceStatus LaunchReadPicture(const ReadPicture& read, Stream stream);

// A window of a tensor becomes a part of a picture, clamped and rounded.
struct WritePicture {
  Tensor x;         // Three channels; with factor > 0, 3 * factor^2 ones that are shuffled to space on the way.
  int factor = 0;   // Of depth_to_space; 0: x is the picture itself.
  Tensor base;      // Added after shuffling, `factor` times smaller; data null: there is none.
  float scale = 1;  // Of x when it is shuffled.
  float scale1 = 1;  // Of base.
  void* picture = nullptr;
  PictureLayout layout;
  int picture_height = 0, picture_width = 0;
  // The window in the (shuffled) tensor, and where it goes. For 4:2:0, `to_top` and `to_left` are even.
  int from_top = 0, from_left = 0, height = 0, width = 0, to_top = 0, to_left = 0;
};
DeviceStatus LaunchWritePicture(const WritePicture& write, Stream stream);

}  // namespace framekiln::kernels
