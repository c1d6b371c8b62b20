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

inline uint32_t Cores(uint32_t length, uint32_t edge) { return (length + edge - 1) / edge; }

// Cores of equal lengths, even for 4:2:0, instead of full ones and a narrow rest that would cost as much as they do.
inline uint32_t CoreLength(uint32_t length, uint32_t edge) {
  const uint32_t count = Cores(length, edge);
  return std::min(length, ((length + count - 1) / count + 1) / 2 * 2);
}

// With two cores, each has one neighbour; with three, the middle one has two.
inline uint32_t WindowLength(uint32_t length, uint32_t edge, uint32_t overlap) {
  const uint32_t neighbours = std::min(Cores(length, edge) - 1, 2u);
  return std::min(length, CoreLength(length, edge) + neighbours * overlap);
}

inline std::vector<Stretch> Split(uint32_t length, uint32_t edge, uint32_t overlap) {
  const uint32_t core = CoreLength(length, edge), window = WindowLength(length, edge, overlap);
  std::vector<Stretch> stretches;
  for (uint32_t at = 0; at < length; at += core) {
    const uint32_t first = at > overlap ? at - overlap : 0;
    stretches.push_back({std::min(first, length - window), at, std::min(core, length - at)});
  }
  return stretches;
}

}  // namespace detail

// `core`: largest edge of a tile's core in pixels; 0: the whole frame at once.
inline Tiling PlanTiles(Size frame, uint32_t core, uint32_t overlap) {
  const uint32_t edge = core == 0 ? std::max(frame.height, frame.width) : core;
  Tiling tiling{{detail::WindowLength(frame.height, edge, overlap), detail::WindowLength(frame.width, edge, overlap)}, {}};
  for (const auto& v : detail::Split(frame.height, edge, overlap)) {
    for (const auto& h : detail::Split(frame.width, edge, overlap))
      tiling.tiles.push_back({v.window, h.window, v.core, h.core, v.length, h.length});
  }
  return tiling;
}

}  // namespace framekiln::engine
