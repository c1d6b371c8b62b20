// A thread makes one pixel: the mean of the source pixels around its place, weighted by a triangle as wide as a target
// pixel is in the source, at least one pixel to each side (so upscaling is bilinear, and shrinking does not alias).
// Reference: reference::Compose.
#include "compose.cuh"

namespace framekiln::kernels {
namespace {

constexpr int kThreads = 256;

FK_DEVICE int Clamp(int value, int last) { return value < 0 ? 0 : value > last ? last : value; }

// The source pixels that count along one axis.
struct Span {
  int first, last;
  float centre, reach;
};
FK_DEVICE Span SpanOf(int at, int length, float source_from, float source_length) {
  const float step = source_length / static_cast<float>(length);
  // In units of source pixels whose centres lie at whole numbers.
  const float centre = source_from + (static_cast<float>(at) + 0.5f) * step - 0.5f;
  const float reach = step > 1 ? step : 1;
  return {static_cast<int>(ceilf(centre - reach)), static_cast<int>(floorf(centre + reach)), centre, reach};
}
FK_DEVICE float Weight(const Span& span, int at) {
  const float distance = static_cast<float>(at) - span.centre;
  const float weight = 1 - (distance < 0 ? -distance : distance) / span.reach;
  return weight > 0 ? weight : 0;
}

FK_KERNEL ComposeKernel(const Compose p) {
  const size_t pixel = static_cast<size_t>(BlockX()) * kThreads + ThreadX();
  if (pixel >= static_cast<size_t>(p.target_height) * p.target_width) return;
  const int y = static_cast<int>(pixel / p.target_width), x = static_cast<int>(pixel % p.target_width);
  float sums[3] = {0, 0, 0}, total = 0;
  for (int i = 0; i < p.pane_count && total == 0; i++) {
    const Pane& pane = p.panes[i];
    const int row = y - pane.top, column = x - pane.left;
    if (row < 0 || row >= pane.height || column < 0 || column >= pane.width) continue;
    const Span v = SpanOf(row, pane.height, pane.source_top, pane.source_height);
    const Span h = SpanOf(column, pane.width, pane.source_left, pane.source_width);
    for (int from_y = v.first; from_y <= v.last; from_y++) {
      const uint8_t* line = p.source + static_cast<size_t>(Clamp(from_y, p.source_height - 1)) * p.source_width * 3;
      for (int from_x = h.first; from_x <= h.last; from_x++) {
        const float weight = Weight(v, from_y) * Weight(h, from_x);
        const uint8_t* from = line + Clamp(from_x, p.source_width - 1) * 3;
        total += weight;
        for (int c = 0; c < 3; c++) sums[c] += weight * static_cast<float>(from[c]);
      }
    }
  }
  for (int c = 0; c < 3; c++) {
    const float value = total > 0 ? sums[c] / total + 0.5f : 0;
    p.target[pixel * 3 + c] = static_cast<uint8_t>(value < 255 ? value : 255);
  }
}

}  // namespace

DeviceStatus LaunchCompose(const Compose& compose, Stream stream) {
  const size_t pixels = static_cast<size_t>(compose.target_height) * compose.target_width;
  return Launch(ComposeKernel, {CeilDivide(pixels, kThreads), 1, 1}, kThreads, 0, stream, compose);
}

}  // namespace framekiln::kernels
