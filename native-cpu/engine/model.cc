#include "model.h"

#include <algorithm>
#include <span>

#include "weights.h"

namespace framekiln::cpu {
namespace {

uint32_t Padded(uint32_t channels) { return (channels + kChannelBlock - 1) / kChannelBlock * kChannelBlock; }

void Require(bool fine, const char* what) {
  if (!fine) throw Unsupported(std::string("The engine does not support ") + what + ".");
}

bool IsSame3x3(const StepRecord& s) {
  return s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 && s.pad_top == 1 && s.pad_left == 1 &&
         s.pad_bottom == 1 && s.pad_right == 1 && s.groups == 1;
}

Memory PaddedFloats(std::span<const float> values, uint32_t padded, float rest) {
  Memory memory(padded * sizeof(float));
  std::fill_n(memory.floats(), padded, rest);
  std::copy(values.begin(), values.end(), memory.floats());
  return memory;
}

Memory Slopes(const Plan& plan, const StepRecord& s, uint32_t channels) {
  std::vector<float> slopes(channels, s.activation == Activation::kLeakyRelu ? s.slope : 1);
  if (s.activation == Activation::kPRelu) std::copy_n(&plan.weights[s.slope_offset], channels, slopes.begin());
  return PaddedFloats(slopes, Padded(channels), 1);
}

}  // namespace

Model::Model(const Plan& plan, const Kernels& kernels, Precision precision) : kernels_(kernels), precision_(precision) {
  Require(plan.outputs.size() == 1 && plan.outputs[0].layout == OutputLayout::kImage, "a model whose output is not one image");
  PlaceTensors(plan);
  const StepRecord& last = plan.steps.back();
  Require(last.output == plan.outputs[0].tensor, "a model whose last step does not compute the output");
  const bool shuffles = last.op == Op::kDepthToSpace;
  const size_t count = plan.steps.size() - (shuffles ? 1 : 0);
  for (size_t i = 0; i < count; i++) AddStep(plan, plan.steps[i]);
  AddTail(plan, shuffles ? &last : nullptr);
  tensors_[last.output].pitch = tensors_[layers_.back().output].pitch = 0;
  slots_.assign(plan.slots, 0);
  for (size_t i = 1; i < tensors_.size(); i++) {
    const Tensor& t = tensors_[i];
    slots_[t.slot] = std::max(slots_[t.slot], size_t{t.scale} * t.scale * t.pitch);
  }
}

size_t Model::weight_bytes() const {
  size_t bytes = 0;
  for (const Layer& layer : layers_) bytes += layer.weights.bytes();
  return bytes;
}

void Model::PlaceTensors(const Plan& plan) {
  Require(!plan.steps.empty() && plan.tensors[0].channels == 3, "an input that is not an RGB image");
  constexpr uint32_t kEdge = 16;
  const std::vector<Size> sizes = TensorSizes(plan, {kEdge, kEdge});
  for (size_t i = 0; i < plan.tensors.size(); i++) {
    const TensorRecord& t = plan.tensors[i];
    Require(sizes[i].height == sizes[i].width && sizes[i].height % kEdge == 0,
            "a layer that does not enlarge width and height by the same whole factor");
    // The input has a slot of its own, in another form.
    const uint32_t slot = i == 0 ? plan.slots : t.slot;
    tensors_.push_back({slot, t.offset, t.channels, Padded(t.pitch), sizes[i].height / kEdge});
    const bool aligned = t.offset % kChannelBlock == 0 && (t.channels % kChannelBlock == 0 || t.pitch - t.offset < t.channels + 8);
    Require(aligned && t.channels <= kMaxChannels, "a channel count that is too large or not aligned");
    Require(i != 0 || t.pitch == 8, "a concatenation with the input");
  }
}

void Model::AddStep(const Plan& plan, const StepRecord& s) {
  if (s.op == Op::kConv) return AddConvolution(plan, s);
  Require(s.op == Op::kResizeNearest && s.input != 0,
          "a layer that is neither a convolution nor nearest-neighbour resizing after one");
  Layer layer;
  layer.kind = Layer::Kind::kResize;
  layer.input = s.input;
  layer.output = s.output;
  layer.residual1 = layer.residual2 = kNone;
  layer.factor = s.factor;
  Require(tensors_[s.input].slot != tensors_[s.output].slot, "resizing in place");
  layers_.push_back(std::move(layer));
}

SchemeKernel Model::KernelFor(const Plan&, const StepRecord&) const {
  const SchemeKernel exact = kernels_.f6_floats;
  SchemeKernel wanted = exact;
  if (precision_ == Precision::kBalanced) wanted = kernels_.f4_words;
  if (precision_ == Precision::kFast) wanted = kernels_.f6_words;
  return wanted.convolve == nullptr ? exact : wanted;
}

void Model::AddConvolution(const Plan& plan, const StepRecord& s) {
  Require(IsSame3x3(s), "a convolution other than 3x3 with stride 1, padding 1 and one group");
  Require(s.activation != Activation::kSigmoid, "a sigmoid");
  const Tensor& x = tensors_[s.input];
  const Tensor& y = tensors_[s.output];
  for (const uint32_t residual : {s.residual1, s.residual2}) {
    if (residual != kNone)
      Require(residual != 0 && tensors_[residual].channels == y.channels,
              "a sum with the input, or of images with different channel counts");
  }
  // Parts of one slot may be read and written at once, but not the same part.
  Require(x.slot != y.slot || x.offset + x.channels <= y.offset || y.offset + y.channels <= x.offset, "an update in place");
  Layer layer;
  layer.kind = s.input == 0 ? Layer::Kind::kInputConvolution : Layer::Kind::kWinograd;
  layer.input = s.input;
  layer.output = s.output;
  layer.residual1 = s.residual1;
  layer.residual2 = s.residual2;
  layer.kernel = KernelFor(plan, s);
  const PlainWeights weights{&plan.weights[s.weight_offset], x.channels, y.channels, Padded(x.channels), Padded(y.channels)};
  const uint32_t columns = kernels_.column_block(weights.padded_cout);
  if (s.input == 0) {
    layer.weights = InputWeights(weights);
  } else if (layer.kernel.words) {
    WordWeights words = WinogradWords(weights, layer.kernel.edge, columns);
    layer.weights = std::move(words.words);
    layer.position_scales = std::move(words.position_scales);
    layer.column_scales = std::move(words.column_scales);
  } else {
    layer.weights = WinogradWeights(weights, layer.kernel.edge, columns);
  }
  std::span<const float> bias;
  if (s.bias_offset != kNone) bias = {&plan.weights[s.bias_offset], y.channels};
  layer.bias = PaddedFloats(bias, weights.padded_cout, 0);
  layer.slopes = Slopes(plan, s, y.channels);
  layer.convolution = {weights.padded_cin, weights.padded_cout, layer.weights.data(),
                       {layer.bias.floats(), layer.slopes.floats(), s.scale, s.scale1, s.scale2, s.act_last != 0},
                       layer.position_scales.floats(), layer.column_scales.floats()};
  layers_.push_back(std::move(layer));
}

void Model::AddTail(const Plan& plan, const StepRecord* shuffle) {
  Require(!layers_.empty() && layers_.back().kind == Layer::Kind::kWinograd, "a model that does not end with a convolution");
  const Layer& last = layers_.back();
  const Tensor& written = tensors_[last.output];
  scale_ = tensors_[plan.outputs[0].tensor].scale;
  if (shuffle == nullptr) {
    Require(written.channels == 3 && plan.outputs[0].tensor == last.output, "an output that is not an RGB image");
    return;
  }
  shuffle_ = shuffle->factor;
  adds_input_ = shuffle->residual1 != kNone;
  Require(shuffle->input == last.output && shuffle->scale == 1 && shuffle->activation == Activation::kNone &&
              shuffle->residual2 == kNone && written.channels == 3 * shuffle_ * shuffle_ && written.scale == 1,
          "a last layer other than a plain depth-to-space of the last convolution");
  Require(!adds_input_ || (shuffle->residual1 == 0 && shuffle->scale1 == 1), "a sum in the last layer other than with the input");
}

}  // namespace framekiln::cpu
