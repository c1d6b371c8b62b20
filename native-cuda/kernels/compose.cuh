// Split-screen composition: rectangles of one image, resized, side by side in another.
#pragma once

#include "device.cuh"

namespace framekiln::kernels {

// A part of the output and the part of the source that fills it, in pixels; the source's may lie between pixels.
struct Pane {
  int left = 0, top = 0, width = 0, height = 0;
  float source_left = 0, source_top = 0, source_width = 0, source_height = 0;
};

inline constexpr int kMaxPanes = 4;

// Images are [height][width][3] bytes. What no pane covers is black; of panes that overlap the first one counts. A
// source rectangle that reaches beyond the image sees its edge repeated.
struct Compose {
  const uint8_t* source = nullptr;
  int source_height = 0, source_width = 0;
  uint8_t* target = nullptr;
  int target_height = 0, target_width = 0;
  Pane panes[kMaxPanes];
  int pane_count = 0;
};
DeviceStatus LaunchCompose(const Compose& compose, Stream stream);

}  // namespace framekiln::kernels
