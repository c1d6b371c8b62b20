#include "benchmark.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <random>
#include <thread>

#include "../engine/runner.h"
#include "../kernels/conv3x3_tensor.cuh"
#include "../kernels/conv3x3_wgmma.cuh"
#include "../kernels/mma_rate.cuh"

namespace framekiln::benchmark {
namespace {

using engine::DeviceMemory;
using engine::DeviceStream;
using engine::FrameSpec;
using engine::Runner;

struct Result {
  std::string name;
  double value;
  std::string unit;
};

double Seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The median of five runs after a warm-up.
double MedianSeconds(const std::function<void()>& work) {
  work();
  std::vector<double> times(5);
  for (double& time : times) time = Seconds(work);
  std::sort(times.begin(), times.end());
  return times[2];
}

// Teraflops, a multiply-add counted as two.
double MmaRateTeraflops() {
  const DeviceStream stream;
  const DeviceMemory sink(4, "the peak rate");
  const int rounds = 20'000;
  const unsigned blocks = 2048;
  const double seconds = MedianSeconds([&] {
    engine::Check(kernels::LaunchMmaRate({reinterpret_cast<float*>(sink.data()), rounds, -1.25f}, blocks, stream.get()),
                  "the peak rate");
    stream.Wait("the peak rate");
  });
  return kernels::MmaRateWork(rounds) * blocks * 2 / seconds * 1e-12;
}

double LayerTeraflops(bool wgmma, int width, int height, int cin, int cout) {
  const size_t pixels = static_cast<size_t>(width) * height;
  const std::vector<float> weights(static_cast<size_t>(cout) * 9 * cin, 0.01f);
  const std::vector<uint16_t> packed =
      (wgmma ? kernels::PackWgmmaConvWeights : kernels::PackTensorConvWeights)(weights.data(), cout, cin);
  const auto launch = wgmma ? kernels::LaunchWgmmaConv : kernels::LaunchTensorConv;
  const int pitch = (cout + 7) / 8 * 8;
  const DeviceMemory x(pixels * cin * 2, "a layer"), y(pixels * pitch * 2, "a layer"), w(packed.size() * 2, "a layer");
  const DeviceStream stream;
  // Realistic numbers: power, and so the clock rate, depends on how many bits flip.
  std::vector<uint16_t> halves(pixels * cin);
  std::mt19937 random(1);
  for (uint16_t& half : halves) half = FloatToHalf(static_cast<float>(random() % 2048) / 1024 - 1);
  engine::CopyToDevice(x.data(), halves.data(), halves.size() * 2, stream.get());
  engine::CopyToDevice(w.data(), packed.data(), packed.size() * 2, stream.get());
  kernels::TensorConv conv;
  conv.x = {reinterpret_cast<uint16_t*>(x.data()), height, width, cin, cin};
  conv.y = {reinterpret_cast<uint16_t*>(y.data()), height, width, pitch, cout};
  conv.weights = reinterpret_cast<const uint16_t*>(w.data());
  conv.epilogue.activation = kernels::DeviceActivation::kLeakyRelu;
  conv.epilogue.slope = 0.2f;
  constexpr int kRepeats = 50;
  const double seconds = MedianSeconds([&] {
    for (int i = 0; i < kRepeats; i++) engine::Check(launch(conv, stream.get()), "a layer");
    stream.Wait("a layer");
  });
  return kRepeats * 2.0 * 9 * cin * cout * static_cast<double>(pixels) / seconds * 1e-12;
}

// Multiply-adds of the convolutions for one input image.
double WorkOf(const Plan& plan, Size size) {
  const std::vector<Size> sizes = TensorSizes(plan, size);
  double work = 0;
  for (const StepRecord& s : plan.steps) {
    if (s.op != Op::kConv) continue;
    const double pixels = static_cast<double>(sizes[s.output].height) * sizes[s.output].width;
    work += pixels * plan.tensors[s.output].channels * plan.tensors[s.input].channels / s.groups * s.kernel_h * s.kernel_w;
  }
  return work;
}

// Frames per second from bytes to bytes, with three frames in progress, as in the daemon.
double FramesPerSecond(Runner& runner, Size size, uint32_t tile, uint32_t overlap) {
  const uint32_t scale = runner.model().scale();
  FrameSpec spec{size, {}, {}, tile, overlap};
  std::vector<unsigned char> input(ImageBytes(spec.input.format, size.width, size.height));
  std::mt19937 random(1);
  for (unsigned char& byte : input) byte = static_cast<unsigned char>(random());
  const auto frames = [&](int count) {
    std::vector<std::thread> threads;
    std::vector<std::exception_ptr> failures(Runner::kLanes);
    for (int lane = 0; lane < Runner::kLanes; lane++) {
      threads.emplace_back([&, lane] {
        try {
          std::vector<unsigned char> output(ImageBytes(spec.output.format, size.width * scale, size.height * scale));
          for (int i = lane; i < count; i += Runner::kLanes)
            runner.Upscale(spec, std::as_bytes(std::span(input)), std::as_writable_bytes(std::span(output)));
        } catch (...) {
          failures[lane] = std::current_exception();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
  };
  frames(Runner::kLanes);
  // Long enough for the clocks to settle, short enough for the slow models.
  const double once = Seconds([&] { frames(Runner::kLanes); }) / Runner::kLanes;
  const int count = std::clamp(static_cast<int>(2.0 / once), 6, 300) / Runner::kLanes * Runner::kLanes;
  return count / Seconds([&] { frames(count); });
}

std::string Stem(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return name.substr(0, name.find_last_of('.'));
}

std::vector<std::byte> ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw std::runtime_error(path + " cannot be read");
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

class Table {
 public:
  void Add(const std::string& name, double value, const std::string& unit) {
    std::printf("%-60s %10.2f %s\n", name.c_str(), value, unit.c_str());
    std::fflush(stdout);
    results_.push_back({name, value, unit});
  }
  void WriteJson(const std::string& path, const engine::DeviceReport& device) const {
    std::ofstream file(path);
    file << "{\n  \"gpu\": \"" << device.name << "\",\n  \"computeCapability\": \"" << device.compute_capability
         << "\",\n  \"cudaDriver\": \"" << device.driver_version << "\",\n  \"results\": [\n";
    for (size_t i = 0; i < results_.size(); i++) {
      file << "    { \"name\": \"" << results_[i].name << "\", \"value\": " << results_[i].value << ", \"unit\": \""
           << results_[i].unit << "\" }" << (i + 1 < results_.size() ? "," : "") << '\n';
    }
    file << "  ]\n}\n";
    if (!file.flush()) throw std::runtime_error(path + " cannot be written");
  }

 private:
  std::vector<Result> results_;
};

void MeasureModel(const std::string& path, Table& table) {
  Plan plan = ReadPlan(ReadBytes(path));
  const std::string name = Stem(path);
  const double work = WorkOf(plan, {64, 64}) / (64 * 64);
  Runner runner(std::move(plan), 0);
  if (runner.model().scale() == 0) throw PlanError(path + " does not upscale images.");
  const struct {
    const char* name;
    Size size;
  } sizes[] = {{"480p", {480, 854}}, {"720p", {720, 1280}}, {"1080p", {1080, 1920}}, {"4K", {2160, 3840}}};
  const uint32_t overlap = 32;
  for (const auto& [label, size] : sizes) {
    const double fps = FramesPerSecond(runner, size, 0, overlap);
    table.Add(name + " " + label, fps, "fps");
    table.Add(name + " " + label + " (useful work)", fps * work * size.width * size.height * 2e-12, "TFLOPS");
  }
  for (uint32_t tile = 64; tile <= 1024; tile *= 2)
    table.Add(name + " 1080p, tiles of " + std::to_string(tile), FramesPerSecond(runner, {1080, 1920}, tile, overlap),
              "fps");
}

}  // namespace

int Run(const std::vector<std::string>& arguments) {
  std::string reason;
  const std::vector<engine::DeviceReport> devices = engine::DescribeDevices(reason);
  if (devices.empty()) {
    std::cerr << "The benchmark needs a GPU: " << reason << ".\n";
    return 1;
  }
  std::cout << devices[0].name << ", compute capability " << devices[0].compute_capability << '\n';
  Table table;
  std::string json;
  table.Add("mma.sync from registers", MmaRateTeraflops(), "TFLOPS");
  const int layers[][2] = {{64, 64}, {64, 48}, {64, 32}, {192, 64}};
  for (const auto& [cin, cout] : layers) {
    const std::string name = "3x3 convolution 720p, " + std::to_string(cin) + " to " + std::to_string(cout);
    // The plain name is the kernel that models use on this GPU, for the comparison.
    const bool wgmma = kernels::WgmmaConvTakes(cin, cout);
    table.Add(name, LayerTeraflops(wgmma, 1280, 720, cin, cout), "TFLOPS");
    if (wgmma) table.Add(name + " (mma.sync)", LayerTeraflops(false, 1280, 720, cin, cout), "TFLOPS");
  }
  for (size_t i = 0; i < arguments.size(); i++) {
    if (arguments[i] == "--json" && i + 1 < arguments.size())
      json = arguments[++i];
    else
      MeasureModel(arguments[i], table);
  }
  if (!json.empty()) table.WriteJson(json, devices[0]);
  return 0;
}

}  // namespace framekiln::benchmark
