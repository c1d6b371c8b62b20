#include "tests.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>

#include "../../native-cuda/reference/execute.h"
#include "../engine/dispatch.h"
#include "../engine/runner.h"

namespace framekiln::cpu {
namespace {

using Random = std::mt19937_64;

struct TestFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};
void Require(bool fine, const std::string& what) {
  if (!fine) throw TestFailure(what);
}

uint32_t Between(Random& random, uint32_t least, uint32_t most) {
  return std::uniform_int_distribution<uint32_t>(least, most)(random);
}
std::vector<float> Numbers(Random& random, size_t count, float least, float most) {
  std::vector<float> numbers(count);
  for (float& number : numbers) number = std::uniform_real_distribution<float>(least, most)(random);
  return numbers;
}

// Builds plans as the compiler of src/inference/plan does.
class PlanBuilder {
 public:
  explicit PlanBuilder(Random& random) : random_(random) { Tensor(0, 8, 0, 3); }

  uint32_t Tensor(uint32_t slot, uint32_t pitch, uint32_t offset, uint32_t channels) {
    plan_.tensors.push_back({slot, pitch, offset, channels});
    plan_.slots = std::max(plan_.slots, slot + 1);
    return static_cast<uint32_t>(plan_.tensors.size() - 1);
  }
  StepRecord& Convolution(uint32_t input, uint32_t output) {
    StepRecord s = Plain(Op::kConv, input, output);
    const uint32_t cin = plan_.tensors[input].channels, cout = plan_.tensors[output].channels;
    s.kernel_h = s.kernel_w = 3;
    s.stride_h = s.stride_w = s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = s.groups = 1;
    s.weight_offset = Weights(size_t{cout} * 9 * cin, std::sqrt(3.0f / (9.0f * static_cast<float>(cin))));
    s.bias_offset = Between(random_, 0, 3) == 0 ? kNone : Weights(cout, 0.1f);
    switch (Between(random_, 0, 2)) {
      case 0: break;
      case 1:
        s.activation = Activation::kLeakyRelu;
        s.slope = 0.2f;
        break;
      default:
        s.activation = Activation::kPRelu;
        s.slope_offset = Weights(cout, 0.5f);
    }
    plan_.steps.push_back(s);
    return plan_.steps.back();
  }
  StepRecord& Step(Op op, uint32_t input, uint32_t output, uint32_t factor) {
    StepRecord s = Plain(op, input, output);
    s.factor = factor;
    plan_.steps.push_back(s);
    return plan_.steps.back();
  }
  Plan Finish(uint32_t output) {
    plan_.outputs.push_back({output, OutputLayout::kImage, 0});
    return plan_;
  }

 private:
  static StepRecord Plain(Op op, uint32_t input, uint32_t output) {
    StepRecord s{};
    s.op = op;
    s.input = input;
    s.output = output;
    s.residual1 = s.residual2 = kNone;
    s.scale = s.scale1 = s.scale2 = 1;
    s.weight_offset = s.bias_offset = s.slope_offset = kNone;
    return s;
  }
  uint32_t Weights(size_t count, float bound) {
    const auto offset = static_cast<uint32_t>(plan_.weights.size());
    const std::vector<float> numbers = Numbers(random_, count, -bound, bound);
    plan_.weights.insert(plan_.weights.end(), numbers.begin(), numbers.end());
    return offset;
  }

  Random& random_;
  Plan plan_;
};

uint32_t RoundUp8(uint32_t channels) { return (channels + 7) / 8 * 8; }

// Convolutions one after the other, then depth to space over the repeated input.
Plan CompactModel(Random& random, uint32_t layers, uint32_t channels, uint32_t factor) {
  PlanBuilder builder(random);
  uint32_t tensor = 0;
  for (uint32_t i = 0; i < layers; i++) {
    const uint32_t next = builder.Tensor(1 + i % 2, RoundUp8(channels), 0, channels);
    builder.Convolution(tensor, next);
    tensor = next;
  }
  const uint32_t last = 3 * factor * factor;
  const uint32_t wide = builder.Tensor(1 + layers % 2, RoundUp8(last), 0, last);
  builder.Convolution(tensor, wide).activation = Activation::kNone;
  const uint32_t output = builder.Tensor(3, 8, 0, 3);
  StepRecord& tail = builder.Step(Op::kDepthToSpace, wide, output, factor);
  if (Between(random, 0, 3) > 0) tail.residual1 = 0;
  return builder.Finish(output);
}

// Growing concatenations with sums, then resizing, as in an RRDB model.
Plan GrowingModel(Random& random) {
  constexpr uint32_t kBase = 64, kGrowth = 32;
  PlanBuilder builder(random);
  const uint32_t first = builder.Tensor(1, kBase + 2 * kGrowth, 0, kBase);
  const uint32_t one = builder.Tensor(1, kBase + 2 * kGrowth, kBase, kGrowth);
  const uint32_t first_two = builder.Tensor(1, kBase + 2 * kGrowth, 0, kBase + kGrowth);
  const uint32_t two = builder.Tensor(1, kBase + 2 * kGrowth, kBase + kGrowth, kGrowth);
  const uint32_t all = builder.Tensor(1, kBase + 2 * kGrowth, 0, kBase + 2 * kGrowth);
  const uint32_t summed = builder.Tensor(2, kBase, 0, kBase);
  const uint32_t again = builder.Tensor(0, kBase, 0, kBase);
  // The same slots with other pitches.
  const uint32_t narrow = builder.Tensor(1, 16, 0, 16);
  const uint32_t wide = builder.Tensor(0, 2 * kBase, 0, 2 * kBase);
  const uint32_t plain = builder.Tensor(2, 32, 0, 32);
  const uint32_t large = builder.Tensor(1, 32, 0, 32);
  const uint32_t output = builder.Tensor(2, 8, 0, 3);
  builder.Convolution(0, first);
  builder.Convolution(first, one);
  builder.Convolution(first_two, two);
  StepRecord& sum = builder.Convolution(all, summed);
  sum.residual1 = first;
  sum.scale = 0.2f;
  sum.act_last = Between(random, 0, 1);
  StepRecord& sums = builder.Convolution(summed, again);
  sums.residual1 = summed;
  sums.residual2 = first;
  sums.scale1 = 0.3f;
  sums.scale2 = -0.7f;
  builder.Convolution(again, narrow);
  builder.Convolution(narrow, wide);
  builder.Convolution(wide, plain);
  builder.Step(Op::kResizeNearest, plain, large, 2);
  builder.Convolution(large, output).activation = Activation::kNone;
  return builder.Finish(output);
}

double Psnr(const std::vector<float>& found, const std::vector<float>& wanted) {
  Require(found.size() == wanted.size(), "another number of results");
  double squares = 0;
  for (size_t i = 0; i < wanted.size(); i++) {
    const double difference = double{found[i]} - wanted[i];
    Require(difference == difference, "a result is NaN");
    squares += difference * difference;
  }
  return squares == 0 ? 200 : -10 * std::log10(squares / static_cast<double>(wanted.size()));
}

std::vector<float> Planes(Runner& runner, const std::vector<float>& input, Size size) {
  const uint32_t scale = runner.model().scale();
  // Numbers around the result show what is written outside of it.
  std::vector<float> output(input.size() * scale * scale + 64, -77);
  const Area all{0, 0, size.height, size.width};
  runner.Upscale({PixelFormat::kPlanes, size, all, all}, input.data(), output.data() + 32);
  for (size_t i = 0; i < 32; i++) Require(output[i] == -77 && output[output.size() - 1 - i] == -77, "a write outside of the result");
  return {output.begin() + 32, output.end() - 32};
}

Size RandomSize(Random& random) {
  switch (Between(random, 0, 5)) {
    case 0: return {1, 1};
    case 1: return {Between(random, 1, 3), Between(random, 1, 4097)};
    case 2: return {Between(random, 1, 300), Between(random, 1, 3)};
    default: return {Between(random, 1, 40), Between(random, 1, 70)};
  }
}

Plan RandomModel(Random& random) {
  if (Between(random, 0, 3) == 0) return GrowingModel(random);
  constexpr uint32_t kChannels[] = {8, 16, 24, 32, 48, 64, 80, 128};
  return CompactModel(random, Between(random, 1, 4), kChannels[Between(random, 0, 7)], Between(random, 1, 4));
}

void ReferenceTest(Random& random, const Kernels& kernels) {
  const Plan plan = RandomModel(random);
  const Size size = RandomSize(random);
  const std::vector<float> input = Numbers(random, size_t{3} * size.height * size.width, 0, 1);
  const std::vector<float> wanted = reference::Execute(plan, input, size)[0].data;
  Runner runner(plan, kernels, Precision::kExact, Between(random, 1, 9));
  const double psnr = Psnr(Planes(runner, input, size), wanted);
  Require(psnr >= 100, std::to_string(size.width) + "x" + std::to_string(size.height) + ": PSNR " + std::to_string(psnr) + " dB");
}

constexpr Precision kPrecisions[] = {Precision::kExact, Precision::kBalanced, Precision::kFast};

// Random weights and noise are harder than models and images: of 1,300 random models, the worst was at 53 dB. Models and
// images are in docs/decisions/0050-cpu-engine.md.
void WordsTest(Random& random, const Kernels& kernels) {
  const Plan plan = RandomModel(random);
  const Size size = RandomSize(random);
  const std::vector<float> input = Numbers(random, size_t{3} * size.height * size.width, 0, 1);
  const std::vector<float> wanted = reference::Execute(plan, input, size)[0].data;
  for (const Precision precision : {Precision::kBalanced, Precision::kFast}) {
    Runner runner(plan, kernels, precision, Between(random, 1, 9));
    const double psnr = Psnr(Planes(runner, input, size), wanted);
    Require(psnr >= 48, std::to_string(size.width) + "x" + std::to_string(size.height) + ": PSNR " + std::to_string(psnr) + " dB");
  }
}

// Sums of products are as large as they can be, and of one sign.
void OverflowTest(Random& random, const Kernels& kernels) {
  Plan plan = CompactModel(random, 2, 64, 2);
  const StepRecord& body = plan.steps[1];
  for (uint32_t i = 0; i < 64 * 9 * 64; i++) plan.weights[body.weight_offset + i] = 1.0f / 576;
  const StepRecord& first = plan.steps[0];
  for (uint32_t i = 0; i < 64 * 9 * 3; i++) plan.weights[first.weight_offset + i] = 1;
  const Size size{20, 20};
  const std::vector<float> input(3 * 400, 1);
  const std::vector<float> wanted = reference::Execute(plan, input, size)[0].data;
  float largest = 1;
  for (const float value : wanted) largest = std::max(largest, std::fabs(value));
  for (const Precision precision : kPrecisions) {
    Runner runner(plan, kernels, precision, 2);
    const std::vector<float> found = Planes(runner, input, size);
    for (size_t i = 0; i < found.size(); i++)
      Require(std::fabs(found[i] - wanted[i]) < 0.002f * largest, "a sum of products overflowed");
  }
}

void ThreadsTest(Random& random, const Kernels& kernels) {
  const Plan plan = RandomModel(random);
  const Size size = RandomSize(random);
  const std::vector<float> input = Numbers(random, size_t{3} * size.height * size.width, 0, 1);
  const Precision precision = kPrecisions[Between(random, 0, 2)];
  Runner alone(plan, kernels, precision, 1);
  const std::vector<float> wanted = Planes(alone, input, size);
  for (uint32_t threads = 2; threads <= 9; threads++) {
    Runner runner(plan, kernels, precision, threads);
    for (int i = 0; i < 3; i++)
      Require(Planes(runner, input, size) == wanted, "another result with " + std::to_string(threads) + " threads");
  }
}

// A window that contains all that affects its core gives the pixels of the whole frame within rounding: its tiles begin
// elsewhere. One whose tiles begin at the same pixels gives the same numbers.
void WindowTest(Random& random, const Kernels& kernels) {
  const uint32_t layers = Between(random, 1, 4);
  const Plan plan = CompactModel(random, layers, 16, Between(random, 1, 4));
  Runner runner(plan, kernels, Precision::kExact, Between(random, 1, 4));
  const uint32_t scale = runner.model().scale(), overlap = layers + 1;
  for (const PixelFormat format : {PixelFormat::kRgb24, PixelFormat::kRgb48}) {
    const uint32_t bytes = format == PixelFormat::kRgb24 ? 1 : 2;
    const Size size{Between(random, 1, 60), Between(random, 1, 90)};
    std::vector<uint8_t> input(size_t{3} * bytes * size.height * size.width);
    for (uint8_t& value : input) value = static_cast<uint8_t>(random());
    std::vector<uint8_t> whole(input.size() * scale * scale), tiled(whole);
    const Area all{0, 0, size.height, size.width};
    runner.Upscale({format, size, all, all}, input.data(), whole.data());
    const uint32_t edge = Between(random, 5, 30);
    for (uint32_t top = 0; top < size.height; top += edge) {
      for (uint32_t left = 0; left < size.width; left += edge) {
        const Area core{top, left, std::min(edge, size.height - top), std::min(edge, size.width - left)};
        const uint32_t y = core.top - std::min(core.top, overlap), x = core.left - std::min(core.left, overlap);
        const Area window{y, x, std::min(size.height, core.top + core.height + overlap) - y,
                          std::min(size.width, core.left + core.width + overlap) - x};
        runner.Upscale({format, size, window, core}, input.data(), tiled.data());
      }
    }
    for (size_t i = 0; i < whole.size(); i += bytes) {
      const int found = bytes == 1 ? tiled[i] : tiled[i] + tiled[i + 1] * 256;
      const int wanted = bytes == 1 ? whole[i] : whole[i] + whole[i + 1] * 256;
      Require(std::abs(found - wanted) <= (bytes == 1 ? 1 : 8), "windows and the whole frame differ");
    }
  }
}

void FormatsTest(Random& random, const Kernels& kernels) {
  const Plan plan = CompactModel(random, 2, 16, Between(random, 1, 4));
  Runner runner(plan, kernels, Precision::kExact, 2);
  const uint32_t scale = runner.model().scale();
  const Size size{Between(random, 1, 30), Between(random, 1, 30)};
  const size_t pixels = size_t{size.height} * size.width;
  const Area all{0, 0, size.height, size.width};
  std::vector<uint16_t> words(3 * pixels), upscaled(3 * pixels * scale * scale);
  for (uint16_t& value : words) value = static_cast<uint16_t>(random());
  std::vector<float> planes(words.size());
  for (size_t i = 0; i < words.size(); i++) planes[i % 3 * pixels + i / 3] = words[i] / 65535.0f;
  const std::vector<float> wanted = reference::Execute(plan, planes, size)[0].data;
  runner.Upscale({PixelFormat::kRgb48, size, all, all}, words.data(), upscaled.data());
  for (size_t i = 0; i < upscaled.size(); i++) {
    const double value = std::clamp(double{wanted[i % 3 * pixels * scale * scale + i / 3]}, 0.0, 1.0);
    Require(std::abs(value * 65535 - upscaled[i]) <= 8, "a component of 16 bits is wrong");
  }
}

void UnsupportedTest(Random& random, const Kernels& kernels) {
  const auto refused = [&](const std::function<void(Plan&)>& change) {
    Plan plan = CompactModel(random, 2, 16, 2);
    change(plan);
    try {
      const Model model(plan, kernels, Precision::kExact);
    } catch (const Unsupported&) {
      return;
    } catch (const PlanError&) {
      return;
    }
    throw TestFailure("a model that the engine cannot run was accepted");
  };
  refused([](Plan& plan) { plan.steps[1].kernel_h = plan.steps[1].kernel_w = 1; });
  refused([](Plan& plan) { plan.steps[1].stride_w = 2; });
  refused([](Plan& plan) { plan.steps[1].activation = Activation::kSigmoid; });
  refused([](Plan& plan) { plan.outputs[0].layout = OutputLayout::kRows; });
  refused([](Plan& plan) { plan.steps.pop_back(); });
  refused([](Plan& plan) { plan.steps[1].op = Op::kMaxPool; });
  refused([](Plan& plan) { plan.steps.back().scale = 2; });
}

// Samples of a random frame of YUV in double precision, before rounding.
std::vector<double> YuvInDoubles(const YuvConversion& c, const std::vector<uint16_t>& rgb) {
  const auto at = [&](int64_t row, int64_t column, int colour) {
    row = std::clamp<int64_t>(row, 0, c.height - 1), column = std::clamp<int64_t>(column, 0, c.width - 1);
    return static_cast<double>(rgb[(row * c.width + column) * 3 + colour]);
  };
  const auto luma = [&](int64_t row, int64_t column) {
    return double{c.red} * at(row, column, 0) + double{c.green} * at(row, column, 1) + double{c.blue} * at(row, column, 2);
  };
  // The cubic filter of swscale with B = 0 and C = 0.6, stretched to twice its length.
  const auto weight = [](double distance) {
    const double x = std::abs(distance) / 2;
    if (x < 1) return (1.4 * x - 2.4) * x * x + 1;
    return x < 2 ? ((-0.6 * x + 3) * x - 4.8) * x + 2.4 : 0.0;
  };
  std::vector<double> samples;
  for (uint32_t row = 0; row < c.height; row++)
    for (uint32_t column = 0; column < c.width; column++)
      samples.push_back(luma(row, column) * c.luma_scale + c.luma_offset);
  for (const int colour : {2, 0}) {
    const uint32_t step_x = c.halves_columns ? 2 : 1, step_y = c.halves_rows ? 2 : 1;
    for (uint32_t row = 0; row < c.height; row += step_y)
      for (uint32_t column = 0; column < c.width; column += step_x) {
        const double centre = c.halves_rows && c.between_rows ? 0.5 : 0;
        double sum = 0, weights = 0;
        for (int i = step_y == 1 ? 0 : -4; i <= (step_y == 1 ? 0 : 5); i++)
          for (int j = step_x == 1 ? 0 : -4; j <= (step_x == 1 ? 0 : 4); j++) {
            const double w = weight(i - centre) * weight(j);
            sum += w * (at(int64_t{row} + i, int64_t{column} + j, colour) - luma(int64_t{row} + i, int64_t{column} + j));
            weights += w;
          }
        samples.push_back(sum / weights * (colour == 2 ? c.u_scale : c.v_scale) + c.chroma_offset);
      }
  }
  return samples;
}

void YuvTest(Random& random, const Kernels& kernels) {
  YuvConversion c{};
  c.width = 2 * Between(random, 1, 70), c.height = 2 * Between(random, 1, 12);
  c.bytes = Between(random, 1, 2);
  c.halves_columns = Between(random, 0, 3) > 0;
  c.halves_rows = c.halves_columns && Between(random, 0, 3) > 0;
  c.between_rows = Between(random, 0, 1) == 0;
  const float white = c.bytes == 1 ? 255 : 65280, depth = c.bytes == 1 ? 1 : 4;
  c.red = 0.2126f, c.green = 0.7152f, c.blue = 0.0722f;
  c.luma_scale = 219 * depth / white, c.luma_offset = 16 * depth;
  c.u_scale = 224 * depth / white / 1.8556f, c.v_scale = 224 * depth / white / 1.5748f, c.chroma_offset = 128 * depth;
  c.largest = c.bytes == 1 ? 255 : 1023;
  std::vector<uint16_t> rgb(size_t{3} * c.width * c.height), yuv(YuvSamples(c)), plain(yuv.size());
  // Noise, with many of the darkest and the brightest colours.
  for (uint16_t& component : rgb) {
    const uint32_t most = c.bytes == 1 ? 255 : 65535, kind = Between(random, 0, 3);
    component = static_cast<uint16_t>(kind == 0 ? 0 : kind == 1 ? most : Between(random, 0, most));
  }
  const std::vector<uint8_t> bytes(rgb.begin(), rgb.end());
  const void* frame = c.bytes == 1 ? static_cast<const void*>(bytes.data()) : rgb.data();
  ConvertFrameToYuv(kernels, c, frame, yuv.data());
  ConvertFrameToYuv(kPlainKernels, c, frame, plain.data());
  Require(yuv == plain, "the bytes differ from those of another instruction set");
  const std::vector<double> wanted = YuvInDoubles(c, rgb);
  for (size_t i = 0; i < wanted.size(); i++) {
    const double found = c.bytes == 1 ? reinterpret_cast<const uint8_t*>(yuv.data())[i] : yuv[i];
    const double possible = std::clamp(wanted[i], 0.0, static_cast<double>(c.largest));
    Require(std::abs(found - possible) <= 0.501, "sample " + std::to_string(i) + " of " + std::to_string(c.width) + "x" +
                                                      std::to_string(c.height) + " is " + std::to_string(found) +
                                                      " instead of " + std::to_string(possible));
  }
}

struct Test {
  const char* name;
  void (*run)(Random&, const Kernels&);
  int times;
};

constexpr Test kTests[] = {
    {"models against the CPU reference", ReferenceTest, 40},
    {"words against the CPU reference", WordsTest, 25},
    {"the largest sums of words", OverflowTest, 2},
    {"any number of threads gives the same numbers", ThreadsTest, 6},
    {"windows against the whole frame", WindowTest, 10},
    {"16-bit images", FormatsTest, 10},
    {"models that the engine cannot run", UnsupportedTest, 1},
    {"frames of YUV against double precision", YuvTest, 60},
};

}  // namespace

int RunTests(uint64_t seed, int most) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  int passed = 0, failed = 0;
  for (const Kernels* kernels : AvailableKernels()) {
    for (const Test& test : kTests) {
      Random random(seed);
      try {
        for (int i = 0; i < std::min(test.times, most); i++) test.run(random, *kernels);
        passed++;
        std::printf("passed: %s: %s\n", kernels->name, test.name);
      } catch (const std::exception& error) {
        failed++;
        std::printf("FAILED: %s: %s: %s\n", kernels->name, test.name, error.what());
      }
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace framekiln::cpu
