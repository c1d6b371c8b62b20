// What the engine asks of an instruction set. `kernels.cc` is compiled once for each of them, with its own flags, so
// nothing here may bring in inline functions of the standard library: the linker keeps one copy of each, and that copy
// could contain instructions that this machine lacks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "yuv.h"

namespace framekiln::cpu {

// Channels are padded to a multiple of this, which every vector length divides.
inline constexpr uint32_t kChannelBlock = 16;
// The most channels of a tensor, padded.
inline constexpr uint32_t kMaxChannels = 256;
// The pixels of an input image, which stands in a border of zeros, have this many floats.
inline constexpr uint32_t kInputPitch = 4;

// Activations of one tensor: `pitch` floats lie between two pixels, and `row` between two rows.
struct Image {
  float* data;
  uint32_t height, width;
  size_t pitch, row;
};

// y = act(conv(x) + bias) * scale + scale1 * residual1 + scale2 * residual2; with `act_last`, act of the whole sum.
// Negative values are multiplied by `slopes`; bias and slopes have `cout` numbers.
struct Epilogue {
  const float* bias;
  const float* slopes;
  float scale, scale1, scale2;
  bool act_last;
};

// Where the last layer of a model writes: an area of an image in the caller's memory.
struct ImageSink {
  enum class Format : uint32_t { kBytes, kWords, kPlanes };  // Packed RGB of 8 or 16 bits, or planes of floats.
  Format format;
  void* pixels;
  uint32_t target_height, target_width;
  uint32_t factor;     // Channels are (colour, row, column) of factor x factor pixels.
  const float* base;   // Added to each pixel: an input image, or null.
  size_t base_row;
  uint32_t core_top, core_left, core_height, core_width;  // What of the layer's output is kept, before `factor`.
  uint32_t target_top, target_left;                       // Where the core's first pixel goes, before `factor`.
};

struct Convolution {
  uint32_t cin, cout;   // Padded.
  const void* weights;  // As `Kernels::column_block` and the scheme order them.
  Epilogue epilogue;
  // Only for words: what a product of each position of a tile, and of each output channel, is multiplied by.
  const float* position_scales;
  const float* column_scales;
};

// One convolution of one image. Residuals without data are absent; `sink` is null where `output` is written.
struct ConvolutionCall {
  const Convolution* layer;
  Image input, output, residual1, residual2;
  const ImageSink* sink;
};

// The largest word of a transformed value. Weights are scaled so that a sum of products fits 32 bits.
inline constexpr int32_t kLargestWord = 16383;
// Input channels of words are padded to a multiple of this.
inline constexpr uint32_t kWordBlock = 32;

// Tiles from `first`, counted row by row.
struct Tiles {
  uint32_t first, count;
};

// How a 3x3 convolution is computed. Without `convolve`, the instruction set has nothing to gain by it.
struct SchemeKernel {
  uint32_t edge;  // Output pixels along one edge of a tile.
  bool words;     // Whether it multiplies words of 16 bits, not floats.
  // Computes some tiles. `scratch` has `scratch_bytes`. What `next` reads is fetched meanwhile; it may be empty.
  void (*convolve)(const ConvolutionCall& call, Tiles tiles, Tiles next, void* scratch);
  size_t (*scratch_bytes)(uint32_t cin, uint32_t cout, uint32_t count);
};

struct Kernels {
  const char* name;
  // Output channels that lie side by side in the weights of a convolution with `cout` channels.
  uint32_t (*column_block)(uint32_t cout);
  // Tiles that are multiplied at once; a group should have a multiple of it.
  uint32_t (*row_block)(uint32_t cout);
  // A convolution of an input image, whose weights are [3][3][3 colours][cout].
  void (*convolve_input)(const ConvolutionCall& call, uint32_t first_row, uint32_t rows);
  SchemeKernel f6_floats, f4_floats, f6_words, f4_words;
  // Converts a frame; see ConvertFrameToYuv in dispatch.h.
  void (*convert_to_yuv)(const YuvConversion& conversion, const void* rgb, void* yuv, float* scratch);
};

extern const Kernels kPlainKernels;
#ifdef __x86_64__
extern const Kernels kAvx2Kernels, kAvx512Kernels, kAvx512VnniKernels;
#ifdef FRAMEKILN_AVX_VNNI  // Old compilers do not know these instructions.
extern const Kernels kAvx2VnniKernels;
#endif
#endif

}  // namespace framekiln::cpu
