// Images in device memory and what happens to a sum before it is stored. Halves, NHWC; the references in float32 are in
// reference/layers.h.
#pragma once

#include "device.cuh"

namespace framekiln::kernels {

// `data` is the first channel of the first pixel, at an address that 16 divides; so is every pixel's, because pitches
// and offsets are multiples of 8 channels. Channels from `channels` up to the next multiple of 8 are padding: kernels
// may write them, and must not let them reach a result.
struct Tensor {
  uint16_t* data = nullptr;
  int height = 0;
  int width = 0;
  int pitch = 0;
  int channels = 0;
};

enum class DeviceActivation : int { kNone = 0, kLeakyRelu = 1, kPRelu = 2, kSigmoid = 3 };

// y = act(sum + bias) * scale + scale1 * residual1 + scale2 * residual2; act_last: act of the whole.
struct DeviceEpilogue {
  const float* bias = nullptr;    // [channels, rounded up to 8] or null
  const float* slopes = nullptr;  // [channels, rounded up to 8] of kPRelu
  Tensor residual1;               // data null: there is none.
  Tensor residual2;
  float scale = 1;
  float scale1 = 1;
  float scale2 = 1;
  float slope = 0;
  DeviceActivation activation = DeviceActivation::kNone;
  bool act_last = false;
};

FK_DEVICE float Sigmoid(float value) { return 1 / (1 + Exponential(-value)); }

// Slope of negative values; 1 where the activation is not a bend at zero.
FK_DEVICE float SlopeOf(int channel, const DeviceEpilogue& e) {
  if (e.activation == DeviceActivation::kPRelu) return LoadConstant(e.slopes + channel);
  return e.activation == DeviceActivation::kLeakyRelu ? e.slope : 1;
}

FK_DEVICE float Activate(float value, int channel, const DeviceEpilogue& e) {
  if (e.activation == DeviceActivation::kSigmoid) return Sigmoid(value);
  return value < 0 ? value * SlopeOf(channel, e) : value;
}

// The first half of the epilogue, `act(sum + bias) * scale`, in a form without branches for each value: a factor of values
// from 0 on, and one of those below.
struct Beginning {
  const float* bias;    // null: 0
  const float* slopes;  // null: `slope`
  float slope, scale;
  bool sigmoid;
};

FK_DEVICE Beginning BeginningOf(const DeviceEpilogue& e) {
  const bool bends = !e.act_last;
  return {e.bias, bends && e.activation == DeviceActivation::kPRelu ? e.slopes : nullptr,
          bends && e.activation == DeviceActivation::kLeakyRelu ? e.slope : 1, e.scale,
          bends && e.activation == DeviceActivation::kSigmoid};
}

// What it needs of a channel and the next, in registers for all of their pixels. The channel is even; `there`: it, or a
// padding channel beside it, exists.
struct PairConstants {
  float bias[2] = {0, 0};
  float below[2];
};

FK_DEVICE PairConstants ConstantsOf(int channel, bool there, const Beginning& b) {
  PairConstants c;
  if (there && b.bias != nullptr) LoadConstants(b.bias + channel, c.bias);
  c.below[0] = c.below[1] = b.slope;
  if (there && b.slopes != nullptr) LoadConstants(b.slopes + channel, c.below);
  c.below[0] *= b.scale;
  c.below[1] *= b.scale;
  return c;
}

FK_DEVICE float Begin(float sum, float bias, float above, float below) {
  const float value = sum + bias;
  return value * (value < 0 ? below : above);
}

FK_DEVICE void AddResidual(float (&values)[8], const Tensor& residual, float scale, size_t pixel, int channel) {
  if (residual.data == nullptr || channel >= residual.channels) return;
  float terms[8];
  Unpack(AsVec4(residual.data + pixel * residual.pitch + channel), terms);
  FK_UNROLL
  for (int i = 0; i < 8; i++) values[i] += channel + i < residual.channels ? scale * terms[i] : 0;
}

// What comes after `act(sum + bias) * scale` (or, with act_last, after `(sum + bias) * scale`) for eight channels.
FK_DEVICE void FinishEight(float (&values)[8], const DeviceEpilogue& e, size_t pixel, int channel) {
  AddResidual(values, e.residual1, e.scale1, pixel, channel);
  AddResidual(values, e.residual2, e.scale2, pixel, channel);
  if (!e.act_last) return;
  if (e.activation == DeviceActivation::kSigmoid) {
    FK_UNROLL
    for (int i = 0; i < 8; i++) values[i] = Sigmoid(values[i]);
    return;
  }
  FK_UNROLL
  for (int i = 0; i < 8; i++) values[i] = values[i] < 0 ? values[i] * SlopeOf(channel + i, e) : values[i];
}

// The first half of the epilogue.
FK_DEVICE float BeginEpilogue(float sum, int channel, const DeviceEpilogue& e) {
  const float value = e.bias == nullptr ? sum : sum + e.bias[channel];
  return (e.act_last ? value : Activate(value, channel, e)) * e.scale;
}

}  // namespace framekiln::kernels
