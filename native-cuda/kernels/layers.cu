// A thread makes eight channels of one pixel. References: the functions of the same names in reference/layers.cc.
#include "layers.cuh"

namespace framekiln::kernels {
namespace {

constexpr int kThreads = 256;

struct Work {
  bool mine;
  size_t pixel;
  int row, column, channel;
};
FK_DEVICE Work MyWork(const Tensor& y) {
  const int groups = (y.channels + 7) / 8;
  const size_t index = static_cast<size_t>(BlockX()) * kThreads + ThreadX();
  const size_t pixel = index / groups;
  return {index < static_cast<size_t>(y.height) * y.width * groups, pixel, static_cast<int>(pixel / y.width),
          static_cast<int>(pixel % y.width), static_cast<int>(index % groups) * 8};
}

GridSize GridFor(const Tensor& y) {
  const size_t groups = (y.channels + 7) / 8;
  return {CeilDivide(groups * y.height * y.width, kThreads), 1, 1};
}

FK_DEVICE void LoadEight(const Tensor& x, int row, int column, int channel, float (&values)[8]) {
  Unpack(AsVec4(x.data + (static_cast<size_t>(row) * x.width + column) * x.pitch + channel), values);
}
FK_DEVICE void StoreEight(const Tensor& y, const Work& work, const float (&values)[8]) {
  StoreVec4(y.data + work.pixel * y.pitch + work.channel, Pack(values));
}

FK_KERNEL MaxPoolKernel(const Pool p) {
  const Work work = MyWork(p.y);
  if (!work.mine) return;
  float largest[8];
  FK_UNROLL
  for (int i = 0; i < 8; i++) largest[i] = -65504;
  for (int ky = 0; ky < p.kernel_h; ky++) {
    for (int kx = 0; kx < p.kernel_w; kx++) {
      const int y = work.row * p.stride_h - p.pad_top + ky, x = work.column * p.stride_w - p.pad_left + kx;
      if (y < 0 || y >= p.x.height || x < 0 || x >= p.x.width) continue;
      float values[8];
      LoadEight(p.x, y, x, work.channel, values);
      FK_UNROLL
      for (int i = 0; i < 8; i++) largest[i] = values[i] > largest[i] ? values[i] : largest[i];
    }
  }
  StoreEight(p.y, work, largest);
}

FK_KERNEL AveragePoolKernel(const Pool p) {
  const Work work = MyWork(p.y);
  if (!work.mine) return;
  const bool whole = p.kernel_h == 0;
  const int top = whole ? 0 : work.row * p.stride_h - p.pad_top;
  const int left = whole ? 0 : work.column * p.stride_w - p.pad_left;
  const int bottom = whole ? p.x.height : top + p.kernel_h, right = whole ? p.x.width : left + p.kernel_w;
  float sums[8] = {};
  int count = 0;
  for (int y = top < 0 ? 0 : top; y < bottom && y < p.x.height; y++) {
    for (int x = left < 0 ? 0 : left; x < right && x < p.x.width; x++, count++) {
      float values[8];
      LoadEight(p.x, y, x, work.channel, values);
      FK_UNROLL
      for (int i = 0; i < 8; i++) sums[i] += values[i];
    }
  }
  FK_UNROLL
  for (int i = 0; i < 8; i++) sums[i] = count > 0 ? sums[i] / static_cast<float>(count) : 0;
  StoreEight(p.y, work, sums);
}

FK_KERNEL AddKernel(const Pointwise p) {
  const Work work = MyWork(p.y);
  if (!work.mine) return;
  float values[8] = {};
  if (work.channel < p.x.channels) {
    LoadEight(p.x, work.row, work.column, work.channel, values);
    FK_UNROLL
    for (int i = 0; i < 8; i++) values[i] = work.channel + i < p.x.channels ? values[i] : 0;
  }
  FK_UNROLL
  for (int i = 0; i < 8; i++) {
    // Padding channels have no slope of their own.
    if (work.channel + i < p.y.channels) values[i] = BeginEpilogue(values[i], work.channel + i, p.epilogue);
  }
  FinishEight(values, p.epilogue, work.pixel, work.channel);
  StoreEight(p.y, work, values);
}

FK_KERNEL ResizeNearestKernel(const Resize p) {
  const Work work = MyWork(p.y);
  if (!work.mine) return;
  const size_t from = static_cast<size_t>(work.row / p.factor) * p.x.width + work.column / p.factor;
  StoreVec4(p.y.data + work.pixel * p.y.pitch + work.channel, AsVec4(p.x.data + from * p.x.pitch + work.channel));
}

struct Between {
  int low, high;
  float part;  // Share of `high`.
};
FK_DEVICE Between Around(int at, int factor, int length) {
  const float position = (static_cast<float>(at) + 0.5f) / static_cast<float>(factor) - 0.5f;
  const float inside = position > 0 ? position : 0;
  const int low = static_cast<int>(inside) < length - 1 ? static_cast<int>(inside) : length - 1;
  return {low, low + 1 < length ? low + 1 : low, inside - static_cast<float>(low)};
}

FK_KERNEL ResizeBilinearKernel(const Resize p) {
  const Work work = MyWork(p.y);
  if (!work.mine) return;
  const Between v = Around(work.row, p.factor, p.x.height), h = Around(work.column, p.factor, p.x.width);
  float a[8], b[8], c[8], d[8], values[8];
  LoadEight(p.x, v.low, h.low, work.channel, a);
  LoadEight(p.x, v.low, h.high, work.channel, b);
  LoadEight(p.x, v.high, h.low, work.channel, c);
  LoadEight(p.x, v.high, h.high, work.channel, d);
  FK_UNROLL
  for (int i = 0; i < 8; i++) {
    const float top = a[i] * (1 - h.part) + b[i] * h.part, bottom = c[i] * (1 - h.part) + d[i] * h.part;
    values[i] = top * (1 - v.part) + bottom * v.part;
  }
  StoreEight(p.y, work, values);
}

FK_KERNEL DepthToSpaceKernel(const DepthToSpace p) {
  const Work work = MyWork(p.y);
  if (!work.mine) return;
  const size_t pixel = static_cast<size_t>(work.row / p.factor) * p.x.width + work.column / p.factor;
  const int corner = work.row % p.factor * p.factor + work.column % p.factor;
  float values[8] = {};
  FK_UNROLL
  for (int i = 0; i < 8; i++) {
    const int channel = work.channel + i;
    if (channel >= p.y.channels) continue;
    values[i] = p.scale * HalfBitsToFloat(p.x.data[pixel * p.x.pitch + channel * p.factor * p.factor + corner]);
    if (p.base.data != nullptr && channel < p.base.channels)
      values[i] += p.scale1 * HalfBitsToFloat(p.base.data[pixel * p.base.pitch + channel]);
  }
  StoreEight(p.y, work, values);
}

}  // namespace

DeviceStatus LaunchMaxPool(const Pool& pool, Stream stream) {
  return Launch(MaxPoolKernel, GridFor(pool.y), kThreads, 0, stream, pool);
}
DeviceStatus LaunchAveragePool(const Pool& pool, Stream stream) {
  return Launch(AveragePoolKernel, GridFor(pool.y), kThreads, 0, stream, pool);
}
DeviceStatus LaunchAdd(const Pointwise& add, Stream stream) {
  return Launch(AddKernel, GridFor(add.y), kThreads, 0, stream, add);
}
DeviceStatus LaunchResizeNearest(const Resize& resize, Stream stream) {
  return Launch(ResizeNearestKernel, GridFor(resize.y), kThreads, 0, stream, resize);
}
DeviceStatus LaunchResizeBilinear(const Resize& resize, Stream stream) {
  return Launch(ResizeBilinearKernel, GridFor(resize.y), kThreads, 0, stream, resize);
}
DeviceStatus LaunchDepthToSpace(const DepthToSpace& shuffle, Stream stream) {
  return Launch(DepthToSpaceKernel, GridFor(shuffle.y), kThreads, 0, stream, shuffle);
}

}  // namespace framekiln::kernels
