#include "layers.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace framekiln::reference {
namespace {

float Activate(float value, uint32_t channel, const Epilogue& e) {
  switch (e.activation) {
    case Activation::kNone: return value;
    case Activation::kLeakyRelu: return value < 0 ? value * e.slope : value;
    case Activation::kPRelu: return value < 0 ? value * e.slopes[channel] : value;
    case Activation::kSigmoid: return 1 / (1 + std::exp(-value));
  }
  return value;
}

float Residuals(uint32_t y, uint32_t x, uint32_t channel, const Epilogue& e) {
  float sum = 0;
  if (e.residual1 != nullptr && channel < e.residual1->channels) sum += e.scale1 * e.residual1->At(y, x, channel);
  if (e.residual2 != nullptr && channel < e.residual2->channels) sum += e.scale2 * e.residual2->At(y, x, channel);
  return sum;
}

float Finish(float value, uint32_t y, uint32_t x, uint32_t channel, const Epilogue& e) {
  if (e.act_last) return Activate(value * e.scale + Residuals(y, x, channel, e), channel, e);
  return Activate(value, channel, e) * e.scale + Residuals(y, x, channel, e);
}

// The part of a window that lies inside of the image, along one axis.
struct Reach {
  int begin, end;
};
Reach Inside(uint32_t at, uint32_t stride, uint32_t pad, uint32_t kernel, uint32_t length) {
  const int first = static_cast<int>(at * stride) - static_cast<int>(pad);
  return {std::max(first, 0), std::min(first + static_cast<int>(kernel), static_cast<int>(length))};
}

template <typename Visit>
void ForEachPixel(const Image& y, Visit visit) {
  for (uint32_t row = 0; row < y.height; row++) {
    for (uint32_t column = 0; column < y.width; column++) visit(row, column);
  }
}

// Weights with the output channels innermost, so that the inner loop of Convolve runs over neighbours.
std::vector<float> OutputChannelsLast(const float* weights, uint32_t cout, size_t each) {
  std::vector<float> result(cout * each);
  for (uint32_t c = 0; c < cout; c++) {
    for (size_t i = 0; i < each; i++) result[i * cout + c] = weights[c * each + i];
  }
  return result;
}

}  // namespace

void Convolve(const Image& x, const Image& y, const Window& w, uint32_t groups, const float* weights,
              const float* bias, const Epilogue& epilogue) {
  const uint32_t cin = x.channels / groups;
  const uint32_t cout = y.channels;
  const std::vector<float> by_tap = OutputChannelsLast(weights, cout, size_t{w.kernel_h} * w.kernel_w * cin);
  std::vector<float> sums(cout);
  ForEachPixel(y, [&](uint32_t row, uint32_t column) {
    for (uint32_t c = 0; c < cout; c++) sums[c] = bias == nullptr ? 0 : bias[c];
    const Reach rows = Inside(row, w.stride_h, w.pad_top, w.kernel_h, x.height);
    const Reach columns = Inside(column, w.stride_w, w.pad_left, w.kernel_w, x.width);
    for (int in_y = rows.begin; in_y < rows.end; in_y++) {
      const uint32_t tap_y = in_y + w.pad_top - row * w.stride_h;
      for (int in_x = columns.begin; in_x < columns.end; in_x++) {
        const uint32_t tap_x = in_x + w.pad_left - column * w.stride_w;
        const float* tap = &by_tap[(size_t{tap_y} * w.kernel_w + tap_x) * cin * cout];
        const float* in = &x.At(in_y, in_x, 0);
        if (groups == 1) {
          for (uint32_t i = 0; i < cin; i++) {
            for (uint32_t c = 0; c < cout; c++) sums[c] += in[i] * tap[size_t{i} * cout + c];
          }
        } else {
          for (uint32_t c = 0; c < cout; c++) sums[c] += in[c] * tap[c];
        }
      }
    }
    for (uint32_t c = 0; c < cout; c++) y.At(row, column, c) = Finish(sums[c], row, column, c, epilogue);
  });
}

void MaxPool(const Image& x, const Image& y, const Window& w) {
  ForEachPixel(y, [&](uint32_t row, uint32_t column) {
    const Reach rows = Inside(row, w.stride_h, w.pad_top, w.kernel_h, x.height);
    const Reach columns = Inside(column, w.stride_w, w.pad_left, w.kernel_w, x.width);
    for (uint32_t c = 0; c < y.channels; c++) {
      float largest = -std::numeric_limits<float>::infinity();
      for (int in_y = rows.begin; in_y < rows.end; in_y++) {
        for (int in_x = columns.begin; in_x < columns.end; in_x++) largest = std::max(largest, x.At(in_y, in_x, c));
      }
      y.At(row, column, c) = largest;
    }
  });
}

void AveragePool(const Image& x, const Image& y, const Window& w) {
  const bool whole = w.kernel_h == 0;
  ForEachPixel(y, [&](uint32_t row, uint32_t column) {
    const Reach all_rows{0, static_cast<int>(x.height)};
    const Reach all_columns{0, static_cast<int>(x.width)};
    const Reach rows = whole ? all_rows : Inside(row, w.stride_h, w.pad_top, w.kernel_h, x.height);
    const Reach columns = whole ? all_columns : Inside(column, w.stride_w, w.pad_left, w.kernel_w, x.width);
    for (uint32_t c = 0; c < y.channels; c++) {
      double sum = 0;
      for (int in_y = rows.begin; in_y < rows.end; in_y++) {
        for (int in_x = columns.begin; in_x < columns.end; in_x++) sum += x.At(in_y, in_x, c);
      }
      const int count = (rows.end - rows.begin) * (columns.end - columns.begin);
      y.At(row, column, c) = count > 0 ? static_cast<float>(sum / count) : 0;
    }
  });
}

void Add(const Image& x, const Image& y, const Epilogue& epilogue) {
  ForEachPixel(y, [&](uint32_t row, uint32_t column) {
    for (uint32_t c = 0; c < y.channels; c++) {
      const float value = c < x.channels ? x.At(row, column, c) : 0;
      y.At(row, column, c) = Finish(value, row, column, c, epilogue);
    }
  });
}

void ResizeNearest(const Image& x, const Image& y, uint32_t factor) {
  ForEachPixel(y, [&](uint32_t row, uint32_t column) {
    for (uint32_t c = 0; c < y.channels; c++) y.At(row, column, c) = x.At(row / factor, column / factor, c);
  });
}

void ResizeBilinear(const Image& x, const Image& y, uint32_t factor) {
  struct Between {
    uint32_t low, high;
    float part;  // Share of `high`.
  };
  const auto between = [factor](uint32_t at, uint32_t length) -> Between {
    const float position = std::max((static_cast<float>(at) + 0.5f) / static_cast<float>(factor) - 0.5f, 0.0f);
    const uint32_t low = std::min(static_cast<uint32_t>(position), length - 1);
    return {low, std::min(low + 1, length - 1), position - static_cast<float>(low)};
  };
  ForEachPixel(y, [&](uint32_t row, uint32_t column) {
    const Between v = between(row, x.height);
    const Between h = between(column, x.width);
    for (uint32_t c = 0; c < y.channels; c++) {
      const float top = x.At(v.low, h.low, c) * (1 - h.part) + x.At(v.low, h.high, c) * h.part;
      const float bottom = x.At(v.high, h.low, c) * (1 - h.part) + x.At(v.high, h.high, c) * h.part;
      y.At(row, column, c) = top * (1 - v.part) + bottom * v.part;
    }
  });
}

void DepthToSpace(const Image& x, const Image& y, uint32_t factor, const Epilogue& e) {
  ForEachPixel(y, [&](uint32_t row, uint32_t column) {
    for (uint32_t c = 0; c < y.channels; c++) {
      const uint32_t from = (c * factor + row % factor) * factor + column % factor;
      float value = x.At(row / factor, column / factor, from) * e.scale;
      if (e.residual1 != nullptr && c < e.residual1->channels)
        value += e.scale1 * e.residual1->At(row / factor, column / factor, c);
      y.At(row, column, c) = value;
    }
  });
}

}  // namespace framekiln::reference
