// Speed of the kernels and of whole networks on a card.
#pragma once

#include <string>
#include <vector>

namespace framekiln::benchmark {

// Arguments: plans' paths, and `--json FILE`. 0 when it ran; without a card it says so and fails.
int Run(const std::vector<std::string>& arguments);

}  // namespace framekiln::benchmark
