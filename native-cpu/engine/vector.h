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
#elif defined(__AVX2__)
#define FRAMEKILN_ISA avx2
#else
#define FRAMEKILN_ISA plain
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

}  // namespace framekiln::cpu::FRAMEKILN_ISA
