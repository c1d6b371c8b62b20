#pragma once

#include <cstdint>

namespace framekiln::cpu {

// Prints one line for each test, which is repeated at most `most` times; returns the exit code.
int RunTests(uint64_t seed, int most);

}  // namespace framekiln::cpu
