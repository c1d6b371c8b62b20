// The transforms of Winograd's 3x3 convolution: F(M, 3) computes M outputs of a row from M + 2 inputs with M + 2
// products, by evaluating polynomials at 0, pairs of points +-p, and infinity.
//
// With Q(x) = x * (product of (x^2 - p^2)), row q of the input transform holds the coefficients of Q(x) / (x - q); the
// weight transform evaluates the kernel at q and divides by Q'(q); and row k of the output transform holds q^k. At
// infinity all of them keep the highest coefficient. A pair's rows share their even and odd halves.
#pragma once

#include "vector.h"

namespace framekiln::cpu::FRAMEKILN_ISA {

template <int M>
struct Transform;

template <>
struct Transform<4> {
  static FRAMEKILN_INLINE void Input(const Vector (&d)[6], Vector (&v)[6]) {
    // Points 1 and 2.
    v[0] = MultiplyAdd(4, d[0], MultiplyAdd(-5, d[2], d[4]));
    Pair(MultiplyAdd(-4, d[2], d[4]), MultiplyAdd(-4, d[1], d[3]), 1, v[1], v[2]);
    Pair(d[4] - d[2], d[3] - d[1], 2, v[3], v[4]);
    v[5] = MultiplyAdd(4, d[1], MultiplyAdd(-5, d[3], d[5]));
  }
  static FRAMEKILN_INLINE void Output(const Vector (&m)[6], Vector (&y)[4]) {
    const Vector sum1 = m[1] + m[2], difference1 = m[1] - m[2];
    const Vector sum2 = m[3] + m[4], difference2 = m[3] - m[4];
    y[0] = m[0] + sum1 + sum2;
    y[1] = MultiplyAdd(2, difference2, difference1);
    y[2] = MultiplyAdd(4, sum2, sum1);
    y[3] = MultiplyAdd(8, difference2, difference1) + m[5];
  }

 private:
  static FRAMEKILN_INLINE void Pair(Vector even, Vector odd, float point, Vector& plus, Vector& minus) {
    plus = MultiplyAdd(point, odd, even);
    minus = MultiplyAdd(-point, odd, even);
  }
};

template <>
struct Transform<6> {
  static FRAMEKILN_INLINE void Input(const Vector (&d)[8], Vector (&v)[8]) {
    // Points 1, 2 and 1/2; the other two points' squares are multiplied and added in each pair.
    v[0] = MultiplyAdd(5.25f, d[2] - d[4], d[6] - d[0]);
    Pair(d, 1, 4.25f, 1, v[1], v[2]);
    Pair(d, 0.25f, 1.25f, 2, v[3], v[4]);
    Pair(d, 4, 5, 0.5f, v[5], v[6]);
    v[7] = MultiplyAdd(5.25f, d[3] - d[5], d[7] - d[1]);
  }
  static FRAMEKILN_INLINE void Output(const Vector (&m)[8], Vector (&y)[6]) {
    const Vector sum1 = m[1] + m[2], difference1 = m[1] - m[2];
    const Vector sum2 = m[3] + m[4], difference2 = m[3] - m[4];
    const Vector sum3 = m[5] + m[6], difference3 = m[5] - m[6];
    y[0] = m[0] + sum1 + (sum2 + sum3);
    y[1] = MultiplyAdd(2, difference2, MultiplyAdd(0.5f, difference3, difference1));
    y[2] = MultiplyAdd(4, sum2, MultiplyAdd(0.25f, sum3, sum1));
    y[3] = MultiplyAdd(8, difference2, MultiplyAdd(0.125f, difference3, difference1));
    y[4] = MultiplyAdd(16, sum2, MultiplyAdd(0.0625f, sum3, sum1));
    y[5] = MultiplyAdd(32, difference2, MultiplyAdd(0.03125f, difference3, difference1)) + m[7];
  }

 private:
  static FRAMEKILN_INLINE void Pair(const Vector (&d)[8], float product, float sum, float point, Vector& plus,
                                    Vector& minus) {
    const Vector even = MultiplyAdd(product, d[2], MultiplyAdd(-sum, d[4], d[6]));
    const Vector odd = MultiplyAdd(product, d[1], MultiplyAdd(-sum, d[3], d[5]));
    plus = MultiplyAdd(point, odd, even);
    minus = MultiplyAdd(-point, odd, even);
  }
};

}  // namespace framekiln::cpu::FRAMEKILN_ISA
