// Weights of a 3x3 convolution in the forms that the kernels read.
#pragma once

#include <cstdint>

#include "memory.h"

namespace framekiln::cpu {

// [cout][3][3][cin] of a model plan, padded with zeros to `padded_cin` and `padded_cout` channels.
struct PlainWeights {
  const float* data;
  uint32_t cin, cout, padded_cin, padded_cout;
};

// [tap of the tile][block of columns][cin][column] for tiles of `edge` output pixels.
Memory WinogradWeights(const PlainWeights& weights, uint32_t edge, uint32_t column_block);

// The same in words, [tap of the tile][block of columns][pair of cin][column][2], in the order of Words::Convert(), with
// the numbers that products are to be multiplied by.
struct WordWeights {
  Memory words;
  Memory position_scales, column_scales;
};
WordWeights WinogradWords(const PlainWeights& weights, uint32_t edge, uint32_t column_block);

// [3][3][cin][cout] of a convolution of an input image, whose channels are not padded.
Memory InputWeights(const PlainWeights& weights);

}  // namespace framekiln::cpu
