// The native program: tests and benchmarks that need no Node.
//
//   framekiln-native reference PLAN INPUT.f32 C H W PREFIX   runs the model plan on the CPU references in float32
//   framekiln-native device PLAN INPUT.f32 C H W PREFIX      runs the model plan on the kernels: on the GPU, or emulated
//   framekiln-native test [SEED]                             tests every kernel and whole plans against the CPU reference
//   framekiln-native bench PLAN... [--json FILE]             measures layers and whole models; needs a GPU
//   framekiln-native devices                                 lists the GPUs, or says why there is none
//
// INPUT.f32 holds float32 planes [C][H][W]; output i is written to PREFIX.i.f32, and its shape printed as JSON.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "../engine/runner.h"
#include "../reference/execute.h"
#include "benchmark.h"
#include "tests.h"

namespace {

using namespace framekiln;

template <typename T>
std::vector<T> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error(path + " cannot be read");
  std::vector<T> values(static_cast<size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!file) throw std::runtime_error(path + " cannot be read");
  return values;
}

uint32_t ParseNumber(const char* text) {
  const unsigned long value = std::stoul(text);
  if (value > 65535) throw std::out_of_range(text);
  return static_cast<uint32_t>(value);
}

template <typename Output>
void WriteOutputs(const std::vector<Output>& outputs, const std::string& prefix) {
  std::string shapes;
  for (size_t i = 0; i < outputs.size(); i++) {
    const std::string path = prefix + "." + std::to_string(i) + ".f32";
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(outputs[i].data.data()),
               static_cast<std::streamsize>(outputs[i].data.size() * sizeof(float)));
    if (!file.flush()) throw std::runtime_error(path + " cannot be written");
    std::string shape;
    for (const uint32_t length : outputs[i].shape) shape += (shape.empty() ? "" : ",") + std::to_string(length);
    shapes += (i == 0 ? "" : ",") + ("{\"shape\":[" + shape + "]}");
  }
  std::cout << "{\"outputs\":[" << shapes << "]}\n";
}

int RunPlan(bool on_device, char** arguments) {
  const Plan plan = ReadPlan(ReadFile<std::byte>(arguments[0]));
  const std::vector<float> input = ReadFile<float>(arguments[1]);
  if (ParseNumber(arguments[2]) != plan.tensors[0].channels) throw PlanError("The model expects another number of input channels.");
  const Size size{ParseNumber(arguments[3]), ParseNumber(arguments[4])};
  if (on_device) {
    engine::Runner runner(plan, 0);
    WriteOutputs(runner.Run(input, size), arguments[5]);
  } else {
    WriteOutputs(reference::Execute(plan, input, size), arguments[5]);
  }
  return 0;
}

int PrintDevices() {
  std::string reason;
  const auto devices = engine::DescribeDevices(reason);
  for (const engine::DeviceReport& d : devices) {
    std::cout << d.index << ": " << d.name << ", compute capability " << d.compute_capability << ", driver for CUDA "
              << d.driver_version << ", " << d.free_bytes / 1'000'000 << " of " << d.total_bytes / 1'000'000
              << " MB free\n";
  }
  if (devices.empty()) std::cout << "no device: " << reason << '\n';
  return 0;
}

int Main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if ((command == "reference" || command == "device") && argc == 8) return RunPlan(command == "device", argv + 2);
  if (command == "test" && argc <= 3)
    return tests::RunAll(argc == 3 ? std::stoull(argv[2]) : tests::FreshSeed());
  if (command == "bench" && argc >= 3) return benchmark::Run({argv + 2, argv + argc});
  if (command == "devices" && argc == 2) return PrintDevices();
  std::cerr << "usage: framekiln-native reference|device PLAN INPUT.f32 C H W PREFIX | test [SEED] | "
               "bench PLAN... [--json FILE] | devices\n";
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "framekiln-native: " << error.what() << '\n';
    return 1;
  }
}
