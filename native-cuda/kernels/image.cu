// A thread reads one pixel, or writes one pixel (RGB) or a square of four with their chroma (4:2:0). References:
// reference::ReadImage and reference::WriteImage.
#include "image.cuh"

namespace framekiln::kernels {
namespace {

constexpr int kThreads = 256;

struct Rgb {
  float r, g, b;
};

// Numbers of a YUV coding: how 0..1 luma and -0.5..0.5 chroma become integers.
struct Coding {
  float kr, kb;
  float luma_scale, luma_offset, chroma_scale, chroma_centre, largest;
  int shift;  // Unused bits below (P010).
};

FK_DEVICE Coding CodingOf(const ImageLayout& layout) {
  Coding c;
  c.kr = layout.matrix == YuvMatrix::kBt601 ? 0.299f : layout.matrix == YuvMatrix::kBt709 ? 0.2126f : 0.2627f;
  c.kb = layout.matrix == YuvMatrix::kBt601 ? 0.114f : layout.matrix == YuvMatrix::kBt709 ? 0.0722f : 0.0593f;
  const bool ten = layout.format == ImageFormat::kYuv420p10 || layout.format == ImageFormat::kP010;
  const float unit = ten ? 4.0f : 1.0f;
  c.largest = ten ? 1023.0f : 255.0f;
  c.luma_scale = layout.full_range ? c.largest : 219 * unit;
  c.luma_offset = layout.full_range ? 0 : 16 * unit;
  c.chroma_scale = layout.full_range ? c.largest : 224 * unit;
  c.chroma_centre = 128 * unit;
  c.shift = layout.format == ImageFormat::kP010 ? 6 : 0;
  return c;
}

FK_DEVICE float LoadSample(const void* image, size_t index, bool words, int shift) {
  if (words) return static_cast<float>(static_cast<const uint16_t*>(image)[index] >> shift);
  return static_cast<float>(static_cast<const uint8_t*>(image)[index]);
}

// Position of the chroma of a 4:2:0 image: plane 0 is U, plane 1 is V.
FK_DEVICE size_t ChromaIndex(ImageFormat format, int height, int width, int plane, int y, int x) {
  const size_t luma = static_cast<size_t>(height) * width;
  const size_t chroma_width = (width + 1) / 2, chroma_height = (height + 1) / 2;
  const size_t at = y * chroma_width + x;
  const bool interleaved = format == ImageFormat::kNv12 || format == ImageFormat::kP010;
  return luma + (interleaved ? at * 2 + plane : plane * chroma_width * chroma_height + at);
}

FK_DEVICE int Clamp(int value, int low, int high) { return value < low ? low : value > high ? high : value; }

FK_DEVICE bool HasWords(ImageFormat format) {
  return format == ImageFormat::kRgb48 || format == ImageFormat::kYuv420p10 || format == ImageFormat::kP010;
}

// Chroma at a pixel: sites lie at even columns and between rows 2n and 2n + 1; linear in both directions.
FK_DEVICE float ChromaAt(const ReadImage& p, const Coding& c, int plane, int y, int x) {
  const int last_y = (p.image_height + 1) / 2 - 1, last_x = (p.image_width + 1) / 2 - 1;
  const int near_y = y / 2, near_x = x / 2;
  const int far_y = Clamp(near_y + (y % 2 == 0 ? -1 : 1), 0, last_y);
  const int far_x = x % 2 == 0 ? near_x : Clamp(near_x + 1, 0, last_x);
  const bool words = HasWords(p.layout.format);
  const auto load = [&](int row, int column) {
    return LoadSample(p.image, ChromaIndex(p.layout.format, p.image_height, p.image_width, plane, row, column),
                      words, c.shift);
  };
  const float near_row = load(near_y, near_x) + load(near_y, far_x);
  const float far_row = load(far_y, near_x) + load(far_y, far_x);
  return ((0.75f * near_row + 0.25f * far_row) * 0.5f - c.chroma_centre) / c.chroma_scale;
}

FK_DEVICE Rgb LoadYuv(const ReadImage& p, int y, int x) {
  const Coding c = CodingOf(p.layout);
  const size_t at = static_cast<size_t>(y) * p.image_width + x;
  const float luma = (LoadSample(p.image, at, HasWords(p.layout.format), c.shift) - c.luma_offset) / c.luma_scale;
  const float cb = ChromaAt(p, c, 0, y, x), cr = ChromaAt(p, c, 1, y, x);
  const float r = luma + 2 * (1 - c.kr) * cr, b = luma + 2 * (1 - c.kb) * cb;
  return {r, (luma - c.kr * r - c.kb * b) / (1 - c.kr - c.kb), b};
}

FK_DEVICE Rgb LoadPixel(const ReadImage& p, int y, int x) {
  const size_t at = static_cast<size_t>(y) * p.image_width + x;
  const size_t plane = static_cast<size_t>(p.image_height) * p.image_width;
  switch (p.layout.format) {
    case ImageFormat::kPlanarFloat: {
      const float* planes = static_cast<const float*>(p.image);
      return {planes[at], planes[at + plane], planes[at + 2 * plane]};
    }
    case ImageFormat::kRgb24:
    case ImageFormat::kRgb48: {
      const bool words = p.layout.format == ImageFormat::kRgb48;
      const float scale = words ? 1 / 65535.0f : 1 / 255.0f;
      return {LoadSample(p.image, at * 3, words, 0) * scale, LoadSample(p.image, at * 3 + 1, words, 0) * scale,
              LoadSample(p.image, at * 3 + 2, words, 0) * scale};
    }
    default: return LoadYuv(p, y, x);
  }
}

FK_KERNEL ReadImageKernel(const ReadImage p) {
  const size_t pixel = static_cast<size_t>(BlockX()) * kThreads + ThreadX();
  if (pixel >= static_cast<size_t>(p.y.height) * p.y.width) return;
  const Rgb rgb = LoadPixel(p, p.top + static_cast<int>(pixel / p.y.width), p.left + static_cast<int>(pixel % p.y.width));
  StoreVec4(p.y.data + pixel * p.y.pitch, {PackHalves(rgb.r, rgb.g), PackHalves(rgb.b, 0), 0, 0});
}

FK_DEVICE float LoadChannel(const WriteImage& p, int y, int x, int channel) {
  if (p.factor == 0) return HalfBitsToFloat(p.x.data[(static_cast<size_t>(y) * p.x.width + x) * p.x.pitch + channel]);
  const size_t pixel = static_cast<size_t>(y / p.factor) * p.x.width + x / p.factor;
  const int from = (channel * p.factor + y % p.factor) * p.factor + x % p.factor;
  float value = p.scale * HalfBitsToFloat(p.x.data[pixel * p.x.pitch + from]);
  if (p.base.data != nullptr && channel < p.base.channels)
    value += p.scale1 * HalfBitsToFloat(p.base.data[pixel * p.base.pitch + channel]);
  return value;
}

FK_DEVICE float Clamp01(float value) { return value > 0 ? (value < 1 ? value : 1) : 0; }

// Clamped to 0..1; NaN becomes 0.
FK_DEVICE Rgb LoadClamped(const WriteImage& p, int y, int x) {
  return {Clamp01(LoadChannel(p, y, x, 0)), Clamp01(LoadChannel(p, y, x, 1)), Clamp01(LoadChannel(p, y, x, 2))};
}

FK_DEVICE void StoreSample(void* image, size_t index, bool words, int shift, float value) {
  const auto rounded = static_cast<uint32_t>(value + 0.5f);
  if (words)
    static_cast<uint16_t*>(image)[index] = static_cast<uint16_t>(rounded << shift);
  else
    static_cast<uint8_t*>(image)[index] = static_cast<uint8_t>(rounded);
}

FK_KERNEL WriteRgbKernel(const WriteImage p) {
  const size_t index = static_cast<size_t>(BlockX()) * kThreads + ThreadX();
  if (index >= static_cast<size_t>(p.height) * p.width) return;
  const int row = static_cast<int>(index / p.width), column = static_cast<int>(index % p.width);
  const int y = p.from_top + row, x = p.from_left + column;
  const size_t at = static_cast<size_t>(p.to_top + row) * p.image_width + p.to_left + column;
  if (p.layout.format == ImageFormat::kPlanarFloat) {
    const size_t plane = static_cast<size_t>(p.image_height) * p.image_width;
    for (int c = 0; c < 3; c++) static_cast<float*>(p.image)[at + c * plane] = LoadChannel(p, y, x, c);
    return;
  }
  const bool words = p.layout.format == ImageFormat::kRgb48;
  const float largest = words ? 65535.0f : 255.0f;
  const Rgb rgb = LoadClamped(p, y, x);
  StoreSample(p.image, at * 3, words, 0, rgb.r * largest);
  StoreSample(p.image, at * 3 + 1, words, 0, rgb.g * largest);
  StoreSample(p.image, at * 3 + 2, words, 0, rgb.b * largest);
}

FK_DEVICE float LumaOf(const Rgb& rgb, const Coding& c) {
  return c.kr * rgb.r + (1 - c.kr - c.kb) * rgb.g + c.kb * rgb.b;
}

FK_DEVICE float Bounded(float value, float largest) { return value > 0 ? (value < largest ? value : largest) : 0; }

FK_KERNEL WriteYuvKernel(const WriteImage p) {
  const int squares_x = (p.width + 1) / 2, squares_y = (p.height + 1) / 2;
  const size_t index = static_cast<size_t>(BlockX()) * kThreads + ThreadX();
  if (index >= static_cast<size_t>(squares_y) * squares_x) return;
  const int row = static_cast<int>(index / squares_x) * 2, column = static_cast<int>(index % squares_x) * 2;
  const Coding c = CodingOf(p.layout);
  const bool words = HasWords(p.layout.format);
  const int shuffled = p.factor == 0 ? 1 : p.factor;
  const int last_y = p.x.height * shuffled - 1, last_x = p.x.width * shuffled - 1;

  // Chroma sits at the left column and between the rows: 1 2 1 over columns, the mean of two rows.
  float cb = 0, cr = 0;
  for (int dy = 0; dy < 2; dy++) {
    for (int dx = -1; dx < 2; dx++) {
      // At an odd edge of the image, its last row or column is repeated.
      const int y = Clamp(p.from_top + (row + dy < p.height ? row + dy : p.height - 1), 0, last_y);
      const int x = Clamp(p.from_left + (column + dx < p.width ? column + dx : p.width - 1), 0, last_x);
      const Rgb rgb = LoadClamped(p, y, x);
      const float luma = LumaOf(rgb, c);
      const float weight = dx == 0 ? 0.25f : 0.125f;
      cb += weight * (rgb.b - luma);
      cr += weight * (rgb.r - luma);
      if (dx < 0 || row + dy >= p.height || column + dx >= p.width) continue;
      const size_t at = static_cast<size_t>(p.to_top + row + dy) * p.image_width + p.to_left + column + dx;
      StoreSample(p.image, at, words, c.shift, luma * c.luma_scale + c.luma_offset);
    }
  }
  cb /= 2 * (1 - c.kb);
  cr /= 2 * (1 - c.kr);
  const int chroma_y = (p.to_top + row) / 2, chroma_x = (p.to_left + column) / 2;
  const float chroma[2] = {cb, cr};
  for (int plane = 0; plane < 2; plane++) {
    const size_t at = ChromaIndex(p.layout.format, p.image_height, p.image_width, plane, chroma_y, chroma_x);
    StoreSample(p.image, at, words, c.shift, Bounded(chroma[plane] * c.chroma_scale + c.chroma_centre, c.largest));
  }
}

}  // namespace

DeviceStatus LaunchReadImage(const ReadImage& read, Stream stream) {
  const GridSize grid{CeilDivide(static_cast<size_t>(read.y.height) * read.y.width, kThreads), 1, 1};
  return Launch(ReadImageKernel, grid, kThreads, 0, stream, read);
}

DeviceStatus LaunchWriteImage(const WriteImage& write, Stream stream) {
  const bool yuv = IsYuv(write.layout.format);
  const size_t squares = static_cast<size_t>((write.height + 1) / 2) * ((write.width + 1) / 2);
  const size_t pixels = static_cast<size_t>(write.height) * write.width;
  const GridSize grid{CeilDivide(yuv ? squares : pixels, kThreads), 1, 1};
  return Launch(yuv ? WriteYuvKernel : WriteRgbKernel, grid, kThreads, 0, stream, write);
}

}  // namespace framekiln::kernels
