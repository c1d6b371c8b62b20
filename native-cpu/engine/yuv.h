// Converts packed RGB, as the models write it, to planar YUV, as encoders read it.
//
// Like kernels.cc, yuv.cc is compiled once for each instruction set, so nothing here may bring in inline functions of the
// standard library. All instruction sets give the same bytes: they add and multiply the same numbers in the same order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace framekiln::cpu {

// Luma is red * R + green * G + blue * B; Y is luma * luma_scale + luma_offset, U (B - luma) * u_scale + chroma_offset, and
// V (R - luma) * v_scale + chroma_offset, all of them rounded, and at most `largest`.
struct YuvConversion {
  uint32_t width, height;  // Even.
  uint32_t bytes;          // Of a component, of RGB as of YUV: 1 or 2.
  bool halves_columns, halves_rows;
  // Whether a chroma sample lies between the two rows that share it. It always lies in the first of two columns.
  bool between_rows;
  float red, green, blue, luma_scale, luma_offset, u_scale, v_scale, chroma_offset;
  int32_t largest;
};

}  // namespace framekiln::cpu
