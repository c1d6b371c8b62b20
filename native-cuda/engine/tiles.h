// Divides a frame into the windows that go through a model one after the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../plan/plan.h"

namespace framekiln::engine {

// In source pixels: the window is the model's input, the core the part of the result that is kept. All windows of a frame have one size,
// so that one workspace (and one recorded graph) serves them: at the frame's end they move inwards instead of shrinking.
struct Tile {
  uint32_t window_top, window_left;
  uint32_t core_top, core_left, core_height, core_width;
};

struct Tiling {
  Size window;
  std::vector<Tile> tiles;
};

namespace detail {

struct Stretch {
  uint32_t window, core, length;
};

inline std::vector<Stretch> Split(uint32_t length, uint32_t core, uint32_t overlap, uint32_t window) {
  std::vector<Stretch> stretches;
  for (uint32_t at = 0; at < length; at += core) {
    const uint32_t first = at > overlap ? at - overlap : 0;
    stretches.push_back({std::min(first, length - window), at, std::min(core, length - at)});
  }
  return stretches;
}

}  // namespace detail

// `core`: edge of a tile's core in pixels, rounded up to an even number for 4:2:0; 0: the whole frame at once.
inline Tiling PlanTiles(Size frame, uint32_t core, uint32_t overlap) {
  const uint32_t longest = std::max(frame.height, frame.width);
  const uint32_t edge = core == 0 ? longest : std::min((core + 1) / 2 * 2, longest);
  const auto window = [&](uint32_t length) { return edge >= length ? length : std::min(length, edge + 2 * overlap); };
  Tiling tiling{{window(frame.height), window(frame.width)}, {}};
  for (const auto& v : detail::Split(frame.height, edge, overlap, tiling.window.height)) {
    for (const auto& h : detail::Split(frame.width, edge, overlap, tiling.window.width))
      tiling.tiles.push_back({v.window, h.window, v.core, h.core, v.length, h.length});
  }
  return tiling;
}

}  // namespace framekiln::engine
