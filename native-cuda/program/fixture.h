// Random tensors on the host and on the device, and their comparison.
#pragma once

#include <cstring>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../engine/device.h"
#include "../kernels/tensor.cuh"
#include "../reference/layers.h"

namespace framekiln::tests {

using Random = std::mt19937_64;

struct Group {
  std::string name;
  std::function<void(Random&)> run;  // Throws TestFailure.
};
std::vector<Group> KernelTests();
std::vector<Group> PlanTests();

class TestFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void Require(bool fine, const std::string& what) {
  if (!fine) throw TestFailure(what);
}

inline uint32_t Between(Random& random, uint32_t low, uint32_t high) {
  return std::uniform_int_distribution<uint32_t>(low, high)(random);
}

// Floats that are exactly representable as halves.
inline std::vector<float> RandomHalves(Random& random, size_t count, float low = -1, float high = 1) {
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(count);
  for (float& value : values) value = HalfToFloat(FloatToHalf(uniform(random)));
  return values;
}

// A slot with one tensor in it, as floats for the references and as halves on the device. Everything outside the tensor
// is poison (NaN) and must stay so.
class TestTensor {
 public:
  TestTensor(uint32_t height, uint32_t width, uint32_t channels, uint32_t pitch = 0, uint32_t offset = 0)
      : height_(height),
        width_(width),
        channels_(channels),
        pitch_(pitch == 0 ? (offset + channels + 7) / 8 * 8 : pitch),
        offset_(offset),
        floats_(size_t{height} * width * pitch_, std::numeric_limits<float>::quiet_NaN()),
        memory_(floats_.size() * sizeof(uint16_t), "a test's tensor") {}

  void Randomise(Random& random) {
    const std::vector<float> values = RandomHalves(random, size_t{height_} * width_ * channels_);
    const reference::Image image = Reference();
    size_t next = 0;
    for (uint32_t y = 0; y < height_; y++) {
      for (uint32_t x = 0; x < width_; x++) {
        for (uint32_t c = 0; c < channels_; c++) image.At(y, x, c) = values[next++];
      }
    }
  }

  // Copies the floats to the device.
  void Upload() {
    std::vector<uint16_t> halves(floats_.size());
    for (size_t i = 0; i < halves.size(); i++) halves[i] = FloatToHalf(floats_[i]);
    const engine::DeviceStream stream;
    engine::CopyToDevice(memory_.data(), halves.data(), halves.size() * 2, stream.get());
    stream.Wait("a test's upload");
  }

  reference::Image Reference() { return {floats_.data() + offset_, height_, width_, pitch_, channels_}; }
  kernels::Tensor OnDevice() const {
    return {reinterpret_cast<uint16_t*>(memory_.data()) + offset_, static_cast<int>(height_), static_cast<int>(width_),
            static_cast<int>(pitch_), static_cast<int>(channels_)};
  }

  // Compares the results of the device and of the reference. Tolerance: `absolute` plus `relative` times the value.
  void Compare(const std::string& what, float absolute = 1e-3f, float relative = 1.0f / 512) {
    std::vector<uint16_t> halves(floats_.size());
    const engine::DeviceStream stream;
    engine::CopyToHost(halves.data(), memory_.data(), halves.size() * 2, stream.get());
    stream.Wait("a test's download");
    for (size_t i = 0; i < halves.size(); i++) {
      const uint32_t channel = static_cast<uint32_t>(i % pitch_);
      const float found = HalfToFloat(halves[i]);
      if (channel < offset_ || channel >= offset_ + (channels_ + 7) / 8 * 8) {
        Require(std::isnan(found), what + ": a channel outside the tensor was written");
      } else if (channel < offset_ + channels_) {
        const float difference = std::fabs(found - floats_[i]);
        // Written so that NaN fails.
        if (!(difference <= absolute + relative * std::fabs(floats_[i]))) {
          throw TestFailure(what + ": " + std::to_string(found) + " instead of " + std::to_string(floats_[i]) +
                            " at pixel " + std::to_string(i / pitch_) + ", channel " +
                            std::to_string(channel - offset_));
        }
      }
    }
  }

 private:
  uint32_t height_, width_, channels_, pitch_, offset_;
  std::vector<float> floats_;
  engine::DeviceMemory memory_;
};

template <typename T>
engine::DeviceMemory Uploaded(const std::vector<T>& values) {
  engine::DeviceMemory memory(values.size() * sizeof(T), "a test's numbers");
  const engine::DeviceStream stream;
  engine::CopyToDevice(memory.data(), values.data(), values.size() * sizeof(T), stream.get());
  stream.Wait("a test's upload");
  return memory;
}

// The same random epilogue for the device and for its reference.
class TestEpilogue {
 public:
  TestEpilogue(Random& random, uint32_t height, uint32_t width, uint32_t channels, bool may_add);

  reference::Epilogue& Reference() { return reference_; }
  const kernels::DeviceEpilogue& OnDevice() const { return device_; }
  void SetBias(Random& random, uint32_t channels);
  const float* bias() const { return bias_.empty() ? nullptr : bias_.data(); }

 private:
  std::vector<TestTensor> residuals_;
  std::vector<reference::Image> images_;
  std::vector<float> slopes_, bias_;
  engine::DeviceMemory device_slopes_, device_bias_;
  reference::Epilogue reference_;
  kernels::DeviceEpilogue device_;
};

}  // namespace framekiln::tests
