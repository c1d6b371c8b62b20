#include "plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace framekiln {
namespace {

static_assert(std::endian::native == std::endian::little, "Plans are little-endian and are read without conversion.");

constexpr uint32_t kMagic = 0x4c504b46;  // "FKPL"
constexpr uint32_t kMaxCount = 1u << 20;
constexpr uint32_t kMaxChannels = 1u << 14;
constexpr uint32_t kMaxWeights = 1u << 28;

void Check(bool fine, const std::string& what) {
  if (!fine) throw PlanError("The plan is not valid: " + what + ".");
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
  std::vector<T> Take(size_t count) {
    Check(count <= (bytes_.size() - at_) / sizeof(T), "it is truncated");
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), bytes_.data() + at_, count * sizeof(T));
    at_ += count * sizeof(T);
    return values;
  }
  bool AtEnd() const { return at_ == bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
};

class Checker {
 public:
  explicit Checker(const Plan& plan) : plan_(plan) {}

  void Tensors() const {
    Check(!plan_.tensors.empty(), "it has no tensors");
    for (const TensorRecord& t : plan_.tensors) {
      Check(t.slot < plan_.tensors.size(), "a slot number exceeds the number of tensors");
      Check(t.pitch % 8 == 0 && t.offset % 8 == 0 && t.pitch <= kMaxChannels, "a tensor's channels are not aligned");
      Check(t.channels >= 1 && t.offset <= t.pitch && t.channels <= t.pitch - t.offset,
            "a tensor's channels reach beyond its pitch");
    }
  }

  void Step(const StepRecord& s, size_t number) const {
    where_ = "step " + std::to_string(number) + ": ";
    const TensorRecord& x = Tensor(s.input);
    const TensorRecord& y = Tensor(s.output);
    Require(s.output != 0, "it writes to the model's input");
    for (uint32_t residual : {s.residual1, s.residual2}) {
      if (residual != kNone) Require(Tensor(residual).channels <= y.channels, "a residual has too many channels");
    }
    Require(s.residual1 != kNone || s.residual2 == kNone, "a second residual without a first");
    Require(std::isfinite(s.scale) && std::isfinite(s.scale1) && std::isfinite(s.scale2) && std::isfinite(s.slope),
            "a scale is not finite");
    Require(s.activation <= Activation::kSigmoid, "unknown activation");
    if (s.activation == Activation::kPRelu) Weights(s.slope_offset, y.channels);
    switch (s.op) {
      case Op::kConv: return Conv(s, x, y);
      case Op::kMaxPool:
      case Op::kAveragePool:
        Require(x.channels == y.channels, "pooling changes the channels");
        if (s.op == Op::kAveragePool && s.kernel_h == 0) return;
        return Window(s);
      case Op::kAdd:
        return Require(x.channels <= y.channels, "a sum has too few channels");
      case Op::kResizeNearest:
      case Op::kResizeBilinear:
        Require(s.factor >= 1 && s.factor <= 16, "its factor is out of range");
        return Require(x.channels == y.channels, "resizing changes the channels");
      case Op::kDepthToSpace:
        Require(s.factor >= 1 && s.factor <= 16, "its factor is out of range");
        return Require(x.channels == y.channels * s.factor * s.factor, "its channels do not match the factor");
    }
    Require(false, "unknown operation");
  }

  void Output(const OutputRecord& output) const {
    where_ = "an output: ";
    const uint32_t channels = Tensor(output.tensor).channels;
    Require(output.layout <= OutputLayout::kVector, "unknown layout");
    if (output.layout == OutputLayout::kRows)
      Require(output.columns >= 1 && channels % output.columns == 0, "its columns do not divide the channels");
  }

 private:
  void Conv(const StepRecord& s, const TensorRecord& x, const TensorRecord& y) const {
    Window(s);
    Require(s.groups == 1 || (s.groups == x.channels && x.channels == y.channels), "its groups are not 1 or depthwise");
    const size_t taps = size_t{s.kernel_h} * s.kernel_w;
    Weights(s.weight_offset, taps * y.channels * (x.channels / s.groups));
    if (s.bias_offset != kNone) Weights(s.bias_offset, y.channels);
  }

  void Window(const StepRecord& s) const {
    const auto small = [](uint32_t value) { return value >= 1 && value <= 64; };
    Require(small(s.kernel_h) && small(s.kernel_w) && small(s.stride_h) && small(s.stride_w),
            "its kernel or stride is out of range");
    Require(s.pad_top < s.kernel_h && s.pad_bottom < s.kernel_h && s.pad_left < s.kernel_w && s.pad_right < s.kernel_w,
            "its padding is as large as its kernel");
  }

  void Weights(uint32_t offset, size_t count) const {
    Require(offset <= plan_.weights.size() && count <= plan_.weights.size() - offset, "its weights are out of range");
  }

  const TensorRecord& Tensor(uint32_t number) const {
    Require(number < plan_.tensors.size(), "a tensor number is out of range");
    return plan_.tensors[number];
  }

  void Require(bool fine, const char* what) const { Check(fine, where_ + what); }

  const Plan& plan_;
  mutable std::string where_;
};

uint32_t WindowsAlong(uint32_t length, uint32_t pad, uint32_t kernel, uint32_t stride) {
  if (length + pad < kernel) throw PlanError("The image is too small for the model.");
  return (length + pad - kernel) / stride + 1;
}

Size OutputSize(const StepRecord& s, Size in) {
  switch (s.op) {
    case Op::kAdd: return in;
    case Op::kResizeNearest:
    case Op::kResizeBilinear:
    case Op::kDepthToSpace: return {in.height * s.factor, in.width * s.factor};
    case Op::kConv:
    case Op::kMaxPool:
    case Op::kAveragePool: break;
  }
  if (s.kernel_h == 0) return {1, 1};
  return {WindowsAlong(in.height, s.pad_top + s.pad_bottom, s.kernel_h, s.stride_h),
          WindowsAlong(in.width, s.pad_left + s.pad_right, s.kernel_w, s.stride_w)};
}

}  // namespace

Plan ReadPlan(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  const std::vector<uint32_t> header = reader.Take<uint32_t>(7);
  Check(header[0] == kMagic, "it does not start with FKPL");
  Check(header[1] == kPlanVersion, "unsupported version " + std::to_string(header[1]));
  const auto weight_type = static_cast<WeightType>(header[2]);
  Check(weight_type == WeightType::kFloat32 || weight_type == WeightType::kFloat16, "unknown weight type");
  Check(header[3] <= kMaxCount && header[4] <= kMaxCount && header[5] <= kMaxCount && header[6] <= kMaxWeights,
        "it is too large");

  Plan plan;
  plan.tensors = reader.Take<TensorRecord>(header[3]);
  plan.steps = reader.Take<StepRecord>(header[4]);
  plan.outputs = reader.Take<OutputRecord>(header[5]);
  if (weight_type == WeightType::kFloat32) {
    plan.weights = reader.Take<float>(header[6]);
  } else {
    const std::vector<uint16_t> halves = reader.Take<uint16_t>(header[6]);
    plan.weights.resize(halves.size());
    std::transform(halves.begin(), halves.end(), plan.weights.begin(), HalfToFloat);
  }
  Check(reader.AtEnd(), "there is data after its weights");
  Check(std::all_of(plan.weights.begin(), plan.weights.end(), [](float w) { return std::isfinite(w); }),
        "a weight is not finite");

  const Checker checker(plan);
  checker.Tensors();
  for (size_t i = 0; i < plan.steps.size(); i++) checker.Step(plan.steps[i], i);
  Check(!plan.outputs.empty(), "it has no outputs");
  for (const OutputRecord& output : plan.outputs) checker.Output(output);
  for (const TensorRecord& tensor : plan.tensors) plan.slots = std::max(plan.slots, tensor.slot + 1);
  return plan;
}

std::vector<Size> TensorSizes(const Plan& plan, Size input) {
  if (input.height == 0 || input.width == 0) throw PlanError("The image has no pixels.");
  std::vector<Size> sizes(plan.tensors.size());
  std::vector<Size> slots(plan.tensors.size());  // Size of the tensor that was written there last.
  const auto known = [&](uint32_t tensor) {
    // No step writes a concatenation as a whole; its parts are written into its slot.
    if (sizes[tensor].height == 0) sizes[tensor] = slots[plan.tensors[tensor].slot];
    if (sizes[tensor].height == 0) throw PlanError("The plan reads a tensor before it is written.");
    return sizes[tensor];
  };
  const auto write = [&](uint32_t tensor, Size size) { sizes[tensor] = slots[plan.tensors[tensor].slot] = size; };
  write(0, input);
  for (const StepRecord& s : plan.steps) {
    const Size size = OutputSize(s, known(s.input));
    const uint32_t shrink = s.op == Op::kDepthToSpace ? s.factor : 1;
    for (uint32_t residual : {s.residual1, s.residual2}) {
      if (residual == kNone) continue;
      const Size other = known(residual);
      if (other.height * shrink != size.height || other.width * shrink != size.width)
        throw PlanError("The plan adds images of different sizes.");
    }
    write(s.output, size);
  }
  for (const OutputRecord& output : plan.outputs) known(output.tensor);
  return sizes;
}

std::vector<size_t> SlotElements(const Plan& plan, std::span<const Size> sizes) {
  std::vector<size_t> elements(plan.slots, 0);
  for (size_t i = 0; i < plan.tensors.size(); i++) {
    const size_t pixels = size_t{sizes[i].height} * sizes[i].width;
    size_t& slot = elements[plan.tensors[i].slot];
    slot = std::max(slot, pixels * plan.tensors[i].pitch);
  }
  return elements;
}

float HalfToFloat(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(mantissa), -24);
    return sign == 0 ? magnitude : -magnitude;
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

uint16_t FloatToHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;  // NaN
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // 65520 and above round to infinity.
  if (magnitude < 0x38800000u) {
    // Subnormal: the unit is 2^-24, and nearbyint rounds ties to even.
    const float units = std::nearbyint(std::ldexp(std::bit_cast<float>(magnitude), 24));
    return static_cast<uint16_t>(sign | static_cast<uint32_t>(units));
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

}  // namespace framekiln
