// A model plan on the device: its weights, packed for the kernels, and the workspaces that it runs in.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "../kernels/image.cuh"
#include "../plan/plan.h"
#include "device.h"

namespace framekiln::engine {

// The last step of an image model if it can be fused with the conversion of its output: a depth_to_space whose result
// no other step reads.
struct FusedTail {
  StepRecord step;
};

class Model {
 public:
  // Packs and uploads. Throws DeviceError.
  // `plain`: without wgmma, also on a GPU that has it.
  Model(Plan plan, bool plain);

  const Plan& plan() const { return plan_; }
  // The last step, if writing the image performs it; only for models with one output image of three channels.
  const std::optional<FusedTail>& tail() const { return tail_; }
  // Output pixels per input pixel along an edge, if the model makes one image from one; else 0.
  uint32_t scale() const { return scale_; }
  // Bytes of a workspace for images of this size.
  size_t WorkspaceBytes(Size size) const;

 private:
  friend class Workspace;
  struct StepWeights {
    size_t weights = 0, bias = 0, slopes = 0;  // Offsets in bytes.
    enum class Kernel { kDirect, kTensor, kWgmma } kernel = Kernel::kDirect;
  };
  uint32_t FindScale() const;
  std::optional<FusedTail> FindTail() const;

  Plan plan_;
  uint32_t scale_ = 0;
  std::optional<FusedTail> tail_;
  std::vector<StepWeights> step_weights_;
  DeviceMemory weights_;
};

// Memory for one image at a time, of one size. Not thread-safe.
class Workspace {
 public:
  Workspace(const Model& model, Size size);

  Size size() const { return size_; }
  kernels::Tensor tensor(uint32_t number) const;
  kernels::Tensor input() const { return tensor(0); }
  Size output_size(const OutputRecord& output) const { return sizes_[output.tensor]; }
  // Enqueues the steps (without the tail, if it is fused) on the contents of the input tensor.
  void Run(Stream stream);
  // Enqueues the conversion of the image model's output, with the tail, into `write`'s image and place.
  void Write(kernels::WriteImage write, Stream stream) const;
  // The slot of an output's tensor, to copy it from.
  std::span<unsigned char> slot(uint32_t number) const;

 private:
  void Enqueue(size_t step, Stream stream) const;

  const Model& model_;
  Size size_;
  std::vector<Size> sizes_;
  std::vector<size_t> slot_offsets_;  // One more than there are slots.
  DeviceMemory memory_;
  Graph graph_;
};

}  // namespace framekiln::engine
