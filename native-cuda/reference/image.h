// The references of the colour conversions, written from the standards and not from the kernels: in double precision, one
// whole image at a time.
#pragma once

#include <vector>

#include "../kernels/image_format.h"
#include "references.h"

namespace framekiln::reference {

// Of a image's bytes, RGB [height][width][3] in 0..1 (not clamped where a YUV triple lies outside of RGB).
std::vector<double> ReadImage(const std::vector<unsigned char>& bytes, const ImageLayout& layout, int height,
                                int width);

// The bytes of a image of RGB [height][width][3]; clamped to 0..1 but for planar floats.
std::vector<unsigned char> WriteImage(const std::vector<double>& rgb, const ImageLayout& layout, int height,
                                        int width);

// A part of the target and the part of the source that fills it; see kernels/compose.cuh.
struct PaneReference {
  int left, top, width, height;
  double source_left, source_top, source_width, source_height;
};
// [height][width][3] bytes from [source_height][source_width][3] bytes.
std::vector<unsigned char> Compose(const std::vector<unsigned char>& source, int source_height, int source_width,
                                   const std::vector<PaneReference>& panes, int height, int width);

}  // namespace framekiln::reference
