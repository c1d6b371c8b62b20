// CPU references of the layers: what every kernel computes, in float32 and plain loops. The kernels are tested against
// them, and they are tested against onnxruntime.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../plan/plan.h"

namespace framekiln::reference {

// An image of floats in the layout of a tensor's slot: NHWC with `pitch` channels between two pixels.
struct Image {
  float* data = nullptr;  // The first channel of the first pixel.
  uint32_t height = 0;
  uint32_t width = 0;
  uint32_t pitch = 0;
  uint32_t channels = 0;

  float& At(uint32_t y, uint32_t x, uint32_t c) const { return data[(size_t{y} * width + x) * pitch + c]; }
};

// What happens to a sum before it is stored; see plan.h for the formula.
struct Epilogue {
  const Image* residual1 = nullptr;
  const Image* residual2 = nullptr;
  float scale = 1;
  float scale1 = 1;
  float scale2 = 1;
  Activation activation = Activation::kNone;
  float slope = 0;
  const float* slopes = nullptr;  // [channels] of kPRelu
  bool act_last = false;
};

struct Window {
  uint32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
};

// weights [y.channels][kernel_h][kernel_w][x.channels / groups]; bias [y.channels] or null.
void Convolve(const Image& x, const Image& y, const Window& window, uint32_t groups, const float* weights,
              const float* bias, const Epilogue& epilogue);
void MaxPool(const Image& x, const Image& y, const Window& window);
// A kernel of height 0 means the whole image.
void AveragePool(const Image& x, const Image& y, const Window& window);
void Add(const Image& x, const Image& y, const Epilogue& epilogue);
void ResizeNearest(const Image& x, const Image& y, uint32_t factor);
void ResizeBilinear(const Image& x, const Image& y, uint32_t factor);
void DepthToSpace(const Image& x, const Image& y, uint32_t factor, const Epilogue& epilogue);

}  // namespace framekiln::reference
