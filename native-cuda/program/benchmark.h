// Measures the kernels and whole models on a GPU.
#pragma once

#include <string>
#include <vector>

namespace framekiln::benchmark {

// Arguments: paths of model plans, and `--json FILE`. Returns 0 on success; fails with a message without a GPU.
int Run(const std::vector<std::string>& arguments);

}  // namespace framekiln::benchmark
