#pragma once

#include <cstdint>

namespace framekiln::cpu {

// Prints one line for each test; returns the exit code.
int RunTests(uint64_t seed);

}  // namespace framekiln::cpu
