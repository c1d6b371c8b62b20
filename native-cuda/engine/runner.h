// Runs frames through a model: several at once, each on its own stream, so that copies overlap with computation.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "model.h"
#include "tiles.h"

namespace framekiln::engine {

struct FrameSpec {
  Size size;
  ImageLayout input;
  ImageLayout output;
  uint32_t tile = 0;     // Edge of a tile's core in source pixels; 0: as large as fits this GPU.
  uint32_t overlap = 0;  // Source pixels around a core.

  bool SameGeometry(const FrameSpec& other) const {
    return size.height == other.size.height && size.width == other.size.width && tile == other.tile &&
           overlap == other.overlap;
  }
};

struct NamedOutput {
  std::vector<uint32_t> shape;
  std::vector<float> data;
};

// Thread-safe; a call waits while all lanes are busy.
class Runner {
 public:
  // Frames in progress at once: one is copied in, one computed, one copied out.
  static constexpr int kLanes = 3;

  // `plain`: only with kernels that every GPU has.
  Runner(Plan plan, int device, bool plain = false);
  ~Runner();

  const Model& model() const { return model_; }

  // `input` and `output` have ImageBytes of the frame and of the upscaled frame. The model must upscale
  // (model().scale() > 0). Throws DeviceError; after kOutOfMemory, which is thrown only if not even
  // one frame at a time fits, a smaller tile may succeed.
  void Upscale(const FrameSpec& spec, std::span<const std::byte> input, std::span<std::byte> output);

  // Runs one tensor [3][height][width] and returns every output of the plan.
  std::vector<NamedOutput> Run(std::span<const float> input, Size size);

 private:
  struct Lane;
  class Borrowed;

  Tiling ChooseTiles(const FrameSpec& spec) const;
  bool IsLastLane();
  // `only`: no other lane is left.
  void RunTiles(Lane& lane, const FrameSpec& spec, std::span<const std::byte> input, std::span<std::byte> output, bool only);

  const int device_;
  struct DeviceScope {
    explicit DeviceScope(int device) { UseDevice(device); }
  } scope_;  // Before the model, which uploads its weights.
  const Model model_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Lane>> idle_;
  int lanes_ = kLanes;  // Idle or busy; fewer than at the start after running out of memory.
};

}  // namespace framekiln::engine
