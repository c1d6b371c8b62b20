#include "kernels.h"

#include "vector.h"
#include "winograd.h"

namespace framekiln::cpu {
namespace FRAMEKILN_ISA {

void ConvertToYuv(const YuvConversion& conversion, const void* rgb, void* yuv, float* scratch);  // yuv.cc

namespace {

constexpr int kLeast = kChannelBlock / kLanes;  // Vectors of the fewest channels.

constexpr int LargestColumns() {
  if (kLanes == 16) return 4;
  return kRegisters == 32 ? 4 : 2;
}

uint32_t Columns(uint32_t cout) {
  for (int columns = LargestColumns(); columns > 1; columns--) {
    if (cout % (columns * kLanes) == 0) return columns;
  }
  return 1;
}

uint32_t ColumnBlock(uint32_t cout) { return Columns(cout) * kLanes; }

// Rows of a block of products: as many as the registers hold beside a row of weights and one number.
template <int Columns>
constexpr int RowsFor() {
  constexpr int kFit = (kRegisters - Columns - 1) / Columns;
  return kFit >= 12 ? 12 : kFit >= 8 ? 8 : 6;
}

uint32_t MinOf(uint32_t a, uint32_t b) { return a < b ? a : b; }
uint32_t MaxOf(uint32_t a, uint32_t b) { return a > b ? a : b; }
uint32_t RoundUp(uint32_t value, uint32_t to) { return (value + to - 1) / to * to; }

// Multiplies floats.
struct Floats {
  using Value = float;
  static constexpr bool kWords = false;
  static constexpr uint32_t kDepthBlock = 1;

  // products[row][column] = sum over k of values[row][k] * weights[k][column]. `next` are the weights of the next block,
  // which are fetched meanwhile: they come from a distant cache.
  template <int Rows, int Columns>
  static FRAMEKILN_INLINE void Multiply(const char* values, size_t pitch, const float* weights, uint32_t depth,
                                        const float*, char* products, size_t products_pitch, const float* next) {
    Vector sums[Rows][Columns] = {};
    for (uint32_t k = 0; k < depth; k++) {
      Vector row[Columns];
      FRAMEKILN_UNROLL for (int c = 0; c < Columns; c++) row[c] = Load(weights + (size_t{k} * Columns + c) * kLanes);
      __builtin_prefetch(next + size_t{k} * 16, 0, 2);
      FRAMEKILN_UNROLL for (int r = 0; r < Rows; r++) {
        const Vector value = All(reinterpret_cast<const float*>(values + r * pitch)[k]);
        FRAMEKILN_UNROLL for (int c = 0; c < Columns; c++) sums[r][c] = MultiplyAdd(value, row[c], sums[r][c]);
      }
    }
    FRAMEKILN_UNROLL for (int r = 0; r < Rows; r++) {
      auto* to = reinterpret_cast<float*>(products + r * products_pitch);
      FRAMEKILN_UNROLL for (int c = 0; c < Columns; c++) Store(to + c * kLanes, sums[r][c]);
    }
  }
};

#ifdef FRAMEKILN_WORDS
// Multiplies words of 16 bits, twice as many at once. Every row of values has a scale of its own, so that its largest
// value uses all bits; weights have a scale for each position of a tile and for each output channel.
struct Words {
  using Value = int16_t;
  static constexpr bool kWords = true;
  static constexpr uint32_t kDepthBlock = kWordBlock;

  template <int Rows, int Columns>
  static FRAMEKILN_INLINE void Multiply(const char* values, size_t pitch, const int16_t* weights, uint32_t depth,
                                        const float* scales, char* products, size_t products_pitch,
                                        const int16_t* next) {
    Integers sums[Rows][Columns] = {};
    for (uint32_t k = 0; k < depth / 2; k++) {
      Integers row[Columns];
      FRAMEKILN_UNROLL for (int c = 0; c < Columns; c++)
        row[c] = LoadWords(weights + (size_t{k} * Columns + c) * kLanes * 2);
      __builtin_prefetch(next + size_t{k} * 32, 0, 2);
      FRAMEKILN_UNROLL for (int r = 0; r < Rows; r++) {
        const Integers value = AllPairs(reinterpret_cast<const int32_t*>(values + r * pitch)[k]);
        FRAMEKILN_UNROLL for (int c = 0; c < Columns; c++) AddProducts(sums[r][c], value, row[c]);
      }
    }
    FRAMEKILN_UNROLL for (int r = 0; r < Rows; r++) {
      auto* to = reinterpret_cast<float*>(products + r * products_pitch);
      const Vector scale = All(scales[r]);
      FRAMEKILN_UNROLL for (int c = 0; c < Columns; c++)
        Store(to + c * kLanes, __builtin_convertvector(sums[r][c], Vector) * scale);
    }
  }

  // The largest magnitude of a row.
  static FRAMEKILN_INLINE float Largest(const float* row, uint32_t count) {
    Vector largest = {};
    for (uint32_t i = 0; i < count; i += kLanes) largest = LargerMagnitude(largest, Load(row + i));
    return LargestOf(largest);
  }

  // Each 32 numbers become words in the order of the pack instruction of 512 bits; weights.cc orders weights alike.
  static FRAMEKILN_INLINE void Convert(const float* row, uint32_t count, float scale, int16_t* to) {
    constexpr uint32_t kHalf = kWordBlock / 2;
    const Vector factor = All(scale);
    for (uint32_t i = 0; i < count; i += kWordBlock) {
      const bool has_high = i + kHalf < count;
      FRAMEKILN_UNROLL for (uint32_t j = 0; j < kHalf; j += kLanes) {
        const Integers low = Rounded(Load(row + i + j) * factor);
        const Integers high = has_high ? Rounded(Load(row + i + j + kHalf) * factor) : Integers{};
        StoreWords(to + i + 2 * j, Packed(low, high));
      }
    }
  }
};
#endif

// Lays out the memory of one group of tiles: the transformed values of each position of a tile, over which their
// products are written; for words, their scales, and the exact values of one tile; the input of a tile at the border; and
// the pixels of a tile on their way to an image. Pitches are in bytes.
struct Scratch {
  char* values;
  float *scales, *exact, *border, *pixels;
  size_t pitch, position, bytes;

  template <typename Arithmetic>
  static Scratch For(Arithmetic, void* memory, uint32_t edge, uint32_t cin, uint32_t cout, uint32_t rows) {
    const size_t taps = size_t{edge + 2} * (edge + 2);
    const size_t depth = RoundUp(cin, Arithmetic::kDepthBlock);
    Scratch s;
    s.pitch = MaxOf(depth * sizeof(typename Arithmetic::Value), cout * sizeof(float));
    // The line in between keeps positions from competing for the same lines of the cache.
    s.position = rows * s.pitch + 64;
    s.values = static_cast<char*>(memory);
    s.scales = reinterpret_cast<float*>(s.values + taps * s.position);
    s.exact = s.scales + (Arithmetic::kWords ? taps * rows : 0);
    s.border = s.exact + (Arithmetic::kWords ? taps * cin : 0);
    s.pixels = s.border + taps * cin;
    s.bytes = taps * s.position + (s.pixels - s.scales + size_t{edge} * edge * cout) * sizeof(float);
    return s;
  }
};

uint32_t RowsOf(uint32_t cout) {
  switch (Columns(cout)) {
    case 1: return RowsFor<1>();
    case 2: return RowsFor<2>();
    case 3: return RowsFor<3>();
    default: return RowsFor<4>();
  }
}

// Whole blocks of products for `count` tiles.
uint32_t AllRows(uint32_t count, uint32_t cout) { return RoundUp(count, RowsOf(cout)); }

// Fetches pixels of tiles bit by bit, so that they are in the second-level cache when the tiles are transformed.
// Multiplying leaves the memory idle; transforming would wait for it.
class Fetch {
 public:
  // The pixels from `before` pixels above and left of each tile, `edge` of them along one edge. `parts` calls fetch all.
  Fetch(const Image& image, uint32_t channels, Tiles tiles, uint32_t tile, uint32_t before, uint32_t edge, uint32_t parts)
      : image_(image), bytes_(channels * sizeof(float)), tiles_(tiles), tile_(tile), before_(before), edge_(edge),
        parts_(parts), rows_(image.data == nullptr ? 0 : tiles.count * edge) {}

  template <int Write>
  FRAMEKILN_INLINE void Part(uint32_t part) {
    for (const uint32_t end = uint64_t{part + 1} * rows_ / parts_; row_ < end; row_++) {
      const uint32_t number = tiles_.first + row_ / edge_, across = (image_.width + tile_ - 1) / tile_;
      const uint32_t y = number / across * tile_ - before_ + row_ % edge_, x = number % across * tile_;
      if (y >= image_.height) continue;
      const uint32_t width = MinOf(tile_, image_.width - x);
      for (uint32_t i = 0; i < width; i++) {
        const auto* pixel = reinterpret_cast<const char*>(image_.data + y * image_.row + (x + i) * image_.pitch);
        for (size_t byte = 0; byte < bytes_; byte += 64) __builtin_prefetch(pixel + byte, Write, 2);
      }
    }
  }

 private:
  const Image& image_;
  size_t bytes_;
  Tiles tiles_;
  uint32_t tile_, before_, edge_, parts_, rows_, row_ = 0;
};

template <typename Arithmetic, int Columns>
void MultiplyAll(const Scratch& scratch, uint32_t positions, uint32_t rows, const ConvolutionCall& call, Fetch& input,
                 Fetch& output) {
  using Value = typename Arithmetic::Value;
  constexpr int kRows = RowsFor<Columns>();
  constexpr uint32_t kBlock = Columns * kLanes;
  const uint32_t depth = RoundUp(call.layer->cin, Arithmetic::kDepthBlock), cout = call.layer->cout;
  const size_t weights_size = size_t{depth} * cout, line = 64 / sizeof(Value);
  const size_t row_bytes = cout * sizeof(float), iterations = Arithmetic::kWords ? depth / 2 : depth;
  const auto* weights = static_cast<const Value*>(call.layer->weights);
  alignas(64) char products[kRows * kMaxChannels * sizeof(float)];
  for (uint32_t n = 0; n < positions; n++, weights += weights_size) {
    char* values = scratch.values + n * scratch.position;
    const Value* next = n + 1 < positions ? weights + weights_size : weights;
    const float* scales = Arithmetic::kWords ? scratch.scales + n * rows : nullptr;
    input.Part<0>(n);
    output.Part<1>(n);
    for (uint32_t r = 0; r < rows; r += kRows, values += kRows * scratch.pitch) {
      const float* row_scales = Arithmetic::kWords ? scales + r : nullptr;
      if (cout == kBlock) {
        Arithmetic::template Multiply<kRows, Columns>(values, scratch.pitch, weights, depth, row_scales, values,
                                                      scratch.pitch, next + r / kRows * iterations * line);
        continue;
      }
      for (uint32_t c = 0; c < cout; c += kBlock) {
        Arithmetic::template Multiply<kRows, Columns>(values, scratch.pitch, weights + size_t{c} * depth, depth, row_scales,
                                                      products + c * sizeof(float), row_bytes, next);
      }
      for (int i = 0; i < kRows; i++) __builtin_memcpy(values + i * scratch.pitch, products + i * row_bytes, row_bytes);
    }
  }
}

// `Simple`: nothing is added to the activation. `Scaled`: the sum has a scale for each channel.
template <bool Simple, bool Scaled>
class Finish {
 public:
  Finish(const Convolution& layer, uint32_t channel)
      : bias_(Load(layer.epilogue.bias + channel)), slope_(Load(layer.epilogue.slopes + channel)),
        scale_(Scaled ? Load(layer.column_scales + channel) : Vector{}), epilogue_(layer.epilogue), channel_(channel) {}

  FRAMEKILN_INLINE Vector operator()(Vector value, const ConvolutionCall& call, uint32_t y, uint32_t x) const {
    value = Scaled ? MultiplyAdd(value, scale_, bias_) : value + bias_;
    if (Simple) return LeakyRelu(value, slope_);
    if (!epilogue_.act_last) value = LeakyRelu(value, slope_);
    value *= epilogue_.scale;
    value = Plus(value, call.residual1, epilogue_.scale1, y, x);
    value = Plus(value, call.residual2, epilogue_.scale2, y, x);
    return epilogue_.act_last ? LeakyRelu(value, slope_) : value;
  }

 private:
  FRAMEKILN_INLINE Vector Plus(Vector value, const Image& residual, float scale, uint32_t y, uint32_t x) const {
    if (residual.data == nullptr) return value;
    return MultiplyAdd(scale, Load(residual.data + y * residual.row + x * residual.pitch + channel_), value);
  }

  Vector bias_, slope_, scale_;
  const Epilogue& epilogue_;
  uint32_t channel_;
};

// Writes factor x factor pixels of packed RGB, rounded. `values` are in the order of ImageSink.
template <typename Component>
void WriteComponents(const ImageSink& sink, const float* values, float largest, size_t at) {
  const uint32_t factor = sink.factor, area = factor * factor;
  uint32_t rounded[kMaxChannels];
  for (uint32_t i = 0; i < 3 * area; i++) {
    float value = values[i] > 0 ? values[i] : 0;
    value = value < 1 ? value : 1;
    rounded[i] = static_cast<uint32_t>(static_cast<int32_t>(value * largest + 0.5f));
  }
  for (uint32_t row = 0; row < factor; row++) {
    Component* to = static_cast<Component*>(sink.pixels) + (at + size_t{row} * sink.target_width) * 3;
    for (uint32_t i = row * factor; i < (row + 1) * factor; i++) {
      for (uint32_t colour = 0; colour < 3; colour++) *to++ = static_cast<Component>(rounded[colour * area + i]);
    }
  }
}

void WritePlanes(const ImageSink& sink, const float* values, size_t at) {
  const uint32_t factor = sink.factor;
  for (uint32_t colour = 0; colour < 3; colour++) {
    float* plane = static_cast<float*>(sink.pixels) + size_t{colour} * sink.target_height * sink.target_width + at;
    for (uint32_t row = 0; row < factor; row++) {
      for (uint32_t i = 0; i < factor; i++) plane[size_t{row} * sink.target_width + i] = *values++;
    }
  }
}

// Writes the factor x factor pixels of one pixel of the last layer.
void WritePixel(const ImageSink& sink, const float* values, uint32_t y, uint32_t x) {
  if (y - sink.core_top >= sink.core_height || x - sink.core_left >= sink.core_width) return;
  const uint32_t factor = sink.factor, area = factor * factor;
  const size_t at = size_t{y - sink.core_top + sink.target_top} * factor * sink.target_width +
                    size_t{x - sink.core_left + sink.target_left} * factor;
  float sums[kMaxChannels];
  for (uint32_t colour = 0; colour < 3; colour++) {
    const float base = sink.base == nullptr ? 0 : sink.base[y * sink.base_row + size_t{x} * kInputPitch + colour];
    for (uint32_t i = colour * area; i < (colour + 1) * area; i++) sums[i] = values[i] + base;
  }
  switch (sink.format) {
    case ImageSink::Format::kBytes: return WriteComponents<uint8_t>(sink, sums, 255, at);
    case ImageSink::Format::kWords: return WriteComponents<uint16_t>(sink, sums, 65535, at);
    case ImageSink::Format::kPlanes: return WritePlanes(sink, sums, at);
  }
}

template <int M, typename Arithmetic>
class Winograd {
 public:
  static constexpr int kTaps = M + 2;

  static void Convolve(const ConvolutionCall& call, Tiles tiles, Tiles next, void* memory) {
    const auto [first, count] = tiles;
    const uint32_t cin = call.layer->cin, cout = call.layer->cout;
    const uint32_t rows = AllRows(count, cout);
    const Scratch scratch = Scratch::For(Arithmetic{}, memory, M, cin, cout, rows);
    const uint32_t across = (call.input.width + M - 1) / M;
    for (uint32_t i = 0; i < count; i++)
      TransformInput(call, (first + i) / across * M, (first + i) % across * M, scratch, i, rows);
    Fetch input(call.input, cin, next, M, 1, kTaps, kTaps * kTaps);
    const Image written = call.sink == nullptr ? call.output : Image{};
    Fetch output(written, cout, tiles, M, 0, M, kTaps * kTaps);
    switch (Columns(cout)) {
      case 1: MultiplyAll<Arithmetic, 1>(scratch, kTaps * kTaps, rows, call, input, output); break;
      case 2: MultiplyAll<Arithmetic, 2>(scratch, kTaps * kTaps, rows, call, input, output); break;
      case 3: MultiplyAll<Arithmetic, 3>(scratch, kTaps * kTaps, rows, call, input, output); break;
      default: MultiplyAll<Arithmetic, 4>(scratch, kTaps * kTaps, rows, call, input, output); break;
    }
    for (uint32_t i = 0; i < count; i++)
      TransformOutput(call, (first + i) / across * M, (first + i) % across * M, scratch, i);
  }
  static size_t ScratchBytes(uint32_t cin, uint32_t cout, uint32_t count) {
    return Scratch::For(Arithmetic{}, nullptr, M, cin, cout, AllRows(count, cout)).bytes;
  }

 private:
  // The upper left output pixel of a tile is at `top`, `left`; its input begins one pixel before.
  static void TransformInput(const ConvolutionCall& call, uint32_t top, uint32_t left, const Scratch& scratch,
                             uint32_t tile, uint32_t rows) {
    const Image& x = call.input;
    const uint32_t cin = call.layer->cin;
    const bool inside = top > 0 && left > 0 && top + M + 1 <= x.height && left + M + 1 <= x.width;
    if (inside) {
      Evaluate(x.data + (top - 1) * x.row + (left - 1) * x.pitch, x.row, x.pitch, cin, scratch, tile);
    } else {
      CopyBorder(x, top, left, cin, scratch.border);
      Evaluate(scratch.border, size_t{kTaps} * cin, cin, cin, scratch, tile);
    }
    if constexpr (Arithmetic::kWords) {
      for (uint32_t n = 0; n < kTaps * kTaps; n++) {
        const float* exact = scratch.exact + size_t{n} * cin;
        const float largest = Arithmetic::Largest(exact, cin);
        scratch.scales[n * rows + tile] = largest * call.layer->position_scales[n];
        Arithmetic::Convert(exact, cin, largest > 0 ? kLargestWord / largest : 0,
                            reinterpret_cast<int16_t*>(scratch.values + n * scratch.position + tile * scratch.pitch));
      }
    }
  }

  static void CopyBorder(const Image& x, uint32_t top, uint32_t left, uint32_t cin, float* to) {
    for (uint32_t i = 0; i < kTaps * kTaps; i++, to += cin) {
      const uint32_t row = top + i / kTaps - 1, column = left + i % kTaps - 1;  // Wraps around at the border.
      if (row < x.height && column < x.width)
        __builtin_memcpy(to, x.data + row * x.row + column * x.pitch, cin * sizeof(float));
      else
        __builtin_memset(to, 0, cin * sizeof(float));
    }
  }

  static void Evaluate(const float* from, size_t row, size_t pitch, uint32_t cin, const Scratch& scratch,
                       uint32_t tile) {
    char* const values = Arithmetic::kWords ? reinterpret_cast<char*>(scratch.exact) : scratch.values + tile * scratch.pitch;
    const size_t position = Arithmetic::kWords ? cin * sizeof(float) : scratch.position;
    for (uint32_t channel = 0; channel < cin; channel += kLanes) {
      Vector half[kTaps][kTaps];
      FRAMEKILN_UNROLL for (int i = 0; i < kTaps; i++) {
        Vector d[kTaps];
        FRAMEKILN_UNROLL for (int j = 0; j < kTaps; j++) d[j] = Load(from + i * row + j * pitch + channel);
        Transform<M>::Input(d, half[i]);
      }
      FRAMEKILN_UNROLL for (int j = 0; j < kTaps; j++) {
        Vector d[kTaps], v[kTaps];
        FRAMEKILN_UNROLL for (int i = 0; i < kTaps; i++) d[i] = half[i][j];
        Transform<M>::Input(d, v);
        FRAMEKILN_UNROLL for (int i = 0; i < kTaps; i++)
          Store(reinterpret_cast<float*>(values + (i * kTaps + j) * position) + channel, v[i]);
      }
    }
  }

  static void TransformOutput(const ConvolutionCall& call, uint32_t top, uint32_t left, const Scratch& scratch,
                              uint32_t tile) {
    const Image& y = call.output;
    const uint32_t height = call.input.height, width = call.input.width;
    const bool inside = top + M <= height && left + M <= width;
    if (call.sink != nullptr) {
      const uint32_t cout = call.layer->cout;
      Interpolate<false>(call, top, left, scratch, tile, scratch.pixels, M * cout, cout);
      const uint32_t rows = MinOf(M, height - top), columns = MinOf(M, width - left);
      for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t j = 0; j < columns; j++) WritePixel(*call.sink, scratch.pixels + (i * M + j) * cout, top + i, left + j);
      }
      return;
    }
    float* to = y.data + top * y.row + left * y.pitch;
    if (inside && call.layer->epilogue.scale == 1 && call.residual1.data == nullptr)
      Interpolate<true>(call, top, left, scratch, tile, to, y.row, y.pitch);
    else
      Interpolate<false>(call, top, left, scratch, tile, to, y.row, y.pitch);
  }

  // `Simple`: the whole tile lies in the image, and nothing is added to it.
  template <bool Simple>
  static void Interpolate(const ConvolutionCall& call, uint32_t top, uint32_t left, const Scratch& scratch,
                          uint32_t tile, float* to, size_t to_row, size_t to_pitch) {
    const uint32_t rows = Simple ? M : MinOf(M, call.input.height - top);
    const uint32_t columns = Simple ? M : MinOf(M, call.input.width - left);
    for (uint32_t channel = 0; channel < call.layer->cout; channel += kLanes) {
      const Finish<Simple, Arithmetic::kWords> finish(*call.layer, channel);
      Vector half[M][kTaps];
      const char* from = scratch.values + tile * scratch.pitch + channel * sizeof(float);
      FRAMEKILN_UNROLL for (int j = 0; j < kTaps; j++) {
        Vector m[kTaps], y[M];
        FRAMEKILN_UNROLL for (int i = 0; i < kTaps; i++) m[i] = Load(reinterpret_cast<const float*>(from + (i * kTaps + j) * scratch.position));
        Transform<M>::Output(m, y);
        FRAMEKILN_UNROLL for (int i = 0; i < M; i++) half[i][j] = y[i];
      }
      for (uint32_t i = 0; i < rows; i++) {
        Vector y[M];
        Transform<M>::Output(half[i], y);
        FRAMEKILN_UNROLL for (uint32_t j = 0; j < M; j++) {
          if (j < columns) Store(to + i * to_row + j * to_pitch + channel, finish(y[j], call, top + i, left + j));
        }
      }
    }
  }
};

// Sums `Pixels` neighbours at once, so that a row of weights is loaded once for them.
template <int Pixels, int Columns>
void ConvolveInputPixels(const ConvolutionCall& call, uint32_t y, uint32_t x, uint32_t channel) {
  const Convolution& layer = *call.layer;
  const auto* weights = static_cast<const float*>(layer.weights) + channel;
  Vector sums[Pixels][Columns] = {};
  for (uint32_t tap = 0; tap < 9; tap++) {
    const float* from = call.input.data + (y + tap / 3) * call.input.row + (x + tap % 3) * kInputPitch -
                        call.input.row - kInputPitch;
    for (uint32_t colour = 0; colour < 3; colour++, weights += layer.cout) {
      FRAMEKILN_UNROLL for (int c = 0; c < Columns; c++) {
        const Vector row = Load(weights + c * kLanes);
        FRAMEKILN_UNROLL for (int p = 0; p < Pixels; p++)
          sums[p][c] = MultiplyAdd(from[p * kInputPitch + colour], row, sums[p][c]);
      }
    }
  }
  FRAMEKILN_UNROLL for (int c = 0; c < Columns; c++) {
    const Finish<false, false> finish(layer, channel + c * kLanes);
    float* to = call.output.data + y * call.output.row + x * call.output.pitch + channel + c * kLanes;
    FRAMEKILN_UNROLL for (int p = 0; p < Pixels; p++)
      Store(to + p * call.output.pitch, finish(sums[p][c], call, y, x + p));
  }
}

void ConvolveInput(const ConvolutionCall& call, uint32_t first_row, uint32_t rows) {
  const uint32_t width = call.input.width;
  for (uint32_t y = first_row; y < first_row + rows; y++) {
    for (uint32_t channel = 0; channel < call.layer->cout; channel += kLeast * kLanes) {
      uint32_t x = 0;
      for (; x + 3 <= width; x += 3) ConvolveInputPixels<3, kLeast>(call, y, x, channel);
      for (; x < width; x++) ConvolveInputPixels<1, kLeast>(call, y, x, channel);
    }
  }
}

template <int M, typename Arithmetic>
constexpr SchemeKernel KernelFor() {
  return {M, Arithmetic::kWords, Winograd<M, Arithmetic>::Convolve, Winograd<M, Arithmetic>::ScratchBytes};
}

constexpr Kernels KernelsNamed(const char* name) {
#ifdef FRAMEKILN_WORDS
  constexpr SchemeKernel kF6Words = KernelFor<6, Words>(), kF4Words = KernelFor<4, Words>();
#else
  constexpr SchemeKernel kF6Words{}, kF4Words{};
#endif
  return {name,     ColumnBlock, RowsOf,      ConvolveInput, KernelFor<6, Floats>(), KernelFor<4, Floats>(),
          kF6Words, kF4Words,    ConvertToYuv};
}

}  // namespace
}  // namespace FRAMEKILN_ISA

#if defined(__AVX512VNNI__)
const Kernels kAvx512VnniKernels = FRAMEKILN_ISA::KernelsNamed("avx512-vnni");
#elif defined(__AVX512F__)
const Kernels kAvx512Kernels = FRAMEKILN_ISA::KernelsNamed("avx512");
#elif defined(__AVXVNNI__)
const Kernels kAvx2VnniKernels = FRAMEKILN_ISA::KernelsNamed("avx2-vnni");
#elif defined(__AVX2__)
const Kernels kAvx2Kernels = FRAMEKILN_ISA::KernelsNamed("avx2");
#else
const Kernels kPlainKernels = FRAMEKILN_ISA::KernelsNamed("plain");
#endif

}  // namespace framekiln::cpu
