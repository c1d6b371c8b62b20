// Vectors of floats of the instruction set that the including file is compiled for.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512VNNI__)
#define FRAMEKILN_ISA avx512_vnni
#elif defined(__AVX512F__)
#define FRAMEKILN_ISA avx512
#elif defined(__AVXVNNI__)
#define FRAMEKILN_ISA avx2_vnni
#elif defined(__AVX2__)
#define FRAMEKILN_ISA avx2
#else
#define FRAMEKILN_ISA plain
#endif

// Instructions that multiply words of 16 bits and add up their products.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define FRAMEKILN_WORDS
#endif

#define FRAMEKILN_INLINE inline __attribute__((always_inline))
#define FRAMEKILN_UNROLL _Pragma("GCC unroll 64")

namespace framekiln::cpu::FRAMEKILN_ISA {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
inline constexpr int kRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
inline constexpr int kRegisters = 16;
#elif defined(__aarch64__)
inline constexpr int kLanes = 4;
inline constexpr int kRegisters = 32;
#else
inline constexpr int kLanes = 4;
inline constexpr int kRegisters = 16;
#endif

typedef float Vector __attribute__((vector_size(kLanes * 4), may_alias));
typedef float UnalignedVector __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

static FRAMEKILN_INLINE Vector Load(const float* from) { return *reinterpret_cast<const UnalignedVector*>(from); }
static FRAMEKILN_INLINE void Store(float* to, Vector value) { *reinterpret_cast<UnalignedVector*>(to) = value; }
// Subtracting zero changes no number, and so takes no instruction.
static FRAMEKILN_INLINE Vector All(float value) { return value - Vector{}; }

// a * b + c, rounded once where the instruction set can.
static FRAMEKILN_INLINE Vector MultiplyAdd(Vector a, Vector b, Vector c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}
static FRAMEKILN_INLINE Vector MultiplyAdd(float a, Vector b, Vector c) { return MultiplyAdd(All(a), b, c); }

static FRAMEKILN_INLINE Vector LeakyRelu(Vector value, Vector slope) { return value < 0 ? value * slope : value; }

#ifdef FRAMEKILN_WORDS
// Vectors of 32-bit integers, or of pairs of words.
typedef int32_t Integers __attribute__((vector_size(kLanes * 4), may_alias));
typedef int32_t UnalignedIntegers __attribute__((vector_size(kLanes * 4), aligned(2), may_alias));

static FRAMEKILN_INLINE Integers LoadWords(const int16_t* from) {
  return *reinterpret_cast<const UnalignedIntegers*>(from);
}
static FRAMEKILN_INLINE void StoreWords(int16_t* to, Integers words) { *reinterpret_cast<UnalignedIntegers*>(to) = words; }
static FRAMEKILN_INLINE Integers AllPairs(int32_t pair) { return pair - Integers{}; }

// Adds the two products of each pair. The intrinsics make GCC 12 copy the sums.
static FRAMEKILN_INLINE void AddProducts(Integers& sums, Integers a, Integers b) {
#if defined(__AVX512VNNI__)
  asm("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
#else
  asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sums) : "x"(a), "x"(b));
#endif
}

// The larger magnitude of two numbers, without its sign.
static FRAMEKILN_INLINE Vector LargerMagnitude(Vector a, Vector b) {
#if defined(__AVX512VNNI__)
  return _mm512_range_ps(a, b, 0b1011);
#else
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return _mm256_max_ps(_mm256_andnot_ps(sign, a), _mm256_andnot_ps(sign, b));
#endif
}

static FRAMEKILN_INLINE float LargestOf(Vector values) {
#if defined(__AVX512VNNI__)
  return _mm512_reduce_max_ps(values);
#else
  __m128 half = _mm_max_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps(values, 1));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
#endif
}

static FRAMEKILN_INLINE Integers Rounded(Vector values) {
#if defined(__AVX512VNNI__)
  return Integers(_mm512_cvtps_epi32(values));
#else
  return Integers(_mm256_cvtps_epi32(values));
#endif
}

// Words of both: within each 128 bits, those of `low` come first.
static FRAMEKILN_INLINE Integers Packed(Integers low, Integers high) {
#if defined(__AVX512VNNI__)
  return Integers(_mm512_packs_epi32(__m512i(low), __m512i(high)));
#else
  return Integers(_mm256_packs_epi32(__m256i(low), __m256i(high)));
#endif
}
#endif

}  // namespace framekiln::cpu::FRAMEKILN_ISA
