// CPU references of the colour conversions, written from the standards and not from the kernels, in double precision,
// for one whole image at a time.
#pragma once

#include <vector>

#include "../kernels/image_format.h"
#include "layers.h"

namespace framekiln::reference {

// Decodes an image to RGB [height][width][3] in 0..1 (not clamped if a YUV triple is outside of RGB).
std::vector<double> ReadImage(const std::vector<unsigned char>& bytes, const ImageLayout& layout, int height,
                                int width);

// Encodes RGB [height][width][3]; clamped to 0..1 except for planar floats.
std::vector<unsigned char> WriteImage(const std::vector<double>& rgb, const ImageLayout& layout, int height,
                                        int width);

}  // namespace framekiln::reference
