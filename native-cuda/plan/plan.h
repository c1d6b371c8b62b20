// The model plan: src/inference/plan/ compiles it from an ONNX file, and every native engine executes it.
//
// A plan contains layers, not sizes: images of any size use the same plan, and the executor derives every tensor's
// height and width from the input's. Nothing in here depends on CUDA.
//
// The file, all of it little-endian 32-bit words until the weights:
//   header   "FKPL", version, weight type, tensors, steps, outputs, weights (each a count)
//   tensors  TensorRecord each; tensor 0 is the model's input
//   steps    StepRecord each, in the order of execution
//   outputs  OutputRecord each
//   weights  float32 or float16, as the header says
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace framekiln {

inline constexpr uint32_t kPlanVersion = 1;
inline constexpr uint32_t kNone = 0xffffffffu;

enum class WeightType : uint32_t { kFloat32 = 1, kFloat16 = 2 };

// Activations are stored pixel by pixel, NHWC: `pitch` channels lie between two pixels of a slot, and a tensor is the
// channels [offset, offset + channels) of each. So a concatenation is just tensors side by side in one slot.
struct TensorRecord {
  uint32_t slot;      // The memory of the tensor; tensors whose lifetimes do not overlap share a slot.
  uint32_t pitch;     // Channels between two pixels; a multiple of 8.
  uint32_t offset;    // First channel; a multiple of 8.
  uint32_t channels;  // At least 1, at most pitch - offset.
};

enum class Op : uint32_t {
  // y = act(conv(x)) * scale + scale1 * residual1 + scale2 * residual2; with act_last, act of the whole sum.
  // Weights [cout][kernel_h][kernel_w][cin / groups], groups 1 or cin (depthwise, cin = cout), padding by zeros.
  kConv = 1,
  kMaxPool = 2,      // Padding never wins.
  kAveragePool = 3,  // kernel_h = 0: over the whole image. Padding is not counted.
  // y = act(x * scale + scale1 * residual1 + scale2 * residual2): sums, scalings and bare activations. A residual of
  // fewer channels stands for zeros beyond them.
  kAdd = 4,
  kResizeNearest = 5,   // By `factor`; source = floor(destination / factor).
  kResizeBilinear = 6,  // By `factor`, half-pixel centres, edges repeated.
  // x has channels * factor^2 channels in the order (channel, row, column) of y:
  // y = depth_to_space(x) * scale + scale1 * residual1, where residual1 is `factor` times smaller than y.
  kDepthToSpace = 7,
};

enum class Activation : uint32_t {
  kNone = 0,
  kLeakyRelu = 1,  // x < 0: x * slope; ReLU has slope 0.
  kPRelu = 2,      // x < 0: x * weights[slope_offset + channel]
  kSigmoid = 3,
};

struct StepRecord {
  Op op;
  uint32_t input;
  uint32_t output;
  uint32_t residual1;  // kNone: no residual.
  uint32_t residual2;
  float scale;
  float scale1;
  float scale2;
  Activation activation;
  float slope;
  uint32_t act_last;  // 1: the activation comes after the residuals.
  uint32_t kernel_h;
  uint32_t kernel_w;
  uint32_t stride_h;
  uint32_t stride_w;
  uint32_t pad_top;
  uint32_t pad_left;
  uint32_t pad_bottom;
  uint32_t pad_right;
  uint32_t groups;
  uint32_t weight_offset;  // Counted in weights, not bytes. kNone: no weights.
  uint32_t bias_offset;
  uint32_t slope_offset;
  uint32_t factor;
};

enum class OutputLayout : uint32_t {
  kImage = 0,  // [1, channels, height, width]
  kRows = 1,     // [1, height * width * channels / columns, columns]
  kVector = 2,   // [1, channels] of a 1x1 image
};

struct OutputRecord {
  uint32_t tensor;
  OutputLayout layout;
  uint32_t columns;  // Only for kRows; else 0.
};

struct Plan {
  std::vector<TensorRecord> tensors;
  std::vector<StepRecord> steps;
  std::vector<OutputRecord> outputs;
  std::vector<float> weights;  // Converted if they were stored as halves.
  uint32_t slots = 0;          // One more than the largest slot number.
};

class PlanError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Size {
  uint32_t height = 0;
  uint32_t width = 0;
};

// Reads a plan and validates every number in it, so that executors need not. Throws PlanError.
Plan ReadPlan(std::span<const std::byte> bytes);

// Height and width of each tensor for an input of the given size. Throws PlanError if a step has no result.
std::vector<Size> TensorSizes(const Plan& plan, Size input);

// Elements of each slot for these sizes.
std::vector<size_t> SlotElements(const Plan& plan, std::span<const Size> sizes);

float HalfToFloat(uint16_t half);
// Rounds to the nearest, ties to even, as the hardware does.
uint16_t FloatToHalf(float value);

}  // namespace framekiln
