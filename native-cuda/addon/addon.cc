// The addon: runs model plans on the GPU for Node. The work is done on libuv's threads, which never touch JavaScript.
//
//   describeDevices(): { devices: [{ index, name, computeCapability, driverVersion, totalBytes, freeBytes }], reason,
//                        cudaVersion }
//   load(plan: Uint8Array, device: number, plain: boolean): Promise<Model>
//   model.run(data: Float32Array, channels, height, width): Promise<[{ data: Float32Array, shape: number[] }]>
//   model.upscale(pixels: Uint8Array, width, height, bytesPerComponent: 1 | 2, tile, overlap): Promise<Uint8Array>
//   model.dispose(): void
//
// Rejections are Errors with a `code`: OUT_OF_MEMORY, DEVICE_LOST, NO_DEVICE, CUDA_FAILED, PLAN_INVALID.
#include <cuda_runtime_api.h>
#include <napi.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../engine/runner.h"
#include "promise_task.h"

namespace {

using framekiln::ImageBytes;
using framekiln::ImageFormat;
using framekiln::PlanError;
using framekiln::PromiseTask;
using framekiln::ReadPlan;
using framekiln::Rejection;
using framekiln::Size;
using framekiln::engine::DeviceError;
using framekiln::engine::Failure;
using framekiln::engine::FrameSpec;
using framekiln::engine::NamedOutput;
using framekiln::engine::Runner;

const char* CodeOf(Failure failure) {
  switch (failure) {
    case Failure::kOutOfMemory: return "OUT_OF_MEMORY";
    case Failure::kDeviceLost: return "DEVICE_LOST";
    case Failure::kNoDevice: return "NO_DEVICE";
    case Failure::kFailed: break;
  }
  return "CUDA_FAILED";
}

class Task : public PromiseTask {
 protected:
  using PromiseTask::PromiseTask;

  Rejection Describe() const final {
    try {
      throw;
    } catch (const DeviceError& error) {
      return {CodeOf(error.failure), error.what()};
    } catch (const PlanError& error) {
      return {"PLAN_INVALID", error.what()};
    } catch (const std::bad_alloc&) {
      return {"OUT_OF_MEMORY", "There is not enough system memory (std::bad_alloc)."};
    } catch (const std::exception& error) {
      return {"CUDA_FAILED", error.what()};
    }
  }
};

class RunTask final : public Task {
 public:
  RunTask(Napi::Env env, std::shared_ptr<Runner> runner, std::vector<float> input, Size size)
      : Task(env), runner_(std::move(runner)), input_(std::move(input)), size_(size) {}

 protected:
  void Work() override { outputs_ = runner_->Run(input_, size_); }
  Napi::Value Result(Napi::Env env) override {
    Napi::Array outputs = Napi::Array::New(env, outputs_.size());
    for (uint32_t i = 0; i < outputs_.size(); i++) {
      const NamedOutput& output = outputs_[i];
      Napi::Float32Array data = Napi::Float32Array::New(env, output.data.size());
      std::copy(output.data.begin(), output.data.end(), data.Data());
      Napi::Array shape = Napi::Array::New(env, output.shape.size());
      for (uint32_t j = 0; j < output.shape.size(); j++) shape.Set(j, output.shape[j]);
      Napi::Object result = Napi::Object::New(env);
      result.Set("data", data);
      result.Set("shape", shape);
      outputs.Set(i, result);
    }
    return outputs;
  }

 private:
  std::shared_ptr<Runner> runner_;
  std::vector<float> input_;
  Size size_;
  std::vector<NamedOutput> outputs_;
};

class UpscaleTask final : public Task {
 public:
  UpscaleTask(Napi::Env env, std::shared_ptr<Runner> runner, FrameSpec spec, Napi::Uint8Array input,
              Napi::Uint8Array output)
      : Task(env),
        runner_(std::move(runner)),
        spec_(spec),
        input_(input.Data(), input.ByteLength()),
        output_(output.Data(), output.ByteLength()),
        // Both arrays are kept alive, at the same address, until the promise is settled.
        input_reference_(Napi::Persistent(input)),
        output_reference_(Napi::Persistent(output)) {}

 protected:
  void Work() override { runner_->Upscale(spec_, std::as_bytes(input_), std::as_writable_bytes(output_)); }
  Napi::Value Result(Napi::Env) override { return output_reference_.Value(); }

 private:
  std::shared_ptr<Runner> runner_;
  FrameSpec spec_;
  std::span<const uint8_t> input_;
  std::span<uint8_t> output_;
  Napi::Reference<Napi::Uint8Array> input_reference_;
  Napi::Reference<Napi::Uint8Array> output_reference_;
};

uint32_t PositiveArgument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  const int64_t value = info[index].IsNumber() ? info[index].As<Napi::Number>().Int64Value() : -1;
  if (value < 0 || value > 65535)
    throw Napi::RangeError::New(info.Env(), std::string(name) + " must be an integer from 0 to 65535.");
  return static_cast<uint32_t>(value);
}

// A model plan on a GPU. Its memory is reported to the garbage collector, which cannot see it otherwise.
class Model : public Napi::ObjectWrap<Model> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Model",
                       {InstanceMethod<&Model::Run>("run"), InstanceMethod<&Model::Upscale>("upscale"),
                        InstanceMethod<&Model::Dispose>("dispose")});
  }
  explicit Model(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Model>(info) {
    if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "Use load() to create a Model.");
    runner_ = std::move(*info[0].As<Napi::External<std::shared_ptr<Runner>>>().Data());
    held_bytes_ = static_cast<int64_t>(runner_->model().plan().weights.size() * sizeof(float));
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), held_bytes_);
  }
  void Finalize(Napi::BasicEnv env) override { Release(env); }

 private:
  Napi::Value Run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float32_array)
      throw Napi::TypeError::New(env, "data must be a Float32Array.");
    const Napi::Float32Array data = info[0].As<Napi::Float32Array>();
    const uint32_t channels = PositiveArgument(info, 1, "channels");
    const Size size{PositiveArgument(info, 2, "height"), PositiveArgument(info, 3, "width")};
    if (data.ElementLength() != size_t{channels} * size.height * size.width)
      throw Napi::RangeError::New(env, "The length of data does not match its shape.");
    return Task::Start(new RunTask(env, Alive(env), {data.Data(), data.Data() + data.ElementLength()}, size));
  }

  Napi::Value Upscale(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
      throw Napi::TypeError::New(env, "pixels must be a Uint8Array.");
    const Napi::Uint8Array pixels = info[0].As<Napi::Uint8Array>();
    FrameSpec spec;
    spec.size = {PositiveArgument(info, 2, "height"), PositiveArgument(info, 1, "width")};
    spec.input.format = PositiveArgument(info, 3, "bytesPerComponent") == 1 ? ImageFormat::kRgb24 : ImageFormat::kRgb48;
    spec.output = spec.input;
    spec.tile = PositiveArgument(info, 4, "tile");
    spec.overlap = PositiveArgument(info, 5, "overlap");
    const std::shared_ptr<Runner> runner = Alive(env);
    const size_t scale = runner->model().scale();
    if (scale == 0) throw Napi::TypeError::New(env, "The model does not upscale images.");
    if (pixels.ByteLength() != ImageBytes(spec.input.format, spec.size.width, spec.size.height))
      throw Napi::RangeError::New(env, "The length of pixels does not match the image size.");
    const Napi::Uint8Array output =
        Napi::Uint8Array::New(env, ImageBytes(spec.output.format, spec.size.width * scale, spec.size.height * scale));
    return Task::Start(new UpscaleTask(env, runner, spec, pixels, output));
  }

  void Dispose(const Napi::CallbackInfo& info) { Release(info.Env()); }

  std::shared_ptr<Runner> Alive(Napi::Env env) const {
    if (runner_ == nullptr) throw Napi::Error::New(env, "The model has been disposed.");
    return runner_;
  }
  // Running work keeps the runner alive until it is done.
  void Release(Napi::BasicEnv env) {
    runner_.reset();
    if (held_bytes_ > 0) Napi::MemoryManagement::AdjustExternalMemory(env, -std::exchange(held_bytes_, 0));
  }

  std::shared_ptr<Runner> runner_;
  int64_t held_bytes_ = 0;
};

struct AddonData {
  Napi::FunctionReference model;
};

class LoadTask final : public Task {
 public:
  LoadTask(Napi::Env env, std::vector<std::byte> plan, int device, bool plain)
      : Task(env), plan_(std::move(plan)), device_(device), plain_(plain) {}

 protected:
  void Work() override {
    std::string reason;
    if (framekiln::engine::DescribeDevices(reason).empty()) throw DeviceError(Failure::kNoDevice, reason);
    runner_ = std::make_shared<Runner>(ReadPlan(plan_), device_, plain_);
  }
  Napi::Value Result(Napi::Env env) override {
    return env.GetInstanceData<AddonData>()->model.New(
        {Napi::External<std::shared_ptr<Runner>>::New(env, &runner_)});
  }

 private:
  std::vector<std::byte> plan_;
  int device_;
  bool plain_;
  std::shared_ptr<Runner> runner_;
};

Napi::Value Load(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray()) throw Napi::TypeError::New(env, "plan must be a Uint8Array.");
  const Napi::Uint8Array plan = info[0].As<Napi::Uint8Array>();
  const auto* bytes = reinterpret_cast<const std::byte*>(plan.Data());
  return Task::Start(new LoadTask(env, {bytes, bytes + plan.ByteLength()},
                                  static_cast<int>(PositiveArgument(info, 1, "device")), info[2].ToBoolean().Value()));
}

Napi::Value DescribeDevices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string reason;
  std::vector<framekiln::engine::DeviceReport> reports;
  try {
    reports = framekiln::engine::DescribeDevices(reason);
  } catch (const DeviceError& error) {
    reason = error.what();
  }
  Napi::Array devices = Napi::Array::New(env, reports.size());
  for (uint32_t i = 0; i < reports.size(); i++) {
    Napi::Object device = Napi::Object::New(env);
    device.Set("index", reports[i].index);
    device.Set("name", reports[i].name);
    device.Set("computeCapability", reports[i].compute_capability);
    device.Set("driverVersion", reports[i].driver_version);
    device.Set("totalBytes", static_cast<double>(reports[i].total_bytes));
    device.Set("freeBytes", static_cast<double>(reports[i].free_bytes));
    devices.Set(i, device);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("devices", devices);
  result.Set("reason", reports.empty() ? Napi::String::New(env, reason) : env.Null());
  result.Set("cudaVersion",
             std::to_string(CUDART_VERSION / 1000) + "." + std::to_string(CUDART_VERSION % 1000 / 10));
  return result;
}

Napi::Object Initialise(Napi::Env env, Napi::Object exports) {
  auto* data = new AddonData();
  data->model = Napi::Persistent(Model::Define(env));
  env.SetInstanceData(data);
  exports.Set("describeDevices", Napi::Function::New(env, DescribeDevices));
  exports.Set("load", Napi::Function::New(env, Load));
  return exports;
}

NODE_API_MODULE(framekiln_cuda, Initialise)

}  // namespace
