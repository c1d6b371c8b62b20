// Formats of input and output images: interleaved or planar bytes outside, half-precision RGB in 0..1 inside.
#pragma once

#include <cstddef>
#include <cstdint>

namespace framekiln {

enum class ImageFormat : int {
  kPlanarFloat = 0,  // [3][height][width] float32, R, G, B; written without clamping
  kRgb24 = 1,        // [height][width][3] bytes
  kRgb48 = 2,        // [height][width][3] 16-bit words, little-endian
  kYuv420p = 3,      // [height][width] Y, then [ceil(h/2)][ceil(w/2)] U, then V, bytes
  kNv12 = 4,         // Y, then U and V interleaved, bytes
  kYuv420p10 = 5,    // as kYuv420p in 16-bit words of which the low 10 bits count
  kP010 = 6,         // as kNv12 in 16-bit words of which the high 10 bits count
};

enum class YuvMatrix : int { kBt601 = 0, kBt709 = 1, kBt2020 = 2 };

struct ImageLayout {
  ImageFormat format = ImageFormat::kRgb24;
  YuvMatrix matrix = YuvMatrix::kBt709;  // Only for the YUV formats.
  bool full_range = false;
};

constexpr bool IsYuv(ImageFormat format) { return format >= ImageFormat::kYuv420p; }

inline size_t ImageBytes(ImageFormat format, size_t width, size_t height) {
  const size_t luma = width * height, chroma = ((width + 1) / 2) * ((height + 1) / 2) * 2;
  switch (format) {
    case ImageFormat::kPlanarFloat: return luma * 12;
    case ImageFormat::kRgb24: return luma * 3;
    case ImageFormat::kRgb48: return luma * 6;
    case ImageFormat::kYuv420p:
    case ImageFormat::kNv12: return luma + chroma;
    case ImageFormat::kYuv420p10:
    case ImageFormat::kP010: return (luma + chroma) * 2;
  }
  return 0;
}

}  // namespace framekiln
