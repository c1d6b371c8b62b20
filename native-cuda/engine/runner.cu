#include "runner.h"

#include <cstring>
#include <optional>
#include <utility>

#include "../plan/outputs.h"

namespace framekiln::engine {
namespace {

// Largest share of the GPU's memory that all programs together may use. Tiles that are chosen here do not depend on the
// free memory: a job that resumes after a crash must use the same ones, because they affect the last bits of its pixels.
constexpr double kMostUsed = 0.875;
constexpr uint32_t kSmallestTile = 64;

template <typename Memory>
void Grow(Memory& memory, size_t bytes, const char* place) {
  if (memory.bytes() >= bytes) return;
  memory = Memory();  // The old one is freed first, because both may not fit.
  memory = Memory(bytes, place);
}

}  // namespace

// The buffers and the stream of one frame in progress.
struct Runner::Lane {
  DeviceStream stream;
  std::optional<Workspace> workspace;
  std::optional<Tiling> tiling;  // Tiling of frames like `tiled_for`.
  FrameSpec tiled_for;
  DeviceMemory device_in, device_out;
  PinnedMemory host_in, host_out;

  // `only`: no other lane is left. Another one does without its memory rather than take what other programs need.
  Workspace& WorkspaceFor(const Model& model, Size size, bool only) {
    if (!workspace || workspace->size().height != size.height || workspace->size().width != size.width) {
      workspace.reset();
      const double left = static_cast<double>(FreeBytes()) - static_cast<double>(model.WorkspaceBytes(size));
      if (!only && left < static_cast<double>(TotalBytes()) * (1 - kMostUsed))
        throw DeviceError(Failure::kOutOfMemory, "One more frame at a time would fill the GPU.");
      workspace.emplace(model, size);
    }
    return *workspace;
  }

  // After a failure, all memory is freed, since it may have run out.
  void Clear() {
    workspace.reset();
    tiling.reset();
    device_in = DeviceMemory();
    device_out = DeviceMemory();
    host_in = PinnedMemory();
    host_out = PinnedMemory();
  }
};

class Runner::Borrowed {
 public:
  explicit Borrowed(Runner& runner) : runner_(runner) {
    std::unique_lock lock(runner.mutex_);
    runner.returned_.wait(lock, [&] { return !runner.idle_.empty(); });
    lane_ = std::move(runner.idle_.back());
    runner.idle_.pop_back();
  }
  ~Borrowed() {
    if (lane_ == nullptr) return;
    if (!fine_) lane_->Clear();
    const std::lock_guard lock(runner_.mutex_);
    runner_.idle_.push_back(std::move(lane_));
    runner_.returned_.notify_one();
  }
  Lane& lane() { return *lane_; }
  void Succeeded() { fine_ = true; }
  // Retires the lane, unless it is the last one: memory is only sufficient for fewer frames at once.
  bool Retire() {
    const std::lock_guard lock(runner_.mutex_);
    if (runner_.lanes_ == 1) return false;
    runner_.lanes_--;
    lane_.reset();
    return true;
  }

 private:
  Runner& runner_;
  std::unique_ptr<Lane> lane_;
  bool fine_ = false;
};

Runner::Runner(framekiln::Plan plan, int device, bool plain)
    : device_(device), scope_(device), model_(std::move(plan), plain) {
  for (int i = 0; i < kLanes; i++) idle_.push_back(std::make_unique<Lane>());
}

Runner::~Runner() = default;

Tiling Runner::ChooseTiles(const FrameSpec& spec) const {
  if (spec.tile > 0) return PlanTiles(spec.size, spec.tile, spec.overlap);
  uint32_t edge = std::max(spec.size.height, spec.size.width);
  const double allowed = static_cast<double>(TotalBytes()) * kMostUsed;
  Tiling tiling = PlanTiles(spec.size, 0, spec.overlap);
  while (static_cast<double>(model_.WorkspaceBytes(tiling.window)) > allowed && edge > kSmallestTile) {
    edge = std::max(kSmallestTile, edge * 7 / 10);
    tiling = PlanTiles(spec.size, edge, spec.overlap);
  }
  return tiling;
}

bool Runner::IsLastLane() {
  const std::lock_guard lock(mutex_);
  return lanes_ == 1;
}

void Runner::Upscale(const FrameSpec& spec, std::span<const std::byte> input, std::span<std::byte> output) {
  const uint32_t scale = model_.scale();
  if (scale == 0) throw PlanError("The model does not upscale images.");
  if (input.size() != ImageBytes(spec.input.format, spec.size.width, spec.size.height) ||
      output.size() != ImageBytes(spec.output.format, spec.size.width * scale, spec.size.height * scale))
    throw PlanError("The length of a frame does not match its size.");
  UseDevice(device_);
  while (true) {
    Borrowed borrowed(*this);
    const bool only = IsLastLane();
    try {
      RunTiles(borrowed.lane(), spec, input, output, only);
      return borrowed.Succeeded();
    } catch (const DeviceError& error) {
      // If this lane became the last one meanwhile, it tries again with the memory of the others.
      if (error.failure != Failure::kOutOfMemory || (!borrowed.Retire() && only)) throw;
    }
  }
}

void Runner::RunTiles(Lane& lane, const FrameSpec& spec, std::span<const std::byte> input, std::span<std::byte> output,
                      bool only) {
  if (!lane.tiling || !lane.tiled_for.SameGeometry(spec)) {
    lane.tiling = ChooseTiles(spec);
    lane.tiled_for = spec;
  }
  const Tiling& tiling = *lane.tiling;
  const uint32_t scale = model_.scale();
  Grow(lane.device_in, input.size(), "a frame on the device");
  Grow(lane.device_out, output.size(), "an upscaled frame on the device");
  Grow(lane.host_in, input.size(), "a frame in pinned memory");
  Grow(lane.host_out, output.size(), "an upscaled frame in pinned memory");
  Workspace& workspace = lane.WorkspaceFor(model_, tiling.window, only);
  const Stream stream = lane.stream.get();

  std::memcpy(lane.host_in.data(), input.data(), input.size());
  CopyToDevice(lane.device_in.data(), lane.host_in.data(), input.size(), stream);
  for (const Tile& tile : tiling.tiles) {
    kernels::ReadImage read;
    read.image = lane.device_in.data();
    read.layout = spec.input;
    read.image_height = static_cast<int>(spec.size.height);
    read.image_width = static_cast<int>(spec.size.width);
    read.top = static_cast<int>(tile.window_top);
    read.left = static_cast<int>(tile.window_left);
    read.y = workspace.input();
    Check(kernels::LaunchReadImage(read, stream), "ReadImage");
    workspace.Run(stream);

    kernels::WriteImage write;
    write.image = lane.device_out.data();
    write.layout = spec.output;
    write.image_height = static_cast<int>(spec.size.height * scale);
    write.image_width = static_cast<int>(spec.size.width * scale);
    write.from_top = static_cast<int>((tile.core_top - tile.window_top) * scale);
    write.from_left = static_cast<int>((tile.core_left - tile.window_left) * scale);
    write.height = static_cast<int>(tile.core_height * scale);
    write.width = static_cast<int>(tile.core_width * scale);
    write.to_top = static_cast<int>(tile.core_top * scale);
    write.to_left = static_cast<int>(tile.core_left * scale);
    workspace.Write(write, stream);
  }
  CopyToHost(lane.host_out.data(), lane.device_out.data(), output.size(), stream);
  lane.stream.Wait("the model on a frame");
  std::memcpy(output.data(), lane.host_out.data(), output.size());
}

std::vector<NamedOutput> Runner::Run(std::span<const float> input, Size size) {
  const framekiln::Plan& plan = model_.plan();
  if (plan.tensors[0].channels != 3) throw PlanError("The model's input does not have three channels.");
  if (input.size() != size_t{size.height} * size.width * 3)
    throw PlanError("The length of the input does not match its size.");
  if (const uint32_t scale = model_.scale(); scale > 0) {
    const ImageLayout planar{ImageFormat::kPlanarFloat};
    NamedOutput upscaled{{1, 3, size.height * scale, size.width * scale}, {}};
    upscaled.data.resize(input.size() * scale * scale);
    const uint32_t whole = std::max(size.height, size.width);
    Upscale({size, planar, planar, whole, 0}, std::as_bytes(input), std::as_writable_bytes(std::span(upscaled.data)));
    return {std::move(upscaled)};
  }

  UseDevice(device_);
  Borrowed borrowed(*this);
  Lane& lane = borrowed.lane();
  lane.tiling.reset();
  const Stream stream = lane.stream.get();
  Workspace& workspace = lane.WorkspaceFor(model_, size, true);
  Grow(lane.device_in, input.size_bytes(), "an input on the device");
  CopyToDevice(lane.device_in.data(), input.data(), input.size_bytes(), stream);
  kernels::ReadImage read;
  read.image = lane.device_in.data();
  read.layout.format = ImageFormat::kPlanarFloat;
  read.image_height = static_cast<int>(size.height);
  read.image_width = static_cast<int>(size.width);
  read.y = workspace.input();
  Check(kernels::LaunchReadImage(read, stream), "ReadImage");
  workspace.Run(stream);

  std::vector<NamedOutput> outputs;
  for (const OutputRecord& output : plan.outputs) {
    const TensorRecord& tensor = plan.tensors[output.tensor];
    const Size out = workspace.output_size(output);
    const std::span<unsigned char> slot = workspace.slot(output.tensor);
    std::vector<uint16_t> halves(slot.size() / sizeof(uint16_t));
    CopyToHost(halves.data(), slot.data(), halves.size() * sizeof(uint16_t), stream);
    lane.stream.Wait("the model on a tensor");
    NamedOutput result{OutputShape(output, tensor, out), {}};
    result.data.resize(size_t{out.height} * out.width * tensor.channels);
    ForEachOutputElement(output, tensor, out,
                         [&](size_t to, size_t from) { result.data[to] = HalfToFloat(halves[from]); });
    outputs.push_back(std::move(result));
  }
  borrowed.Succeeded();
  return outputs;
}

}  // namespace framekiln::engine
