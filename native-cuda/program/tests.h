// Every kernel against its reference, and whole plans on the device against the reference, on fresh random numbers.
#pragma once

#include <cstdint>

namespace framekiln::tests {

uint64_t FreshSeed();
// 0 when all is well. Prints a line for each group, and the seed that repeats a failure.
int RunAll(uint64_t seed);

}  // namespace framekiln::tests
