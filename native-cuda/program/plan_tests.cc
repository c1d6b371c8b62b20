#include <algorithm>
#include <thread>
#include <utility>

#include "../engine/runner.h"
#include "../reference/execute.h"
#include "../reference/image.h"
#include "fixture.h"

namespace framekiln::tests {
namespace {

using engine::FrameSpec;
using engine::Runner;

// A small model as SRVGG is built: convolutions with PReLU, then depth to space over the upscaled input.
Plan SmallModel(Random& random, uint32_t layers, uint32_t factor) {
  Plan plan;
  const auto weights = [&](size_t count, float bound) {
    const auto offset = static_cast<uint32_t>(plan.weights.size());
    const std::vector<float> values = RandomHalves(random, count, -bound, bound);
    plan.weights.insert(plan.weights.end(), values.begin(), values.end());
    return offset;
  };
  plan.tensors.push_back({0, 8, 0, 3});
  for (uint32_t i = 0; i <= layers; i++) {
    const bool last = i == layers;
    const uint32_t cin = i == 0 ? 3 : 64, cout = last ? 3 * factor * factor : 64;
    plan.tensors.push_back({1 + i % 2, (cout + 7) / 8 * 8, 0, cout});
    StepRecord s{};
    s.op = Op::kConv;
    s.input = i;
    s.output = i + 1;
    s.residual1 = s.residual2 = kNone;
    s.scale = s.scale1 = s.scale2 = 1;
    s.activation = last ? Activation::kNone : Activation::kPRelu;
    s.kernel_h = s.kernel_w = 3;
    s.stride_h = s.stride_w = s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = s.groups = 1;
    s.weight_offset = weights(size_t{cout} * 9 * cin, std::sqrt(3.0f / (9.0f * static_cast<float>(cin))) * (last ? 0.2f : 1));
    s.bias_offset = weights(cout, 0.05f);
    s.slope_offset = last ? kNone : weights(cout, 0.5f);
    plan.steps.push_back(s);
  }
  plan.tensors.push_back({3, 8, 0, 3});
  StepRecord tail{};
  tail.op = Op::kDepthToSpace;
  tail.input = layers + 1;
  tail.output = layers + 2;
  tail.residual1 = 0;
  tail.residual2 = kNone;
  tail.scale = tail.scale1 = tail.scale2 = 1;
  tail.factor = factor;
  tail.weight_offset = tail.bias_offset = tail.slope_offset = kNone;
  plan.steps.push_back(tail);
  plan.outputs.push_back({layers + 2, OutputLayout::kImage, 0});
  plan.slots = 4;
  return plan;
}

double Psnr(const std::vector<float>& found, const std::vector<float>& wanted, float& largest) {
  double squares = 0;
  largest = 0;
  for (size_t i = 0; i < wanted.size(); i++) {
    const float difference = std::fabs(found[i] - wanted[i]);
    Require(difference == difference, "a result is NaN");
    squares += static_cast<double>(difference) * difference;
    largest = std::max(largest, difference);
  }
  return squares == 0 ? 200 : -10 * std::log10(squares / static_cast<double>(wanted.size()));
}

void WholeModelTest(Random& random) {
  for (const uint32_t factor : {2u, 4u}) {
    const Size size{Between(random, 1, 30), Between(random, 1, 50)};
    const Plan plan = SmallModel(random, 4, factor);
    const std::vector<float> input = RandomHalves(random, size_t{size.height} * size.width * 3, 0, 1);
    Runner runner(plan, 0);
    Require(runner.model().scale() == factor, "the model's scale was not detected");
    float largest = 0;
    const double psnr = Psnr(runner.Run(input, size)[0].data, reference::Execute(plan, input, size)[0].data, largest);
    Require(psnr >= 50, "PSNR " + std::to_string(psnr) + " dB");
    Require(largest <= 2.0f / 255, "largest difference " + std::to_string(largest));
  }
}

// If tiles overlap by the number of 3x3 layers, their pixels have the same inputs as in the whole frame, so the results
// are the same halves.
void TilingTest(Random& random) {
  const uint32_t layers = 3, factor = 2;
  const Plan plan = SmallModel(random, layers, factor);
  Runner runner(plan, 0);
  for (const ImageFormat format : {ImageFormat::kRgb24, ImageFormat::kRgb48, ImageFormat::kYuv420p}) {
    const Size size{Between(random, 20, 45), Between(random, 20, 60)};
    const ImageLayout layout{format, YuvMatrix::kBt709, false};
    const std::vector<float> values = RandomHalves(random, size_t{size.height} * size.width * 3, 0, 1);
    const std::vector<unsigned char> input =
        reference::WriteImage({values.begin(), values.end()}, layout, int(size.height), int(size.width));
    std::vector<unsigned char> whole(ImageBytes(format, size.width * factor, size.height * factor)), tiled(whole);
    // One pixel more than the layers, for the chroma that is read and written next to a core.
    FrameSpec spec{size, layout, layout, 0, layers + 2};
    runner.Upscale(spec, std::as_bytes(std::span(input)), std::as_writable_bytes(std::span(whole)));
    spec.tile = 16;
    runner.Upscale(spec, std::as_bytes(std::span(input)), std::as_writable_bytes(std::span(tiled)));
    Require(whole == tiled, "tiles and the whole frame differ in format " + std::to_string(int(format)));
  }
}

// Cores are even in length and in number, cover the frame once, and lie in windows of one size with all of their overlap.
void EvenTilesTest(Random& random) {
  const engine::Tiling full_hd = engine::PlanTiles({1080, 1920}, 1000, 80);
  Require(full_hd.tiles.size() == 4 && full_hd.window.height == 620 && full_hd.window.width == 1040,
          "1080p is not divided evenly");
  for (int i = 0; i < 200; i++) {
    const Size frame{Between(random, 1, 300), Between(random, 1, 300)};
    const uint32_t edge = Between(random, 1, 320), overlap = Between(random, 0, 40);
    const engine::Tiling tiling = engine::PlanTiles(frame, edge, overlap);
    std::vector<int> covered(size_t{frame.height} * frame.width, 0);
    for (const engine::Tile& t : tiling.tiles) {
      const uint32_t bottom = t.core_top + t.core_height, right = t.core_left + t.core_width;
      Require(t.core_top % 2 == 0 && t.core_left % 2 == 0, "a core begins between two chroma samples");
      Require(t.window_top + tiling.window.height <= frame.height && t.window_left + tiling.window.width <= frame.width &&
                  t.window_top + overlap <= std::max(t.core_top, overlap) &&
                  t.window_left + overlap <= std::max(t.core_left, overlap) &&
                  std::min(bottom + overlap, frame.height) <= t.window_top + tiling.window.height &&
                  std::min(right + overlap, frame.width) <= t.window_left + tiling.window.width,
              "a window lacks a part of its overlap");
      for (uint32_t y = t.core_top; y < bottom; y++) {
        for (uint32_t x = t.core_left; x < right; x++) covered[size_t{y} * frame.width + x]++;
      }
    }
    Require(std::count(covered.begin(), covered.end(), 1) == static_cast<int>(covered.size()),
            "cores do not cover the frame exactly once");
  }
}

#ifndef __CUDACC__
// A GPU with too little memory processes fewer frames at once, then reports it; the images stay the same.
void MemoryTest(Random& random) {
  const Size size{48, 64};
  const ImageLayout layout;
  const std::vector<float> values = RandomHalves(random, size_t{size.height} * size.width * 3, 0, 1);
  const std::vector<unsigned char> input =
      reference::WriteImage({values.begin(), values.end()}, layout, int(size.height), int(size.width));
  Runner runner(SmallModel(random, 2, 2), 0);
  const auto upscale = [&](uint32_t tile) {
    std::vector<unsigned char> output(input.size() * 4);
    runner.Upscale({size, layout, layout, tile, 4}, std::as_bytes(std::span(input)),
                   std::as_writable_bytes(std::span(output)));
    return output;
  };
  const size_t before = engine::TotalBytes();
  const std::vector<unsigned char> wanted = upscale(64);
  // Memory for the weights and one and a half workspaces; the other lanes are retired.
  const size_t one = runner.model().WorkspaceBytes(size);
  const size_t weights = runner.model().plan().weights.size() * sizeof(float);
  engine::SetTotalBytes(weights + one * 3 / 2);
  std::vector<std::vector<unsigned char>> found(5);
  std::vector<std::thread> threads;
  for (auto& output : found) threads.emplace_back([&] { output = upscale(64); });
  for (std::thread& thread : threads) thread.join();
  engine::SetTotalBytes(weights + one / 4);
  bool rejected = false;
  try {
    upscale(48);
  } catch (const engine::DeviceError& error) {
    rejected = error.failure == engine::Failure::kOutOfMemory;
  }
  const std::vector<unsigned char> tiled = upscale(16);
  engine::SetTotalBytes(before);
  for (const auto& output : found) Require(output == wanted, "a frame differs when memory is short");
  Require(rejected, "running out of memory was not reported");
  Require(tiled == wanted, "smaller tiles change the image");
}
#endif

void DamagedPlanTest(Random& random) {
  // A plan with each word of its head damaged in turn must be read or rejected, never crash.
  const Plan plan = SmallModel(random, 1, 2);
  std::vector<uint32_t> words = {0x4c504b46u, kPlanVersion, 1, uint32_t(plan.tensors.size()),
                                 uint32_t(plan.steps.size()), uint32_t(plan.outputs.size()),
                                 uint32_t(plan.weights.size())};
  const auto append = [&](const void* data, size_t bytes) {
    const auto* from = static_cast<const uint32_t*>(data);
    words.insert(words.end(), from, from + bytes / 4);
  };
  append(plan.tensors.data(), plan.tensors.size() * sizeof(TensorRecord));
  append(plan.steps.data(), plan.steps.size() * sizeof(StepRecord));
  append(plan.outputs.data(), plan.outputs.size() * sizeof(OutputRecord));
  const size_t head = words.size();
  append(plan.weights.data(), plan.weights.size() * sizeof(float));
  ReadPlan(std::as_bytes(std::span(words)));
  int rejected = 0;
  for (size_t i = 0; i < head; i++) {
    for (const uint32_t value : {0u, 1u, 7u, 0x7fffffffu, kNone, uint32_t(random())}) {
      const uint32_t before = std::exchange(words[i], value);
      try {
        const Plan damaged = ReadPlan(std::as_bytes(std::span(words)));
        reference::Execute(damaged, std::vector<float>(size_t{damaged.tensors[0].channels} * 25), {5, 5});
      } catch (const PlanError&) {
        rejected++;
      }
      words[i] = before;
    }
  }
  Require(rejected > 100, "only " + std::to_string(rejected) + " damaged plans were rejected");
  words.pop_back();
  try {
    ReadPlan(std::as_bytes(std::span(words)));
    throw TestFailure("a truncated plan was read");
  } catch (const PlanError&) {
  }
}

}  // namespace

std::vector<Group> PlanTests() {
  return {{"a whole model against float32", WholeModelTest},
          {"tiles against the whole frame", TilingTest},
          {"even tiles", EvenTilesTest},
#ifndef __CUDACC__
          {"a GPU with too little memory", MemoryTest},
#endif
          {"damaged plans", DamagedPlanTest}};
}

}  // namespace framekiln::tests
