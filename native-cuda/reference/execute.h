// A whole plan on the CPU, in float32: the yardstick for every other executor, not a fast engine.
#pragma once

#include <span>
#include <vector>

#include "../plan/plan.h"

namespace framekiln::reference {

struct Output {
  std::vector<uint32_t> shape;  // As the plan's OutputLayout has it.
  std::vector<float> data;
};

// `input` is [channels, height, width], planes one after the other. Throws PlanError where sizes do not fit.
std::vector<Output> Execute(const Plan& plan, std::span<const float> input, Size size);

}  // namespace framekiln::reference
