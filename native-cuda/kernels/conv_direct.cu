// A thread makes eight output channels of four neighbouring pixels of a row (dense) or of one pixel (depthwise); the
// neighbouring threads make the pixels' other channels, so that loads of a pixel are shared and stores are whole.
// Sums are float32. Reference: reference::Convolve.
#include "conv_direct.cuh"

namespace framekiln::kernels {
namespace {

constexpr int kThreads = 128;
constexpr int kPixels = 4;

FK_DEVICE void StoreEight(const DirectConv& p, float (&sums)[8], size_t pixel, int channel) {
  FK_UNROLL
  for (int i = 0; i < 8; i++)
    sums[i] = channel + i < p.y.channels ? BeginEpilogue(sums[i], channel + i, p.epilogue) : 0;
  FinishEight(sums, p.epilogue, pixel, channel);
  StoreVec4(p.y.data + pixel * p.y.pitch + channel, Pack(sums));
}

FK_KERNEL FK_LAUNCH_BOUNDS(kThreads, 1) DenseConvKernel(const DirectConv p) {
  const int groups = (p.y.channels + 7) / 8;
  const int strips = (p.y.width + kPixels - 1) / kPixels;
  const size_t index = static_cast<size_t>(BlockX()) * kThreads + ThreadX();
  if (index >= static_cast<size_t>(p.y.height) * strips * groups) return;
  const int channel = static_cast<int>(index % groups) * 8;
  const int left = static_cast<int>(index / groups % strips) * kPixels;
  const int row = static_cast<int>(index / groups / strips);

  float sums[kPixels][8] = {};
  for (int ky = 0; ky < p.kernel_h; ky++) {
    const int y = row * p.stride_h - p.pad_top + ky;
    if (y < 0 || y >= p.x.height) continue;
    for (int kx = 0; kx < p.kernel_w; kx++) {
      const float* weights =
          p.weights + (static_cast<size_t>(ky * p.kernel_w + kx) * p.x.channels * groups) * 8 + channel;
      const uint16_t* from[kPixels];
      FK_UNROLL
      for (int i = 0; i < kPixels; i++) {
        const int x = (left + i) * p.stride_w - p.pad_left + kx;
        from[i] = x >= 0 && x < p.x.width ? p.x.data + (static_cast<size_t>(y) * p.x.width + x) * p.x.pitch : nullptr;
      }
      for (int c = 0; c < p.x.channels; c++, weights += groups * 8) {
        float w[8];
        FK_UNROLL
        for (int i = 0; i < 8; i++) w[i] = weights[i];
        FK_UNROLL
        for (int i = 0; i < kPixels; i++) {
          const float value = from[i] == nullptr ? 0 : HalfBitsToFloat(from[i][c]);
          FK_UNROLL
          for (int j = 0; j < 8; j++) sums[i][j] += value * w[j];
        }
      }
    }
  }
  FK_UNROLL
  for (int i = 0; i < kPixels; i++) {
    if (left + i < p.y.width) StoreEight(p, sums[i], static_cast<size_t>(row) * p.y.width + left + i, channel);
  }
}

FK_KERNEL FK_LAUNCH_BOUNDS(kThreads, 1) DepthwiseConvKernel(const DirectConv p) {
  const int groups = (p.y.channels + 7) / 8;
  const size_t index = static_cast<size_t>(BlockX()) * kThreads + ThreadX();
  if (index >= static_cast<size_t>(p.y.height) * p.y.width * groups) return;
  const int channel = static_cast<int>(index % groups) * 8;
  const size_t pixel = index / groups;
  const int column = static_cast<int>(pixel % p.y.width), row = static_cast<int>(pixel / p.y.width);

  float sums[8] = {};
  for (int ky = 0; ky < p.kernel_h; ky++) {
    const int y = row * p.stride_h - p.pad_top + ky;
    if (y < 0 || y >= p.x.height) continue;
    for (int kx = 0; kx < p.kernel_w; kx++) {
      const int x = column * p.stride_w - p.pad_left + kx;
      if (x < 0 || x >= p.x.width) continue;
      const float* weights = p.weights + static_cast<size_t>(ky * p.kernel_w + kx) * groups * 8 + channel;
      float values[8];
      Unpack(AsVec4(p.x.data + (static_cast<size_t>(y) * p.x.width + x) * p.x.pitch + channel), values);
      FK_UNROLL
      for (int i = 0; i < 8; i++) {
        if (channel + i < p.x.channels) sums[i] += values[i] * weights[i];
      }
    }
  }
  StoreEight(p, sums, pixel, channel);
}

}  // namespace

std::vector<float> PackDirectConvWeights(const float* weights, int cout, int taps, int cin_per_group) {
  const int padded = (cout + 7) / 8 * 8;
  std::vector<float> packed(static_cast<size_t>(taps) * cin_per_group * padded, 0);
  for (int output = 0; output < cout; output++) {
    for (int i = 0; i < taps * cin_per_group; i++)
      packed[static_cast<size_t>(i) * padded + output] = weights[static_cast<size_t>(output) * taps * cin_per_group + i];
  }
  return packed;
}

DeviceStatus LaunchDirectConv(const DirectConv& conv, Stream stream) {
  const size_t groups = (conv.y.channels + 7) / 8;
  const size_t columns = conv.depthwise ? conv.y.width : (conv.y.width + kPixels - 1) / kPixels;
  const GridSize grid{CeilDivide(groups * columns * conv.y.height, kThreads), 1, 1};
  return Launch(conv.depthwise ? DepthwiseConvKernel : DenseConvKernel, grid, kThreads, 0, stream, conv);
}

}  // namespace framekiln::kernels
