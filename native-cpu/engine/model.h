// A model plan made ready for one instruction set: layers in order, with transformed weights.
#pragma once

#include <string>
#include <vector>

#include "../../native-cuda/plan/plan.h"
#include "kernels.h"
#include "memory.h"

namespace framekiln::cpu {

// The plan is fine, but this engine would not gain anything on it, or cannot run it.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// How exactly a model is computed: kExact in float32 throughout.
enum class Precision { kExact, kBalanced, kFast };

struct Layer {
  enum class Kind { kInputConvolution, kWinograd, kResize };
  Kind kind;
  uint32_t input, output;          // Tensors; of the last layer, `output` is not stored.
  uint32_t residual1, residual2;   // kNone: absent
  uint32_t factor = 1;             // Of kResize.
  Convolution convolution{};
  SchemeKernel kernel{};
  Memory weights, bias, slopes, position_scales, column_scales;
};

struct Tensor {
  uint32_t slot, offset, channels;
  uint32_t pitch;  // Channels from one pixel to the next; 0: the tensor is not stored.
  uint32_t scale;  // Pixels per pixel of the model's input, along one edge.
};

class Model {
 public:
  // Throws Unsupported.
  Model(const Plan& plan, const Kernels& kernels, Precision precision);

  const std::vector<Layer>& layers() const { return layers_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  // Floats of each slot, for each pixel of the model's input.
  const std::vector<size_t>& slots() const { return slots_; }
  const Kernels& kernels() const { return kernels_; }
  // Output pixels per input pixel, along one edge.
  uint32_t scale() const { return scale_; }
  // Of the last layer: its channels are this many pixels squared of each colour.
  uint32_t shuffle() const { return shuffle_; }
  // Whether the input image is added to the output.
  bool adds_input() const { return adds_input_; }
  size_t weight_bytes() const;

 private:
  void PlaceTensors(const Plan& plan);
  void AddStep(const Plan& plan, const StepRecord& step);
  SchemeKernel KernelFor(const Plan& plan, const StepRecord& step) const;
  void AddConvolution(const Plan& plan, const StepRecord& step);
  void AddTail(const Plan& plan, const StepRecord* shuffle);

  const Kernels& kernels_;
  Precision precision_;
  std::vector<Layer> layers_;
  std::vector<Tensor> tensors_;
  std::vector<size_t> slots_;
  uint32_t scale_ = 1, shuffle_ = 1;
  bool adds_input_ = false;
};

}  // namespace framekiln::cpu
