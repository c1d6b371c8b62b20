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

FK_DEVICE float Activate(float value, int channel, const DeviceEpilogue& e) {
  switch (e.activation) {
    case DeviceActivation::kNone: return value;
    case DeviceActivation::kLeakyRelu: return value < 0 ? value * e.slope : value;
    case DeviceActivation::kPRelu: return value < 0 ? value * e.slopes[channel] : value;
    case DeviceActivation::kSigmoid: return 1 / (1 + Exponential(-value));
  }
  return value;
}

FK_DEVICE void AddResidual(float (&values)[8], const Tensor& residual, float scale, size_t pixel, int channel) {
  if (residual.data == nullptr || channel >= residual.channels) return;
  float terms[8];
  Unpack(AsVec4(residual.data + pixel * residual.pitch + channel), terms);
  FK_UNROLL
  for (int i = 0; i < 8; i++) {
    if (channel + i < residual.channels) values[i] += scale * terms[i];
  }
}

// What comes after `act(sum + bias) * scale` (or, with act_last, after `(sum + bias) * scale`) for eight channels.
FK_DEVICE void FinishEight(float (&values)[8], const DeviceEpilogue& e, size_t pixel, int channel) {
  AddResidual(values, e.residual1, e.scale1, pixel, channel);
  AddResidual(values, e.residual2, e.scale2, pixel, channel);
  if (!e.act_last) return;
  FK_UNROLL
  for (int i = 0; i < 8; i++) values[i] = Activate(values[i], channel + i, e);
}

// The first half of the epilogue.
FK_DEVICE float BeginEpilogue(float sum, int channel, const DeviceEpilogue& e) {
  const float value = e.bias == nullptr ? sum : sum + e.bias[channel];
  return (e.act_last ? value : Activate(value, channel, e)) * e.scale;
}

}  // namespace framekiln::kernels
