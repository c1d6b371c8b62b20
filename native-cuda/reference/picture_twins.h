// The twins of the colour conversions, written from the standards and not from the kernels: in double precision, one
// whole picture at a time.
#pragma once

#include <vector>

#include "../kernels/picture_format.h"
#include "twins.h"

namespace framekiln::reference {

// Of a picture's bytes, RGB [height][width][3] in 0..1 (not clamped where a YUV triple lies outside of RGB).
std::vector<double> ReadPicture(const std::vector<unsigned char>& bytes, const PictureLayout& layout, int height,
                                int width);

// The bytes of a picture of RGB [height][width][3]; clamped to 0..1 but for planar floats.
std::vector<unsigned char> WritePicture(const std::vector<double>& rgb, const PictureLayout& layout, int height,
                                        int width);

// A part of the target and the part of the source that fills it; see kernels/compose.cuh.
struct PaneTwin {
  int left, top, width, height;
  double source_left, source_top, source_width, source_height;
};
// [height][width][3] bytes from [source_height][source_width][3] bytes.
std::vector<unsigned char> Compose(const std::vector<unsigned char>& source, int source_height, int source_width,
                                   const std::vector<PaneTwin>& panes, int height, int width);

}  // namespace framekiln::reference
