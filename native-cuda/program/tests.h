// Tests every kernel and whole model plans on the device against the CPU references, on random numbers.
#pragma once

#include <cstdint>

namespace framekiln::tests {

uint64_t FreshSeed();
// Returns 0 on success. Prints a line for each group, and the seed to reproduce a failure.
int RunAll(uint64_t seed);

}  // namespace framekiln::tests
