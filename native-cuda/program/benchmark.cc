#include "benchmark.h"

#include <iostream>

namespace framekiln::benchmark {

int Run(const std::vector<std::string>&) { return 1; }

}  // namespace framekiln::benchmark
