// The addon: runs model plans on the CPU for Node. The work is done on one of libuv's threads and on the model's own
// threads, which never touch JavaScript.
//
//   instructionSets(): string[]      those of this machine, the best first
//   vulkanAdapters(): { adapters: { name, kind }[], reason: string | null }    the GPUs that Vulkan offers
//   load(plan: Uint8Array, threads: number, instructionSet: string, precision: string): Promise<Model>
//       threads 0: one per core; instructionSet '': the best; precision: exact, balanced or fast
//   model.instructionSet, model.threads, model.scale
//   model.run(data: Float32Array, height, width): Promise<Float32Array>    planes of an RGB image
//   model.upscale(frame: Uint8Array, width, height, bytesPerComponent: 1 | 2, window: number[], core: number[],
//                 target: Uint8Array): Promise<void>
//       window and core: [x, y, width, height]; the core's pixels are written to their place in the upscaled frame
//   model.dispose(): void
//   convertToYuv(frame: Uint8Array, conversion: object, instructionSet: string, target: Uint8Array): Promise<void>
//       packed RGB to planar YUV; the conversion is described in src/domain/yuv-conversion.ts
//
// Rejections are Errors with a `code`: OUT_OF_MEMORY, UNSUPPORTED, PLAN_INVALID, CPU_FAILED.
#include <napi.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../../native-cuda/addon/promise_task.h"
#include "../engine/dispatch.h"
#include "../engine/runner.h"
#include "vulkan_adapters.h"

namespace {

using framekiln::PlanError;
using framekiln::PromiseTask;
using framekiln::ReadPlan;
using framekiln::Rejection;
using framekiln::Size;
using framekiln::cpu::Area;
using framekiln::cpu::AvailableKernels;
using framekiln::cpu::ConvertFrameToYuv;
using framekiln::cpu::ChooseKernels;
using framekiln::cpu::Kernels;
using framekiln::cpu::ListVulkanAdapters;
using framekiln::cpu::PixelFormat;
using framekiln::cpu::Precision;
using framekiln::cpu::Runner;
using framekiln::cpu::Unsupported;
using framekiln::cpu::VulkanAdapter;
using framekiln::cpu::WindowSpec;
using framekiln::cpu::YuvConversion;
using framekiln::cpu::YuvSamples;

class Task : public PromiseTask {
 protected:
  using PromiseTask::PromiseTask;

  Rejection Describe() const final {
    try {
      throw;
    } catch (const Unsupported& error) {
      return {"UNSUPPORTED", error.what()};
    } catch (const PlanError& error) {
      return {"PLAN_INVALID", error.what()};
    } catch (const std::bad_alloc&) {
      return {"OUT_OF_MEMORY", "There is not enough memory to load or run the model."};
    } catch (const std::exception& error) {
      return {"CPU_FAILED", error.what()};
    }
  }
};

class RunTask final : public Task {
 public:
  RunTask(Napi::Env env, std::shared_ptr<Runner> runner, std::vector<float> input, Size size)
      : Task(env), runner_(std::move(runner)), input_(std::move(input)), size_(size) {}

 protected:
  void Work() override {
    const uint32_t scale = runner_->model().scale();
    output_.resize(input_.size() * scale * scale);
    const Area all{0, 0, size_.height, size_.width};
    runner_->Upscale({PixelFormat::kPlanes, size_, all, all}, input_.data(), output_.data());
  }
  Napi::Value Result(Napi::Env env) override {
    Napi::Float32Array result = Napi::Float32Array::New(env, output_.size());
    std::copy(output_.begin(), output_.end(), result.Data());
    return result;
  }

 private:
  std::shared_ptr<Runner> runner_;
  std::vector<float> input_, output_;
  Size size_;
};

class UpscaleTask final : public Task {
 public:
  UpscaleTask(Napi::Env env, std::shared_ptr<Runner> runner, const WindowSpec& spec, Napi::Uint8Array source,
              Napi::Uint8Array target)
      : Task(env),
        runner_(std::move(runner)),
        spec_(spec),
        source_(source.Data()),
        target_(target.Data()),
        // Both arrays are kept alive, at the same address, until the promise is settled.
        source_reference_(Napi::Persistent(source)),
        target_reference_(Napi::Persistent(target)) {}

 protected:
  void Work() override { runner_->Upscale(spec_, source_, target_); }
  Napi::Value Result(Napi::Env env) override { return env.Undefined(); }

 private:
  std::shared_ptr<Runner> runner_;
  WindowSpec spec_;
  const uint8_t* source_;
  uint8_t* target_;
  Napi::Reference<Napi::Uint8Array> source_reference_, target_reference_;
};

// An integer that a frame's edge may be.
uint32_t Integer(const Napi::Env& env, const Napi::Value& value, const char* name) {
  const int64_t number = value.IsNumber() ? value.As<Napi::Number>().Int64Value() : -1;
  if (number < 0 || number > 65535)
    throw Napi::RangeError::New(env, std::string(name) + " must be an integer from 0 to 65535.");
  return static_cast<uint32_t>(number);
}

Area AreaArgument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsArray()) throw Napi::TypeError::New(info.Env(), std::string(name) + " must be an array.");
  const Napi::Array numbers = info[index].As<Napi::Array>();
  const auto number = [&](uint32_t i) { return Integer(info.Env(), numbers.Get(i), name); };
  return {number(1), number(0), number(3), number(2)};
}

bool Contains(const Area& outer, const Area& inner) {
  return inner.height > 0 && inner.width > 0 && inner.top >= outer.top && inner.left >= outer.left &&
         inner.top + inner.height <= outer.top + outer.height && inner.left + inner.width <= outer.left + outer.width;
}

Napi::Uint8Array BytesArgument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsTypedArray() || info[index].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Napi::TypeError::New(info.Env(), std::string(name) + " must be a Uint8Array.");
  return info[index].As<Napi::Uint8Array>();
}

// A model plan with its threads. Its memory is reported to the garbage collector, which cannot see it otherwise.
class Model : public Napi::ObjectWrap<Model> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Model",
                       {InstanceAccessor<&Model::InstructionSet>("instructionSet"),
                        InstanceAccessor<&Model::Threads>("threads"), InstanceAccessor<&Model::Scale>("scale"),
                        InstanceMethod<&Model::Run>("run"), InstanceMethod<&Model::Upscale>("upscale"),
                        InstanceMethod<&Model::Dispose>("dispose")});
  }
  explicit Model(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Model>(info) {
    if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "Use load() to create a Model.");
    runner_ = std::move(*info[0].As<Napi::External<std::shared_ptr<Runner>>>().Data());
    held_bytes_ = static_cast<int64_t>(runner_->model().weight_bytes());
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), held_bytes_);
  }
  void Finalize(Napi::BasicEnv env) override { Release(env); }

 private:
  Napi::Value InstructionSet(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), Alive(info.Env())->model().kernels().name);
  }
  Napi::Value Threads(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), Alive(info.Env())->threads());
  }
  Napi::Value Scale(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), Alive(info.Env())->model().scale());
  }

  Napi::Value Run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float32_array)
      throw Napi::TypeError::New(env, "data must be a Float32Array.");
    const Napi::Float32Array data = info[0].As<Napi::Float32Array>();
    const Size size{Integer(env, info[1], "height"), Integer(env, info[2], "width")};
    if (data.ElementLength() != size_t{3} * size.height * size.width || data.ElementLength() == 0)
      throw Napi::RangeError::New(env, "The length of data does not match its size.");
    return Task::Start(new RunTask(env, Alive(env), {data.Data(), data.Data() + data.ElementLength()}, size));
  }

  Napi::Value Upscale(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Napi::Uint8Array source = BytesArgument(info, 0, "frame"), target = BytesArgument(info, 6, "target");
    const uint32_t bytes = Integer(env, info[3], "bytesPerComponent");
    const Size frame{Integer(env, info[2], "height"), Integer(env, info[1], "width")};
    const WindowSpec spec{bytes == 1 ? PixelFormat::kRgb24 : PixelFormat::kRgb48, frame,
                          AreaArgument(info, 4, "window"), AreaArgument(info, 5, "core")};
    const std::shared_ptr<Runner> runner = Alive(env);
    const size_t scale = runner->model().scale(), components = size_t{3} * frame.height * frame.width;
    if (bytes != 1 && bytes != 2) throw Napi::RangeError::New(env, "bytesPerComponent must be 1 or 2.");
    if (source.ByteLength() != components * bytes || target.ByteLength() != components * bytes * scale * scale)
      throw Napi::RangeError::New(env, "The length of frame or target does not match the frame's size.");
    if (!Contains({0, 0, frame.height, frame.width}, spec.window) || !Contains(spec.window, spec.core))
      throw Napi::RangeError::New(env, "The core must lie in the window, and the window in the frame.");
    if (bytes == 2 && (reinterpret_cast<uintptr_t>(source.Data()) % 2 != 0 || reinterpret_cast<uintptr_t>(target.Data()) % 2 != 0))
      throw Napi::RangeError::New(env, "Frames of 16-bit components must begin at an even address.");
    return Task::Start(new UpscaleTask(env, runner, spec, source, target));
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
  LoadTask(Napi::Env env, std::vector<std::byte> plan, uint32_t threads, std::string instruction_set,
           Precision precision)
      : Task(env), plan_(std::move(plan)), threads_(threads), instruction_set_(std::move(instruction_set)),
        precision_(precision) {}

 protected:
  void Work() override {
    runner_ = std::make_shared<Runner>(ReadPlan(plan_), ChooseKernels(instruction_set_), precision_, threads_);
  }
  Napi::Value Result(Napi::Env env) override {
    return env.GetInstanceData<AddonData>()->model.New({Napi::External<std::shared_ptr<Runner>>::New(env, &runner_)});
  }

 private:
  std::vector<std::byte> plan_;
  uint32_t threads_;
  std::string instruction_set_;
  Precision precision_;
  std::shared_ptr<Runner> runner_;
};

Precision PrecisionArgument(const Napi::CallbackInfo& info, size_t index) {
  const std::string name = info[index].IsString() ? info[index].As<Napi::String>().Utf8Value() : "";
  if (name == "exact") return Precision::kExact;
  if (name == "balanced") return Precision::kBalanced;
  if (name == "fast") return Precision::kFast;
  throw Napi::RangeError::New(info.Env(), "precision must be exact, balanced or fast.");
}

Napi::Value Load(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Uint8Array plan = BytesArgument(info, 0, "plan");
  const auto* bytes = reinterpret_cast<const std::byte*>(plan.Data());
  const uint32_t threads = Integer(env, info[1], "threads");
  const std::string instruction_set = info[2].IsString() ? info[2].As<Napi::String>().Utf8Value() : "";
  return Task::Start(
      new LoadTask(env, {bytes, bytes + plan.ByteLength()}, threads, instruction_set, PrecisionArgument(info, 3)));
}

class ConvertTask final : public Task {
 public:
  ConvertTask(Napi::Env env, const Kernels& kernels, const YuvConversion& conversion, Napi::Uint8Array source,
              Napi::Uint8Array target)
      : Task(env),
        kernels_(kernels),
        conversion_(conversion),
        source_(source.Data()),
        target_(target.Data()),
        source_reference_(Napi::Persistent(source)),
        target_reference_(Napi::Persistent(target)) {}

 protected:
  void Work() override { ConvertFrameToYuv(kernels_, conversion_, source_, target_); }
  Napi::Value Result(Napi::Env env) override { return env.Undefined(); }

 private:
  const Kernels& kernels_;
  YuvConversion conversion_;
  const uint8_t* source_;
  uint8_t* target_;
  Napi::Reference<Napi::Uint8Array> source_reference_, target_reference_;
};

YuvConversion ConversionArgument(const Napi::Env& env, const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(env, "conversion must be an object.");
  const Napi::Object given = value.As<Napi::Object>();
  const auto number = [&](const char* name) {
    const Napi::Value found = given.Get(name);
    if (!found.IsNumber()) throw Napi::TypeError::New(env, std::string(name) + " must be a number.");
    return found.As<Napi::Number>().FloatValue();
  };
  const auto flag = [&](const char* name) { return given.Get(name).ToBoolean().Value(); };
  YuvConversion conversion{};
  conversion.width = Integer(env, given.Get("width"), "width");
  conversion.height = Integer(env, given.Get("height"), "height");
  conversion.bytes = Integer(env, given.Get("bytesPerComponent"), "bytesPerComponent");
  conversion.halves_columns = flag("halvesColumns");
  conversion.halves_rows = flag("halvesRows");
  conversion.between_rows = flag("betweenRows");
  conversion.red = number("red");
  conversion.green = number("green");
  conversion.blue = number("blue");
  conversion.luma_scale = number("lumaScale");
  conversion.luma_offset = number("lumaOffset");
  conversion.u_scale = number("uScale");
  conversion.v_scale = number("vScale");
  conversion.chroma_offset = number("chromaOffset");
  conversion.largest = static_cast<int32_t>(Integer(env, given.Get("largest"), "largest"));
  const auto is_even = [](uint32_t edge) { return edge > 0 && edge % 2 == 0; };
  if (!is_even(conversion.width) || !is_even(conversion.height) || conversion.bytes < 1 || conversion.bytes > 2 ||
      (conversion.halves_rows && !conversion.halves_columns))
    throw Napi::RangeError::New(env, "Frames of this format cannot be converted.");
  return conversion;
}

Napi::Value ConvertToYuv(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Uint8Array source = BytesArgument(info, 0, "frame"), target = BytesArgument(info, 3, "target");
  const YuvConversion conversion = ConversionArgument(env, info[1]);
  const std::string instruction_set = info[2].IsString() ? info[2].As<Napi::String>().Utf8Value() : "";
  const size_t components = size_t{3} * conversion.width * conversion.height;
  if (source.ByteLength() != components * conversion.bytes ||
      target.ByteLength() != YuvSamples(conversion) * conversion.bytes)
    throw Napi::RangeError::New(env, "The length of frame or target does not match the frame's size.");
  // Two samples are written at once.
  if (reinterpret_cast<uintptr_t>(source.Data()) % conversion.bytes != 0 ||
      reinterpret_cast<uintptr_t>(target.Data()) % (2 * conversion.bytes) != 0)
    throw Napi::RangeError::New(env, "A frame begins at an address that its components do not allow.");
  try {
    return Task::Start(new ConvertTask(env, ChooseKernels(instruction_set), conversion, source, target));
  } catch (const std::invalid_argument& error) {
    throw Napi::RangeError::New(env, error.what());
  }
}

Napi::Value InstructionSets(const Napi::CallbackInfo& info) {
  const Napi::Array names = Napi::Array::New(info.Env());
  for (const Kernels* kernels : AvailableKernels()) names.Set(names.Length(), kernels->name);
  return names;
}

Napi::Value VulkanAdapters(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string reason;
  const Napi::Array adapters = Napi::Array::New(env);
  for (const VulkanAdapter& found : ListVulkanAdapters(&reason)) {
    const Napi::Object adapter = Napi::Object::New(env);
    adapter.Set("name", found.name);
    adapter.Set("kind", found.kind);
    adapters.Set(adapters.Length(), adapter);
  }
  const Napi::Object result = Napi::Object::New(env);
  result.Set("adapters", adapters);
  result.Set("reason", reason.empty() ? env.Null() : Napi::String::New(env, reason));
  return result;
}

Napi::Object Initialise(Napi::Env env, Napi::Object exports) {
  auto* data = new AddonData();
  data->model = Napi::Persistent(Model::Define(env));
  env.SetInstanceData(data);
  exports.Set("instructionSets", Napi::Function::New(env, InstructionSets));
  exports.Set("vulkanAdapters", Napi::Function::New(env, VulkanAdapters));
  exports.Set("load", Napi::Function::New(env, Load));
  exports.Set("convertToYuv", Napi::Function::New(env, ConvertToYuv));
  return exports;
}

NODE_API_MODULE(framekiln_cpu, Initialise)

}  // namespace
