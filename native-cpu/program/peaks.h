// What the processor can do at most, to compare the kernels with.
#pragma once

#include <cstdint>

namespace framekiln::cpu {

// Prints a line `INSTRUCTIONS KIND RATE` for each kind of multiplication of each instruction set of this machine: billions of
// multiplications and additions per second of CPU time of one thread, while `threads` threads run. Takes a second.
void PrintPeaks(uint32_t threads);

}  // namespace framekiln::cpu
