#include "image.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace framekiln::reference {
namespace {

struct Standard {
  double kr, kb;
};
Standard StandardOf(YuvMatrix matrix) {
  if (matrix == YuvMatrix::kBt601) return {0.299, 0.114};
  if (matrix == YuvMatrix::kBt709) return {0.2126, 0.0722};
  return {0.2627, 0.0593};
}

// Integers of an image, by plane.
class Samples {
 public:
  Samples(ImageFormat format, int height, int width)
      : format_(format), height_(height), width_(width), bytes_(ImageBytes(format, width, height)) {}

  std::vector<unsigned char>& bytes() { return bytes_; }
  int bits() const {
    if (format_ == ImageFormat::kRgb48) return 16;
    return format_ == ImageFormat::kYuv420p10 || format_ == ImageFormat::kP010 ? 10 : 8;
  }
  int chroma_height() const { return (height_ + 1) / 2; }
  int chroma_width() const { return (width_ + 1) / 2; }

  double Get(int plane, int y, int x) const {
    const size_t at = Index(plane, y, x);
    if (bits() == 8) return bytes_[at];
    uint16_t word;
    std::memcpy(&word, &bytes_[at * 2], 2);
    return word >> Shift();
  }
  void Set(int plane, int y, int x, double value) {
    const double largest = (1 << bits()) - 1;
    const auto rounded = static_cast<unsigned>(std::floor(std::clamp(value, 0.0, largest) + 0.5));
    const size_t at = Index(plane, y, x);
    if (bits() == 8) {
      bytes_[at] = static_cast<unsigned char>(rounded);
    } else {
      const auto word = static_cast<uint16_t>(rounded << Shift());
      std::memcpy(&bytes_[at * 2], &word, 2);
    }
  }

 private:
  int Shift() const { return format_ == ImageFormat::kP010 ? 6 : 0; }
  size_t Index(int plane, int y, int x) const {
    if (!IsYuv(format_)) return (size_t(y) * width_ + x) * 3 + plane;
    if (plane == 0) return size_t(y) * width_ + x;
    const size_t luma = size_t(height_) * width_;
    const size_t at = size_t(y) * chroma_width() + x;
    if (format_ == ImageFormat::kNv12 || format_ == ImageFormat::kP010) return luma + at * 2 + plane - 1;
    return luma + size_t(plane - 1) * chroma_width() * chroma_height() + at;
  }

  ImageFormat format_;
  int height_, width_;
  std::vector<unsigned char> bytes_;
};

struct Range {
  double luma_scale, luma_offset, chroma_scale, chroma_offset;
};
Range RangeOf(const ImageLayout& layout, int bits) {
  const double unit = std::pow(2.0, bits - 8);
  const double largest = std::pow(2.0, bits) - 1;
  if (layout.full_range) return {largest, 0, largest, 128 * unit};
  return {219 * unit, 16 * unit, 224 * unit, 128 * unit};
}

// Linear between the sites of one axis; `at` in units of sites.
struct Mix {
  int low, high;
  double part;
};
Mix MixAt(double at, int count) {
  const double low = std::floor(at);
  return {std::clamp(static_cast<int>(low), 0, count - 1), std::clamp(static_cast<int>(low) + 1, 0, count - 1),
          at - low};
}

}  // namespace

std::vector<double> ReadImage(const std::vector<unsigned char>& bytes, const ImageLayout& layout, int height,
                                int width) {
  std::vector<double> rgb(size_t(height) * width * 3);
  const size_t plane = size_t(height) * width;
  if (layout.format == ImageFormat::kPlanarFloat) {
    for (size_t i = 0; i < rgb.size(); i++) {
      float value;
      std::memcpy(&value, &bytes[((i % 3) * plane + i / 3) * 4], 4);
      rgb[i] = value;
    }
    return rgb;
  }
  Samples samples(layout.format, height, width);
  samples.bytes() = bytes;
  const auto [kr, kb] = StandardOf(layout.matrix);
  const Range range = RangeOf(layout, samples.bits());
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      double* pixel = &rgb[(size_t(y) * width + x) * 3];
      if (!IsYuv(layout.format)) {
        for (int c = 0; c < 3; c++) pixel[c] = samples.Get(c, y, x) / ((1 << samples.bits()) - 1);
        continue;
      }
      const Mix v = MixAt((y - 0.5) / 2, samples.chroma_height()), h = MixAt(x / 2.0, samples.chroma_width());
      const auto chroma = [&](int p) {
        const double top = samples.Get(p, v.low, h.low) * (1 - h.part) + samples.Get(p, v.low, h.high) * h.part;
        const double bottom = samples.Get(p, v.high, h.low) * (1 - h.part) + samples.Get(p, v.high, h.high) * h.part;
        return (top * (1 - v.part) + bottom * v.part - range.chroma_offset) / range.chroma_scale;
      };
      const double luma = (samples.Get(0, y, x) - range.luma_offset) / range.luma_scale;
      pixel[0] = luma + 2 * (1 - kr) * chroma(2);
      pixel[2] = luma + 2 * (1 - kb) * chroma(1);
      pixel[1] = (luma - kr * pixel[0] - kb * pixel[2]) / (1 - kr - kb);
    }
  }
  return rgb;
}

std::vector<unsigned char> WriteImage(const std::vector<double>& rgb, const ImageLayout& layout, int height,
                                        int width) {
  const size_t plane = size_t(height) * width;
  if (layout.format == ImageFormat::kPlanarFloat) {
    std::vector<unsigned char> bytes(plane * 12);
    for (size_t i = 0; i < rgb.size(); i++) {
      const auto value = static_cast<float>(rgb[i]);
      std::memcpy(&bytes[((i % 3) * plane + i / 3) * 4], &value, 4);
    }
    return bytes;
  }
  Samples samples(layout.format, height, width);
  const auto [kr, kb] = StandardOf(layout.matrix);
  const Range range = RangeOf(layout, samples.bits());
  const auto at = [&](int y, int x, int c) {
    const size_t pixel = size_t(std::clamp(y, 0, height - 1)) * width + std::clamp(x, 0, width - 1);
    return std::clamp(rgb[pixel * 3 + c], 0.0, 1.0);
  };
  const auto luma = [&, kr = kr, kb = kb](int y, int x) {
    return kr * at(y, x, 0) + (1 - kr - kb) * at(y, x, 1) + kb * at(y, x, 2);
  };
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      if (IsYuv(layout.format)) {
        samples.Set(0, y, x, luma(y, x) * range.luma_scale + range.luma_offset);
      } else {
        for (int c = 0; c < 3; c++) samples.Set(c, y, x, at(y, x, c) * ((1 << samples.bits()) - 1));
      }
    }
  }
  if (!IsYuv(layout.format)) return samples.bytes();
  for (int y = 0; y < samples.chroma_height(); y++) {
    for (int x = 0; x < samples.chroma_width(); x++) {
      double cb = 0, cr = 0;
      for (int dy = 0; dy < 2; dy++) {
        for (int dx = -1; dx <= 1; dx++) {
          const double weight = (2 - std::abs(dx)) / 8.0;
          const double grey = luma(2 * y + dy, 2 * x + dx);
          cb += weight * (at(2 * y + dy, 2 * x + dx, 2) - grey) / (2 * (1 - kb));
          cr += weight * (at(2 * y + dy, 2 * x + dx, 0) - grey) / (2 * (1 - kr));
        }
      }
      samples.Set(1, y, x, cb * range.chroma_scale + range.chroma_offset);
      samples.Set(2, y, x, cr * range.chroma_scale + range.chroma_offset);
    }
  }
  return samples.bytes();
}

}  // namespace framekiln::reference
