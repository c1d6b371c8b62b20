// Executes a whole model plan on the CPU in float32: the reference for every other executor, not a fast engine.
#pragma once

#include <span>
#include <vector>

#include "../plan/plan.h"

namespace framekiln::reference {

struct Output {
  std::vector<uint32_t> shape;  // According to the plan's OutputLayout.
  std::vector<float> data;
};

// `input` is [channels, height, width], planes one after the other. Throws PlanError if the sizes do not match.
std::vector<Output> Execute(const Plan& plan, std::span<const float> input, Size size);

}  // namespace framekiln::reference
