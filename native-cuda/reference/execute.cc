#include "execute.h"

#include <limits>

#include "../plan/outputs.h"
#include "layers.h"

namespace framekiln::reference {
namespace {

class Executor {
 public:
  Executor(const Plan& plan, Size size) : plan_(plan), sizes_(TensorSizes(plan, size)) {
    // Poison: reading unwritten memory gives NaN.
    for (const size_t elements : SlotElements(plan, sizes_))
      slots_.emplace_back(elements, std::numeric_limits<float>::quiet_NaN());
  }

  void WriteInput(std::span<const float> input) {
    const Image x = At(0);
    const size_t plane = size_t{x.height} * x.width;
    if (input.size() != plane * x.channels) throw PlanError("The length of the input does not match its size.");
    for (size_t i = 0; i < plane; i++) {
      for (uint32_t c = 0; c < x.channels; c++) x.data[i * x.pitch + c] = input[c * plane + i];
    }
  }

  void Run(const StepRecord& s) {
    const Image x = At(s.input);
    const Image y = At(s.output);
    const Image residual1 = s.residual1 == kNone ? Image{} : At(s.residual1);
    const Image residual2 = s.residual2 == kNone ? Image{} : At(s.residual2);
    const Epilogue epilogue{
        .residual1 = s.residual1 == kNone ? nullptr : &residual1,
        .residual2 = s.residual2 == kNone ? nullptr : &residual2,
        .scale = s.scale,
        .scale1 = s.scale1,
        .scale2 = s.scale2,
        .activation = s.activation,
        .slope = s.slope,
        .slopes = s.activation == Activation::kPRelu ? &plan_.weights[s.slope_offset] : nullptr,
        .act_last = s.act_last != 0,
    };
    const Window window{s.kernel_h, s.kernel_w, s.stride_h, s.stride_w, s.pad_top, s.pad_left};
    switch (s.op) {
      case Op::kConv:
        return Convolve(x, y, window, s.groups, &plan_.weights[s.weight_offset],
                        s.bias_offset == kNone ? nullptr : &plan_.weights[s.bias_offset], epilogue);
      case Op::kMaxPool: return MaxPool(x, y, window);
      case Op::kAveragePool: return AveragePool(x, y, window);
      case Op::kAdd: return Add(x, y, epilogue);
      case Op::kResizeNearest: return ResizeNearest(x, y, s.factor);
      case Op::kResizeBilinear: return ResizeBilinear(x, y, s.factor);
      case Op::kDepthToSpace: return DepthToSpace(x, y, s.factor, epilogue);
    }
  }

  Output Read(const OutputRecord& output) const {
    const TensorRecord& tensor = plan_.tensors[output.tensor];
    const Size size = sizes_[output.tensor];
    Output result{OutputShape(output, tensor, size), {}};
    result.data.resize(size_t{size.height} * size.width * tensor.channels);
    ForEachOutputElement(output, tensor, size,
                         [&](size_t to, size_t from) { result.data[to] = slots_[tensor.slot][from]; });
    return result;
  }

 private:
  Image At(uint32_t tensor) {
    const TensorRecord& t = plan_.tensors[tensor];
    return {slots_[t.slot].data() + t.offset, sizes_[tensor].height, sizes_[tensor].width, t.pitch, t.channels};
  }

  const Plan& plan_;
  std::vector<Size> sizes_;
  std::vector<std::vector<float>> slots_;
};

}  // namespace

std::vector<Output> Execute(const Plan& plan, std::span<const float> input, Size size) {
  Executor executor(plan, size);
  executor.WriteInput(input);
  for (const StepRecord& step : plan.steps) executor.Run(step);
  std::vector<Output> outputs;
  for (const OutputRecord& output : plan.outputs) outputs.push_back(executor.Read(output));
  return outputs;
}

}  // namespace framekiln::reference
