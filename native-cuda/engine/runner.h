// Frames through a model: several at once, each on a stream of its own, so that copies hide behind computing.
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
  uint32_t tile = 0;     // Edge of a tile's core in source pixels; 0: as large as a GPU of this size has room for.
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

// May be called from several threads at once; who comes while all lanes are busy waits for one.
class Runner {
 public:
  // Frames under way at once: one is copied in, one computed, one copied out.
  static constexpr int kLanes = 3;

  Runner(Plan plan, int device);
  ~Runner();

  const Model& model() const { return model_; }

  // `input` and `output` have ImageBytes of the frame and of the upscaled frame. The model must upscale
  // (model().scale() > 0). Throws DeviceError; after kOutOfMemory, which comes only when there is not even room for
  // one frame at a time, a smaller tile may succeed.
  void Upscale(const FrameSpec& spec, std::span<const std::byte> input, std::span<std::byte> output);

  // One tensor [3][height][width] in, every output of the plan out.
  std::vector<NamedOutput> Run(std::span<const float> input, Size size);

 private:
  struct Lane;
  class Borrowed;

  Tiling ChooseTiles(const FrameSpec& spec) const;
  void RunTiles(Lane& lane, const FrameSpec& spec, std::span<const std::byte> input, std::span<std::byte> output);

  const int device_;
  struct DeviceScope {
    explicit DeviceScope(int device) { UseDevice(device); }
  } scope_;  // Before the model, which uploads its weights.
  const Model model_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Lane>> idle_;
  int lanes_ = kLanes;  // Idle or at work; fewer than at the start where memory was short.
};

}  // namespace framekiln::engine
