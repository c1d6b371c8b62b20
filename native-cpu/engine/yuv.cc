// The conversion of yuv.h. Rows are divided into even and odd columns, so that two neighbours, which share a chroma sample,
// lie in the same place of two arrays.
//
// Chroma is halved with a cubic filter (B = 0, C = 0.6) that is twice as long as for interpolation: what swscale's `bicubic`
// does by default. Beyond an edge, its pixels are repeated.
#include "yuv.h"

#include "kernels.h"
#include "vector.h"

namespace framekiln::cpu {
namespace FRAMEKILN_ISA {
namespace {

using Row = float* __restrict;
using ConstRow = const float* __restrict;

// Weights of samples at distances of 0, 1 and 3 pixels; those at 2 have none.
constexpr float kAt0 = 0.5f, kAt1 = 0.2875f, kAt3 = -0.0375f;
// At 0.5, 1.5, 2.5 and 3.5 pixels.
constexpr float kAtHalf = 0.4359375f, kAt1Half = 0.1203125f, kAt2Half = -0.0421875f, kAt3Half = -0.0140625f;

// Samples before and after a row, so that a filter may look beyond its ends.
constexpr uint32_t kBorder = 8;
// Rows of chroma that are kept: the eight that a filter sees.
constexpr uint32_t kKept = 8;

// Even and odd columns of the three colours, of luma, and of what becomes U and V.
struct Columns {
  float *even, *odd;
};
struct Rows {
  Columns red, green, blue, u, v;
  float *kept_u, *kept_v;
  size_t pitch;
};

#ifdef __AVX2__
// Where the bytes of a colour are in 48 bytes of packed RGB: of the even columns first, then of the odd ones.
template <int Bytes>
struct Places {
  alignas(16) int8_t of[3][3][16];
  constexpr Places() : of() {
    constexpr int kPixels = 16 / Bytes;
    for (int colour = 0; colour < 3; colour++)
      for (int part = 0; part < 3; part++)
        for (int i = 0; i < 16; i++) {
          const int column = i / Bytes < kPixels / 2 ? 2 * (i / Bytes) : 2 * (i / Bytes - kPixels / 2) + 1;
          const int place = (3 * column + colour) * Bytes + i % Bytes - 16 * part;
          of[colour][part][i] = place >= 0 && place < 16 ? static_cast<int8_t>(place) : int8_t{-1};
        }
  }
};
template <int Bytes>
constexpr Places<Bytes> kPlaces{};

// Eight numbers of 8 or 16 bits.
static FRAMEKILN_INLINE __m256 Numbers(const uint8_t*, __m128i components) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(components));
}
static FRAMEKILN_INLINE __m256 Numbers(const uint16_t*, __m128i components) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(components));
}

// Even and odd columns of a colour in eight pairs of pixels.
struct EightPairs {
  __m256 even, odd;
};
static FRAMEKILN_INLINE __m128i Picked(const __m128i parts[3], const int8_t places[3][16]) {
  const auto picked = [&](int part) {
    return _mm_shuffle_epi8(parts[part], *reinterpret_cast<const __m128i*>(places[part]));
  };
  return _mm_or_si128(_mm_or_si128(picked(0), picked(1)), picked(2));
}
static FRAMEKILN_INLINE EightPairs ReadColour(const uint8_t* from, const __m128i parts[3], const int8_t places[3][16]) {
  const __m128i columns = Picked(parts, places);
  return {Numbers(from, columns), Numbers(from, _mm_unpackhi_epi64(columns, columns))};
}
static FRAMEKILN_INLINE EightPairs ReadColour(const uint16_t* from, const __m128i parts[6], const int8_t places[3][16]) {
  const __m128i first = Picked(parts, places), second = Picked(parts + 3, places);
  return {Numbers(from, _mm_unpacklo_epi64(first, second)), Numbers(from, _mm_unpackhi_epi64(first, second))};
}

static FRAMEKILN_INLINE __m256i Samples(__m256 luma, __m256 scale, __m256 offset, __m256i largest) {
  const __m256i rounded = _mm256_cvttps_epi32(_mm256_add_ps(_mm256_mul_ps(luma, scale), offset));
  return _mm256_min_epi32(_mm256_max_epi32(rounded, _mm256_setzero_si256()), largest);
}
static FRAMEKILN_INLINE void StorePairs(uint8_t* to, __m256i even, __m256i odd) {
  const __m256i pairs = _mm256_or_si256(even, _mm256_slli_epi32(odd, 8));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_packus_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)));
}
static FRAMEKILN_INLINE void StorePairs(uint16_t* to, __m256i even, __m256i odd) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_or_si256(even, _mm256_slli_epi32(odd, 16)));
}

// Does what `Divide`, `Luma` and `WritePairs` do, without memory in between. Returns how many pairs it has done.
template <typename Component>
uint32_t ReadVectors(const YuvConversion& c, const Component* from, uint32_t pairs, const Rows& rows, Component* y) {
  const __m256 weights[3] = {_mm256_set1_ps(c.red), _mm256_set1_ps(c.green), _mm256_set1_ps(c.blue)};
  const __m256 scale = _mm256_set1_ps(c.luma_scale), offset = _mm256_set1_ps(c.luma_offset + 0.5f);
  const __m256i largest = _mm256_set1_epi32(c.largest);
  const auto& places = kPlaces<sizeof(Component)>.of;
  uint32_t i = 0;
  for (; i + 8 <= pairs; i += 8) {
    __m128i parts[3 * sizeof(Component)];
    FRAMEKILN_UNROLL for (size_t part = 0; part < 3 * sizeof(Component); part++)
      parts[part] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + size_t{6} * i) + part);
    EightPairs colours[3];
    FRAMEKILN_UNROLL for (int colour = 0; colour < 3; colour++) colours[colour] = ReadColour(from, parts, places[colour]);
    const auto luma_of = [&](__m256 red, __m256 green, __m256 blue) {
      return _mm256_add_ps(_mm256_add_ps(_mm256_mul_ps(weights[0], red), _mm256_mul_ps(weights[1], green)),
                           _mm256_mul_ps(weights[2], blue));
    };
    const __m256 even = luma_of(colours[0].even, colours[1].even, colours[2].even);
    const __m256 odd = luma_of(colours[0].odd, colours[1].odd, colours[2].odd);
    StorePairs(y + size_t{2} * i, Samples(even, scale, offset, largest), Samples(odd, scale, offset, largest));
    _mm256_storeu_ps(rows.u.even + i, _mm256_sub_ps(colours[2].even, even));
    _mm256_storeu_ps(rows.u.odd + i, _mm256_sub_ps(colours[2].odd, odd));
    _mm256_storeu_ps(rows.v.even + i, _mm256_sub_ps(colours[0].even, even));
    _mm256_storeu_ps(rows.v.odd + i, _mm256_sub_ps(colours[0].odd, odd));
  }
  return i;
}
#else
template <typename Component>
uint32_t ReadVectors(const YuvConversion&, const Component*, uint32_t, const Rows&, Component*) {
  return 0;
}
#endif

// Divides pixels into colours and columns.
template <typename Component>
void Divide(const Component* from, uint32_t first, uint32_t pairs, const Rows& rows) {
  const Columns colours[3] = {rows.red, rows.green, rows.blue};
  for (uint32_t i = first; i < pairs; i++)
    for (int colour = 0; colour < 3; colour++) {
      colours[colour].even[i] = from[size_t{6} * i + colour];
      colours[colour].odd[i] = from[size_t{6} * i + 3 + colour];
    }
}

static FRAMEKILN_INLINE int32_t Sample(float value, float scale, float offset, int32_t largest) {
  const int32_t rounded = static_cast<int32_t>(value * scale + offset);
  const int32_t positive = rounded < 0 ? 0 : rounded;
  return positive > largest ? largest : positive;
}

// Two samples side by side.
template <typename Component>
struct PairOf;
template <>
struct PairOf<uint8_t> {
  using Type = uint16_t;
};
template <>
struct PairOf<uint16_t> {
  using Type = uint32_t;
};

// Luma of the columns of a row, which is written as Y and subtracted from blue and red.
void Luma(const YuvConversion& c, ConstRow red, ConstRow green, ConstRow blue, uint32_t first, uint32_t pairs, Row u,
          Row v, Row luma) {
  const float of_red = c.red, of_green = c.green, of_blue = c.blue;
  for (uint32_t i = first; i < pairs; i++) {
    const float sum = of_red * red[i] + of_green * green[i] + of_blue * blue[i];
    luma[i] = sum;
    u[i] = blue[i] - sum;
    v[i] = red[i] - sum;
  }
}

// Writes the samples of even and odd columns side by side. 0.5 is part of `offset`.
template <typename Component>
void WritePairs(ConstRow even, ConstRow odd, uint32_t first, uint32_t pairs, float scale, float offset, int32_t largest, Component* to) {
  using Pair = typename PairOf<Component>::Type;
  auto* __restrict target = reinterpret_cast<Pair __attribute__((may_alias))*>(to);
  for (uint32_t i = first; i < pairs; i++) {
    const int32_t left = Sample(even[i], scale, offset, largest), right = Sample(odd[i], scale, offset, largest);
    target[i] = static_cast<Pair>(left | right << (8 * sizeof(Component)));
  }
}

template <typename Component>
void WriteRow(ConstRow row, uint32_t count, float scale, float offset, int32_t largest, Component* __restrict to) {
  for (uint32_t i = 0; i < count; i++) to[i] = static_cast<Component>(Sample(row[i], scale, offset, largest));
}

// Halves the columns of a row.
void HalveColumns(Columns row, uint32_t pairs, Row to) {
  const float first = row.even[0], last = row.odd[pairs - 1];
  row.odd[-2] = row.odd[-1] = first;
  row.odd[pairs] = last;
  const float *at0 = row.even, *before1 = row.odd - 1, *after1 = row.odd, *before3 = row.odd - 2, *after3 = row.odd + 1;
  for (uint32_t i = 0; i < pairs; i++)
    to[i] = kAt0 * at0[i] + kAt1 * (before1[i] + after1[i]) + kAt3 * (before3[i] + after3[i]);
}

// The row of chroma for two rows, of which `row` is the first.
template <typename Component>
void WriteHalvedRow(const YuvConversion& c, const float* kept, size_t pitch, int64_t row, float scale,
                    Component* __restrict to) {
  const uint32_t pairs = c.width / 2;
  const float offset = c.chroma_offset + 0.5f;
  const auto at = [&](int64_t number) {
    const int64_t last = int64_t{c.height} - 1;
    return kept + static_cast<size_t>((number < 0 ? 0 : number > last ? last : number) % kKept) * pitch;
  };
  if (c.between_rows) {
    const ConstRow a3 = at(row - 3), a2 = at(row - 2), a1 = at(row - 1), a0 = at(row);
    const ConstRow b0 = at(row + 1), b1 = at(row + 2), b2 = at(row + 3), b3 = at(row + 4);
    for (uint32_t i = 0; i < pairs; i++) {
      const float sum = kAtHalf * (a0[i] + b0[i]) + kAt1Half * (a1[i] + b1[i]) + kAt2Half * (a2[i] + b2[i]) +
                        kAt3Half * (a3[i] + b3[i]);
      to[i] = static_cast<Component>(Sample(sum, scale, offset, c.largest));
    }
  } else {
    const ConstRow a3 = at(row - 3), a1 = at(row - 1), a0 = at(row), b1 = at(row + 1), b3 = at(row + 3);
    for (uint32_t i = 0; i < pairs; i++) {
      const float sum = kAt0 * a0[i] + kAt1 * (a1[i] + b1[i]) + kAt3 * (a3[i] + b3[i]);
      to[i] = static_cast<Component>(Sample(sum, scale, offset, c.largest));
    }
  }
}

Rows DivideScratch(float* scratch, uint32_t pairs) {
  const size_t pitch = pairs + 2 * kBorder;
  const auto row = [&](size_t number) { return scratch + number * pitch + kBorder; };
  const auto columns = [&](size_t number) { return Columns{row(number), row(number + 1)}; };
  return {columns(0), columns(2), columns(4), columns(6), columns(8), row(12), row(12 + kKept), pitch};
}

template <typename Component>
void Convert(const YuvConversion& c, const Component* from, Component* y, float* scratch) {
  const uint32_t pairs = c.width / 2;
  const uint32_t chroma_width = c.halves_columns ? pairs : c.width;
  Component* u = y + size_t{c.width} * c.height;
  Component* v = u + size_t{chroma_width} * (c.halves_rows ? c.height / 2 : c.height);
  const Rows rows = DivideScratch(scratch, pairs);
  const Columns luma{scratch + 10 * rows.pitch + kBorder, scratch + 11 * rows.pitch + kBorder};
  const float offset = c.chroma_offset + 0.5f;
  // The last row that the filter of a row of chroma sees lies this far below the first of its two rows.
  const uint32_t below = c.between_rows ? 4 : 3;
  uint32_t written = 0;
  for (uint32_t row = 0; row < c.height; row++) {
    const Component* pixels = from + size_t{3} * c.width * row;
    Component* y_row = y + size_t{c.width} * row;
    const uint32_t first = ReadVectors(c, pixels, pairs, rows, y_row);
    Divide(pixels, first, pairs, rows);
    Luma(c, rows.red.even, rows.green.even, rows.blue.even, first, pairs, rows.u.even, rows.v.even, luma.even);
    Luma(c, rows.red.odd, rows.green.odd, rows.blue.odd, first, pairs, rows.u.odd, rows.v.odd, luma.odd);
    WritePairs(luma.even, luma.odd, first, pairs, c.luma_scale, c.luma_offset + 0.5f, c.largest, y_row);
    if (!c.halves_columns) {
      WritePairs(rows.u.even, rows.u.odd, 0, pairs, c.u_scale, offset, c.largest, u + size_t{c.width} * row);
      WritePairs(rows.v.even, rows.v.odd, 0, pairs, c.v_scale, offset, c.largest, v + size_t{c.width} * row);
      continue;
    }
    const size_t place = c.halves_rows ? row % kKept : 0;
    float *kept_u = rows.kept_u + place * rows.pitch, *kept_v = rows.kept_v + place * rows.pitch;
    HalveColumns(rows.u, pairs, kept_u);
    HalveColumns(rows.v, pairs, kept_v);
    if (!c.halves_rows) {
      WriteRow(kept_u, pairs, c.u_scale, offset, c.largest, u + size_t{pairs} * row);
      WriteRow(kept_v, pairs, c.v_scale, offset, c.largest, v + size_t{pairs} * row);
      continue;
    }
    const bool is_last = row + 1 == c.height;
    for (; 2 * written < c.height && (is_last || 2 * written + below <= row); written++) {
      WriteHalvedRow(c, rows.kept_u, rows.pitch, 2 * written, c.u_scale, u + size_t{pairs} * written);
      WriteHalvedRow(c, rows.kept_v, rows.pitch, 2 * written, c.v_scale, v + size_t{pairs} * written);
    }
  }
}

}  // namespace

void ConvertToYuv(const YuvConversion& conversion, const void* rgb, void* yuv, float* scratch) {
  if (conversion.bytes == 1)
    Convert(conversion, static_cast<const uint8_t*>(rgb), static_cast<uint8_t*>(yuv), scratch);
  else
    Convert(conversion, static_cast<const uint16_t*>(rgb), static_cast<uint16_t*>(yuv), scratch);
}

}  // namespace FRAMEKILN_ISA
}  // namespace framekiln::cpu
