#include "tests.h"

#include <chrono>
#include <iostream>

#include "fixture.h"

namespace framekiln::tests {

uint64_t FreshSeed() {
  std::random_device device;
  return device();
}

int RunAll(uint64_t seed) {
  std::cout << "seed " << seed << std::endl;
#ifdef __CUDACC__
  std::string reason;
  if (engine::DescribeDevices(reason).empty()) {
    std::cout << "no tests were run: " << reason << std::endl;
    return 1;
  }
#else
  emulator::Seed(seed);
#endif
  int passed = 0, failed = 0;
  std::vector<Group> groups = KernelTests();
  for (Group& group : PlanTests()) groups.push_back(std::move(group));
  for (const Group& group : groups) {
    Random random(seed);
    const auto begin = std::chrono::steady_clock::now();
    std::string failure;
    try {
      group.run(random);
      passed++;
    } catch (const std::exception& error) {
      failure = error.what();
      failed++;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << (failure.empty() ? "ok      " : "FAILED  ") << group.name << " (" << static_cast<int>(took.count() * 1e3)
              << " ms)" << (failure.empty() ? "" : ": ") << failure << std::endl;
  }
  std::cout << passed << " passed, " << failed << " failed" << std::endl;
  return failed == 0 ? 0 : 1;
}

TestEpilogue::TestEpilogue(Random& random, uint32_t height, uint32_t width, uint32_t channels, bool may_add) {
  const auto coin = [&] { return Between(random, 0, 1) == 1; };
  reference_.scale = coin() ? 1.0f : 0.2f;
  const uint32_t count = may_add ? Between(random, 0, 2) : 0;
  residuals_.reserve(count);
  for (uint32_t i = 0; i < count; i++) {
    // Sometimes with fewer channels than the sum, and among other tensors in its slot.
    const uint32_t some = coin() ? channels : Between(random, 1, channels);
    residuals_.emplace_back(height, width, some, (some + 7) / 8 * 8 + 16, 8);
    residuals_.back().Randomise(random);
    residuals_.back().Upload();
    images_.push_back(residuals_.back().Reference());
  }
  if (count > 0) {
    reference_.residual1 = &images_[0];
    reference_.scale1 = coin() ? 1.0f : 0.5f;
    device_.residual1 = residuals_[0].OnDevice();
  }
  if (count > 1) {
    reference_.residual2 = &images_[1];
    reference_.scale2 = 0.25f;
    device_.residual2 = residuals_[1].OnDevice();
  }
  reference_.activation = static_cast<Activation>(Between(random, 0, 3));
  reference_.slope = coin() ? 0.0f : 0.2f;
  reference_.act_last = coin();
  slopes_ = RandomHalves(random, channels, 0, 1);
  reference_.slopes = slopes_.data();
  std::vector<float> padded = slopes_;
  padded.resize((channels + 7) / 8 * 8, 0);
  device_slopes_ = Uploaded(padded);

  device_.slopes = reinterpret_cast<const float*>(device_slopes_.data());
  device_.scale = reference_.scale;
  device_.scale1 = reference_.scale1;
  device_.scale2 = reference_.scale2;
  device_.slope = reference_.slope;
  device_.activation = static_cast<kernels::DeviceActivation>(reference_.activation);
  device_.act_last = reference_.act_last;
}

void TestEpilogue::SetBias(Random& random, uint32_t channels) {
  bias_ = RandomHalves(random, channels);
  std::vector<float> padded = bias_;
  padded.resize((channels + 7) / 8 * 8, 0);
  device_bias_ = Uploaded(padded);
  device_.bias = reinterpret_cast<const float*>(device_bias_.data());
}

}  // namespace framekiln::tests
