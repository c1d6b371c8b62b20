// The shape of an output and the position of each of its numbers in its NHWC tensor, the same for every executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan.h"

namespace framekiln {

inline std::vector<uint32_t> OutputShape(const OutputRecord& output, const TensorRecord& tensor, Size size) {
  const uint32_t numbers = size.height * size.width * tensor.channels;
  switch (output.layout) {
    case OutputLayout::kImage: return {1, tensor.channels, size.height, size.width};
    case OutputLayout::kRows: return {1, numbers / output.columns, output.columns};
    case OutputLayout::kVector: break;
  }
  return {1, numbers};
}

// Element of the slot (tensor.offset included) for each number of the output, in the output's order.
template <typename Visit>
void ForEachOutputElement(const OutputRecord& output, const TensorRecord& tensor, Size size, Visit visit) {
  const size_t pixels = size_t{size.height} * size.width;
  const bool planes = output.layout != OutputLayout::kRows;
  size_t to = 0;
  for (size_t outer = 0; outer < (planes ? tensor.channels : pixels); outer++) {
    for (size_t inner = 0; inner < (planes ? pixels : tensor.channels); inner++) {
      const size_t pixel = planes ? inner : outer;
      const size_t channel = planes ? outer : inner;
      visit(to++, pixel * tensor.pitch + tensor.offset + channel);
    }
  }
}

}  // namespace framekiln
