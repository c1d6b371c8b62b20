#include "runner.h"

#include <algorithm>

namespace framekiln::cpu {
namespace {

// A group of tiles is transformed, multiplied and transformed back by one thread. It has so many tiles that reading the
// weights once for all of them does not matter, and so few that their values stay in the second-level cache.
constexpr uint32_t kGroupTiles = 18;
constexpr size_t kGroupBytes = 448 << 10;
// Rows of simple layers that one thread does at a time.
constexpr uint32_t kRows = 8;
// Zeros around an input image: one pixel, and what a block of pixels reads beyond it.
constexpr size_t kBorder = 1;
// Rows of activations are this many pixels apart, or a multiple of it: 16 kB with 64 channels. With other distances kFast
// is 5 to 12 % slower on Zen 4, for whatever reason; the other precisions are not.
constexpr uint32_t kRowPixels = 64;

template <typename Component>
void ReadRow(const Component* from, uint32_t width, float largest, float* to) {
  for (uint32_t x = 0; x < width; x++) {
    for (uint32_t c = 0; c < 3; c++) to[x * kInputPitch + c] = static_cast<float>(from[x * 3 + c]) / largest;
  }
}

// Of layers that are divided into groups of kRows rows.
Range RowsOf(uint32_t group, uint32_t height) { return {group * kRows, std::min(height, (group + 1) * kRows)}; }
Range GroupsOf(Range rows, uint32_t height) { return {rows.first / kRows, (std::min(height, rows.end) - 1) / kRows + 1}; }

size_t RowPixels(Size size) { return (size.width + kRowPixels - 1) / kRowPixels * kRowPixels; }

uint32_t GroupTiles(const Layer& layer, const Kernels& kernels) {
  const Convolution& c = layer.convolution;
  const uint32_t block = kernels.row_block(c.cout);
  uint32_t tiles = (kGroupTiles + block - 1) / block * block;
  while (tiles > block && layer.kernel.scratch_bytes(c.cin, c.cout, tiles) > kGroupBytes) tiles -= block;
  return tiles;
}

}  // namespace

struct Runner::Pass {
  // How a slot is laid out.
  struct Layout {
    uint32_t pitch = 0, scale = 0;
  };

  const WindowSpec& spec;
  const void* source;
  Size size;  // Of the window.
  ImageSink sink;
  std::vector<Phase> phases;
  std::vector<Layout> layouts;  // Of each slot, as it was written last.
  uint32_t last_scale = 1;      // Of what the last phase writes.
};

Runner::Runner(const Plan& plan, const Kernels& kernels, Precision precision, uint32_t threads)
    : model_(plan, kernels, precision), pool_(threads) {
  for (const Layer& layer : model_.layers()) {
    if (layer.kind == Layer::Kind::kWinograd)
      scratch_bytes_ = std::max(scratch_bytes_, layer.kernel.scratch_bytes(layer.convolution.cin, layer.convolution.cout, GroupTiles(layer, model_.kernels())));
  }
  scratch_bytes_ = (scratch_bytes_ + 4095) / 4096 * 4096;
  // At least one huge page, so that it is in huge pages.
  scratch_ = Memory(std::max(size_t{1} << 21, scratch_bytes_ * pool_.size()));
}

void Runner::Upscale(const WindowSpec& spec, const void* source, void* target) {
  const std::lock_guard lock(mutex_);
  const Size size{spec.window.height, spec.window.width};
  Allocate(size);
  const uint32_t scale = model_.scale(), unshuffled = scale / model_.shuffle();
  Pass pass{spec, source, size, {}, {}, std::vector<Pass::Layout>(slots_.size())};
  pass.sink = {
      .format = spec.format == PixelFormat::kRgb24   ? ImageSink::Format::kBytes
                : spec.format == PixelFormat::kRgb48 ? ImageSink::Format::kWords
                                                     : ImageSink::Format::kPlanes,
      .pixels = target,
      .target_height = spec.frame.height * scale,
      .target_width = spec.frame.width * scale,
      .factor = model_.shuffle(),
      .base = model_.adds_input() ? ImageOf(0, size).data : nullptr,
      .base_row = ImageOf(0, size).row,
      .core_top = (spec.core.top - spec.window.top) * unshuffled,
      .core_left = (spec.core.left - spec.window.left) * unshuffled,
      .core_height = spec.core.height * unshuffled,
      .core_width = spec.core.width * unshuffled,
      .target_top = spec.core.top * unshuffled,
      .target_left = spec.core.left * unshuffled,
  };
  AddReading(pass);
  for (const Layer& layer : model_.layers()) AddLayer(pass, layer);
  RunPhases(pool_, pass.phases);
}

size_t Runner::bytes_per_pixel() const {
  size_t floats = kInputPitch;
  for (const size_t slot : model_.slots()) floats += slot;
  return floats * sizeof(float);
}

// Memory is kept for the next image, which mostly has the same size.
void Runner::Allocate(Size size) {
  if (size.height == size_.height && size.width == size_.width) return;
  size_ = {};
  // Zeros again, because the border is elsewhere now.
  input_ = Memory((size.height + 2 * kBorder) * (size.width + 2 * kBorder) * kInputPitch * sizeof(float));
  slots_.resize(model_.slots().size());
  for (size_t slot = 0; slot < slots_.size(); slot++) {
    const size_t bytes = model_.slots()[slot] * size.height * RowPixels(size) * sizeof(float);
    // The old memory is freed first: both together may be too much.
    if (slots_[slot].bytes() < bytes) slots_[slot] = Memory();
    if (slots_[slot].bytes() < bytes) slots_[slot] = Memory(bytes);
  }
  size_ = size;
}

Image Runner::ImageOf(uint32_t tensor, Size size) const {
  if (tensor == 0) {
    const size_t row = (size.width + 2 * kBorder) * kInputPitch;
    return {input_.floats() + row + kInputPitch, size.height, size.width, kInputPitch, row};
  }
  const Tensor& t = model_.tensors()[tensor];
  const size_t pitch = t.pitch;
  const uint32_t height = size.height * t.scale, width = size.width * t.scale;
  return {slots_[t.slot].floats() + t.offset, height, width, pitch, pitch * t.scale * RowPixels(size)};
}

void Runner::AddReading(Pass& pass) {
  const Image to = ImageOf(0, pass.size);
  const WindowSpec& spec = pass.spec;
  const void* source = pass.source;
  const auto read = [=, &spec](uint32_t y) {
    const size_t first = size_t{spec.window.top + y} * spec.frame.width + spec.window.left;
    float* row = to.data + y * to.row;
    if (spec.format == PixelFormat::kRgb24) {
      ReadRow(static_cast<const uint8_t*>(source) + first * 3, to.width, 255.0f, row);
    } else if (spec.format == PixelFormat::kRgb48) {
      ReadRow(static_cast<const uint16_t*>(source) + first * 3, to.width, 65535.0f, row);
    } else {
      const size_t plane = size_t{spec.frame.height} * spec.frame.width;
      for (uint32_t x = 0; x < to.width; x++) {
        for (uint32_t c = 0; c < 3; c++) row[x * kInputPitch + c] = static_cast<const float*>(source)[c * plane + first + x];
      }
    }
  };
  AddPhase(pass, nullptr, {(to.height + kRows - 1) / kRows,
                         [=](uint32_t group, uint32_t, uint32_t) {
                           const uint32_t end = std::min(to.height, (group + 1) * kRows);
                           for (uint32_t y = group * kRows; y < end; y++) read(y);
                         },
                         [=](uint32_t group) { return RowsOf(group, to.height); },
                         [=](Range rows) { return GroupsOf(rows, to.height); }});
}

// Rows of a slot are only the same rows of memory while the slot has one layout; a phase that changes it must not
// overwrite what an earlier one still reads.
void Runner::AddPhase(Pass& pass, const Layer* layer, Phase phase) {
  if (layer != nullptr) {
    const Tensor& y = model_.tensors()[layer->output];
    const uint32_t read = model_.tensors()[layer->input].scale;
    const bool resized = !pass.phases.empty() && pass.last_scale != y.scale;
    phase.waits_for_all = resized || read != y.scale;
    pass.last_scale = y.scale;
    if (y.pitch != 0) {
      Pass::Layout& layout = pass.layouts[y.slot];
      phase.waits_for_all |= layout.pitch != 0 && (layout.pitch != y.pitch || layout.scale != y.scale);
      layout = {y.pitch, y.scale};
    }
  }
  pass.phases.push_back(std::move(phase));
}

void Runner::AddLayer(Pass& pass, const Layer& layer) {
  switch (layer.kind) {
    case Layer::Kind::kInputConvolution: return AddInputConvolution(pass, layer);
    case Layer::Kind::kWinograd: return AddWinograd(pass, layer);
    case Layer::Kind::kResize: return AddResize(pass, layer);
  }
}

ConvolutionCall Runner::CallFor(const Pass& pass, const Layer& layer) const {
  const auto residual = [&](uint32_t tensor) { return tensor == kNone ? Image{} : ImageOf(tensor, pass.size); };
  const bool last = &layer == &model_.layers().back();
  return {&layer.convolution,          ImageOf(layer.input, pass.size), ImageOf(layer.output, pass.size),
          residual(layer.residual1), residual(layer.residual2),       last ? &pass.sink : nullptr};
}

void Runner::AddInputConvolution(Pass& pass, const Layer& layer) {
  const ConvolutionCall call = CallFor(pass, layer);
  const uint32_t height = call.output.height;
  const auto convolve = model_.kernels().convolve_input;
  AddPhase(pass, &layer, {(height + kRows - 1) / kRows,
                         [=](uint32_t group, uint32_t, uint32_t) {
                           convolve(call, group * kRows, std::min(kRows, height - group * kRows));
                         },
                         [=](uint32_t group) { return RowsOf(group, height); },
                         [=](Range rows) { return GroupsOf(rows, height); }});
}

void Runner::AddWinograd(Pass& pass, const Layer& layer) {
  const ConvolutionCall call = CallFor(pass, layer);
  const SchemeKernel kernel = layer.kernel;
  const uint32_t height = call.input.height, edge = kernel.edge, each = GroupTiles(layer, model_.kernels());
  const uint32_t across = (call.input.width + edge - 1) / edge;
  const uint32_t tiles = across * ((height + edge - 1) / edge);
  const auto tiles_of = [=](uint32_t group) { return Tiles{group * each, std::min(each, tiles - group * each)}; };
  AddPhase(pass, &layer, {(tiles + each - 1) / each,
                         [=, this](uint32_t group, uint32_t next, uint32_t thread) {
                           kernel.convolve(call, tiles_of(group), next == kNoGroup ? Tiles{} : tiles_of(next), static_cast<char*>(scratch_.data()) + thread * scratch_bytes_);
                         },
                         [=](uint32_t group) -> Range {
                           const uint32_t last = std::min(tiles, (group + 1) * each) - 1;
                           return {group * each / across * edge, std::min(height, (last / across + 1) * edge)};
                         },
                         [=](Range rows) -> Range {
                           const uint32_t last = (std::min(height, rows.end) - 1) / edge;
                           return {rows.first / edge * across / each, ((last + 1) * across + each - 1) / each};
                         }});
}

void Runner::AddResize(Pass& pass, const Layer& layer) {
  const Image x = ImageOf(layer.input, pass.size), y = ImageOf(layer.output, pass.size);
  const uint32_t factor = layer.factor;
  const uint32_t channels = (model_.tensors()[layer.input].channels + kChannelBlock - 1) / kChannelBlock * kChannelBlock;
  AddPhase(pass, &layer, {(y.height + kRows - 1) / kRows,
                         [=](uint32_t group, uint32_t, uint32_t) {
                           const uint32_t end = std::min(y.height, (group + 1) * kRows);
                           for (uint32_t row = group * kRows; row < end; row++) {
                             for (uint32_t column = 0; column < y.width; column++)
                               std::copy_n(x.data + row / factor * x.row + column / factor * x.pitch, channels,
                                           y.data + row * y.row + column * y.pitch);
                           }
                         },
                         [=](uint32_t group) { return RowsOf(group, y.height); },
                         [=](Range rows) { return GroupsOf(rows, y.height); }});
}

}  // namespace framekiln::cpu
