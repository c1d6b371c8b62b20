// Speed of the kernels and of whole models on a GPU.
#pragma once

#include <string>
#include <vector>

namespace framekiln::benchmark {

// Arguments: plans' paths, and `--json FILE`. 0 when it ran; without a GPU it says so and fails.
int Run(const std::vector<std::string>& arguments);

}  // namespace framekiln::benchmark
