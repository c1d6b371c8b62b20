// Runs a model on images in the caller's memory.
#pragma once

#include <mutex>
#include <vector>

#include "model.h"
#include "thread_pool.h"

namespace framekiln::cpu {

// Rectangles in pixels.
struct Area {
  uint32_t top, left, height, width;
};

enum class PixelFormat { kRgb24, kRgb48, kPlanes };

// One window of a frame. The model sees `window`; what it makes of `core`, which lies in the window, is written to the
// same place of the upscaled frame.
struct WindowSpec {
  PixelFormat format;  // Planes of floats are read and written as they are, other values as 0..1.
  Size frame;
  Area window, core;
};

class Runner {
 public:
  Runner(const Plan& plan, const Kernels& kernels, Precision precision, uint32_t threads);

  const Model& model() const { return model_; }
  // Bytes of activations for each pixel of a window.
  size_t bytes_per_pixel() const;
  uint32_t threads() const { return pool_.size(); }
  // Runs one window at a time: further callers wait.
  void Upscale(const WindowSpec& spec, const void* source, void* target);

 private:
  struct Pass;

  void Allocate(Size size);
  Image ImageOf(uint32_t tensor, Size size) const;
  void AddReading(Pass& pass);
  void AddLayer(Pass& pass, const Layer& layer);
  void AddInputConvolution(Pass& pass, const Layer& layer);
  void AddWinograd(Pass& pass, const Layer& layer);
  void AddResize(Pass& pass, const Layer& layer);
  void AddPhase(Pass& pass, const Layer* layer, Phase phase);
  ConvolutionCall CallFor(const Pass& pass, const Layer& layer) const;

  Model model_;
  ThreadPool pool_;
  std::mutex mutex_;
  Size size_;
  Memory input_;
  std::vector<Memory> slots_;
  // One part of `scratch_` for each thread.
  Memory scratch_;
  size_t scratch_bytes_ = 0;
};

}  // namespace framekiln::cpu
