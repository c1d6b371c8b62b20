// The instruction sets that this build knows and this machine has.
#pragma once

#include <string>
#include <vector>

#include "kernels.h"

namespace framekiln::cpu {

// The best first; the last one runs everywhere.
std::vector<const Kernels*> AvailableKernels();

// The kernels of that name, or the best for an empty name. Throws std::invalid_argument where this machine lacks it.
const Kernels& ChooseKernels(const std::string& name);

// Samples of a frame as planar YUV.
size_t YuvSamples(const YuvConversion& conversion);

// Converts a frame of packed RGB. Components of 16 bits begin at even addresses.
void ConvertFrameToYuv(const Kernels& kernels, const YuvConversion& conversion, const void* rgb, void* yuv);

}  // namespace framekiln::cpu
