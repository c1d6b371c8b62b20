#include <cstring>
#include <utility>

#include "../kernels/conv3x3_tensor.cuh"
#include "../kernels/conv3x3_wgmma.cuh"
#include "../kernels/conv_direct.cuh"
#include "../kernels/layers.cuh"
#include "model.h"

namespace framekiln::engine {
namespace {

constexpr size_t kAlignment = 256;

size_t Aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Constants that are uploaded in one piece.
class Packing {
 public:
  template <typename T>
  size_t Append(const std::vector<T>& values) {
    const size_t offset = Aligned(bytes_.size());
    bytes_.resize(offset + values.size() * sizeof(T));
    std::memcpy(bytes_.data() + offset, values.data(), values.size() * sizeof(T));
    return offset;
  }
  const std::vector<unsigned char>& bytes() const { return bytes_; }

 private:
  std::vector<unsigned char> bytes_;
};

std::vector<float> PaddedToEight(const float* values, uint32_t count) {
  std::vector<float> padded(values, values + count);
  padded.resize((count + 7) / 8 * 8, 0);
  return padded;
}

bool OnTensorCores(const StepRecord& s, const TensorRecord& x) {
  const bool plain = s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 && s.groups == 1 &&
                     s.pad_top == 1 && s.pad_left == 1 && s.pad_bottom == 1 && s.pad_right == 1;
  return plain && kernels::TensorConvTakes(static_cast<int>(x.channels));
}

// Without the image that a fused tail would make: it is written straight to the frame.
std::vector<size_t> SlotOffsets(const Plan& plan, std::vector<Size> sizes, const std::optional<FusedTail>& tail) {
  if (tail) sizes[tail->step.output] = {0, 0};
  std::vector<size_t> offsets{0};
  for (const size_t elements : SlotElements(plan, sizes))
    offsets.push_back(offsets.back() + Aligned(elements * sizeof(uint16_t)));
  return offsets;
}

}  // namespace

Model::Model(Plan plan, bool plain) : plan_(std::move(plan)), scale_(FindScale()), tail_(FindTail()) {
  Packing packing;
  for (const StepRecord& s : plan_.steps) {
    StepWeights at;
    const TensorRecord& x = plan_.tensors[s.input];
    const TensorRecord& y = plan_.tensors[s.output];
    if (s.op == Op::kConv) {
      const float* weights = &plan_.weights[s.weight_offset];
      const int cin = static_cast<int>(x.channels), cout = static_cast<int>(y.channels);
      if (!OnTensorCores(s, x)) {
        at.weights = packing.Append(
            kernels::PackDirectConvWeights(weights, cout, static_cast<int>(s.kernel_h * s.kernel_w), cin / static_cast<int>(s.groups)));
      } else if (!plain && kernels::WgmmaConvTakes(cin, cout)) {
        at.kernel = StepWeights::Kernel::kWgmma;
        at.weights = packing.Append(kernels::PackWgmmaConvWeights(weights, cout, cin));
      } else {
        at.kernel = StepWeights::Kernel::kTensor;
        at.weights = packing.Append(kernels::PackTensorConvWeights(weights, cout, cin));
      }
      if (s.bias_offset != kNone) at.bias = packing.Append(PaddedToEight(&plan_.weights[s.bias_offset], y.channels));
    }
    if (s.activation == Activation::kPRelu)
      at.slopes = packing.Append(PaddedToEight(&plan_.weights[s.slope_offset], y.channels));
    step_weights_.push_back(at);
  }
  weights_ = DeviceMemory(packing.bytes().size(), "the model's weights");
  const DeviceStream stream;
  CopyToDevice(weights_.data(), packing.bytes().data(), packing.bytes().size(), stream.get());
  stream.Wait("the upload of the model's weights");
}

uint32_t Model::FindScale() const {
  if (plan_.outputs.size() != 1 || plan_.outputs[0].layout != OutputLayout::kImage) return 0;
  if (plan_.tensors[0].channels != 3 || plan_.tensors[plan_.outputs[0].tensor].channels != 3) return 0;
  // Two sizes, to distinguish a model with a fixed factor from one that adds a border.
  uint32_t scale = 0;
  for (const uint32_t edge : {64u, 96u}) {
    const Size out = TensorSizes(plan_, {edge, edge})[plan_.outputs[0].tensor];
    if (out.height != out.width || out.height % edge != 0) return 0;
    if (scale != 0 && out.height / edge != scale) return 0;
    scale = out.height / edge;
  }
  return scale;
}

std::optional<FusedTail> Model::FindTail() const {
  if (scale_ == 0 || plan_.steps.empty()) return std::nullopt;
  const StepRecord& last = plan_.steps.back();
  if (last.op != Op::kDepthToSpace || last.output != plan_.outputs[0].tensor) return std::nullopt;
  return FusedTail{last};
}

size_t Model::WorkspaceBytes(Size size) const { return SlotOffsets(plan_, TensorSizes(plan_, size), tail_).back(); }

Workspace::Workspace(const Model& model, Size size)
    : model_(model),
      size_(size),
      sizes_(TensorSizes(model.plan_, size)),
      slot_offsets_(SlotOffsets(model.plan_, sizes_, model.tail_)),
      memory_(slot_offsets_.back(), "the model's workspace") {}

kernels::Tensor Workspace::tensor(uint32_t number) const {
  const TensorRecord& t = model_.plan_.tensors[number];
  auto* slot = reinterpret_cast<uint16_t*>(memory_.data() + slot_offsets_[t.slot]);
  return {slot + t.offset, static_cast<int>(sizes_[number].height), static_cast<int>(sizes_[number].width),
          static_cast<int>(t.pitch), static_cast<int>(t.channels)};
}

std::span<unsigned char> Workspace::slot(uint32_t number) const {
  const uint32_t slot = model_.plan_.tensors[number].slot;
  return {memory_.data() + slot_offsets_[slot], slot_offsets_[slot + 1] - slot_offsets_[slot]};
}

void Workspace::Run(Stream stream) {
  graph_.Replay(stream, [this](Stream recorded) {
    const size_t steps = model_.plan_.steps.size() - (model_.tail_ ? 1 : 0);
    for (size_t i = 0; i < steps; i++) Enqueue(i, recorded);
  });
}

void Workspace::Write(kernels::WriteImage write, Stream stream) const {
  if (model_.tail_) {
    const StepRecord& tail = model_.tail_->step;
    write.x = tensor(tail.input);
    write.factor = static_cast<int>(tail.factor);
    write.base = tail.residual1 == kNone ? kernels::Tensor{} : tensor(tail.residual1);
    write.scale = tail.scale;
    write.scale1 = tail.scale1;
  } else {
    write.x = tensor(model_.plan_.outputs[0].tensor);
  }
  Check(kernels::LaunchWriteImage(write, stream), "WriteImage");
}

void Workspace::Enqueue(size_t number, Stream stream) const {
  const StepRecord& s = model_.plan_.steps[number];
  const Model::StepWeights& at = model_.step_weights_[number];
  const unsigned char* packed = model_.weights_.data();
  const auto floats = [packed](size_t offset) { return reinterpret_cast<const float*>(packed + offset); };
  const kernels::Tensor x = tensor(s.input), y = tensor(s.output);

  kernels::DeviceEpilogue epilogue;
  if (s.op == Op::kConv && s.bias_offset != kNone) epilogue.bias = floats(at.bias);
  if (s.activation == Activation::kPRelu) epilogue.slopes = floats(at.slopes);
  if (s.residual1 != kNone) epilogue.residual1 = tensor(s.residual1);
  if (s.residual2 != kNone) epilogue.residual2 = tensor(s.residual2);
  epilogue.scale = s.scale;
  epilogue.scale1 = s.scale1;
  epilogue.scale2 = s.scale2;
  epilogue.slope = s.slope;
  epilogue.activation = static_cast<kernels::DeviceActivation>(s.activation);
  epilogue.act_last = s.act_last != 0;

  kernels::Pool pool{x, y, static_cast<int>(s.kernel_h), static_cast<int>(s.kernel_w), static_cast<int>(s.stride_h),
                     static_cast<int>(s.stride_w), static_cast<int>(s.pad_top), static_cast<int>(s.pad_left)};
  const int factor = static_cast<int>(s.factor);
  switch (s.op) {
    case Op::kConv: {
      if (at.kernel != Model::StepWeights::Kernel::kDirect) {
        const kernels::TensorConv conv{x, y, reinterpret_cast<const uint16_t*>(packed + at.weights), epilogue};
        const bool wgmma = at.kernel == Model::StepWeights::Kernel::kWgmma;
        return Check(wgmma ? kernels::LaunchWgmmaConv(conv, stream) : kernels::LaunchTensorConv(conv, stream),
                     wgmma ? "the 3x3 convolution (wgmma)" : "the 3x3 convolution (mma)");
      }
      const kernels::DirectConv conv{x, y, floats(at.weights), epilogue, pool.kernel_h, pool.kernel_w, pool.stride_h,
                                     pool.stride_w, pool.pad_top, pool.pad_left, s.groups != 1};
      return Check(kernels::LaunchDirectConv(conv, stream), "the direct convolution");
    }
    case Op::kMaxPool: return Check(kernels::LaunchMaxPool(pool, stream), "MaxPool");
    case Op::kAveragePool: return Check(kernels::LaunchAveragePool(pool, stream), "AveragePool");
    case Op::kAdd: return Check(kernels::LaunchAdd({x, y, epilogue}, stream), "Add");
    case Op::kResizeNearest: return Check(kernels::LaunchResizeNearest({x, y, factor}, stream), "ResizeNearest");
    case Op::kResizeBilinear: return Check(kernels::LaunchResizeBilinear({x, y, factor}, stream), "ResizeBilinear");
    case Op::kDepthToSpace:
      return Check(kernels::LaunchDepthToSpace({x, y, epilogue.residual1, s.scale, s.scale1, factor}, stream),
                   "DepthToSpace");
  }
}

}  // namespace framekiln::engine
