#include "weights.h"

#include <array>
#include <stdexcept>
#include <vector>

namespace framekiln::cpu {
namespace {

// The weight transform of winograd.h: a row for each point, which is divided by Q' at the point; the last is infinity's.
std::vector<std::array<double, 3>> TransformRows(uint32_t edge) {
  std::vector<double> pairs;
  if (edge == 4) pairs = {1, 2};
  if (edge == 6) pairs = {1, 2, 0.5};
  if (pairs.empty()) throw std::invalid_argument("There is no Winograd transform of this size.");
  std::vector<double> points{0};
  for (const double pair : pairs) points.insert(points.end(), {pair, -pair});
  std::vector<std::array<double, 3>> rows;
  for (const double point : points) {
    double slope = 1;
    for (const double other : points) slope *= other == point ? 1 : point - other;
    rows.push_back({1 / slope, point / slope, point * point / slope});
  }
  rows.push_back({0, 0, 1});
  return rows;
}

}  // namespace

Memory WinogradWeights(const PlainWeights& w, uint32_t edge, uint32_t column_block) {
  const auto rows = TransformRows(edge);
  const size_t taps = rows.size(), size = size_t{w.padded_cin} * w.padded_cout;
  Memory memory(taps * taps * size * sizeof(float));
  for (uint32_t from = 0; from < w.cin; from++) {
    for (uint32_t to = 0; to < w.cout; to++) {
      const size_t at = size_t{to / column_block} * w.padded_cin * column_block + size_t{from} * column_block +
                        to % column_block;
      std::array<double, 9> kernel;
      for (size_t tap = 0; tap < 9; tap++) kernel[tap] = w.data[(size_t{to} * 9 + tap) * w.cin + from];
      for (size_t i = 0; i < taps; i++) {
        std::array<double, 3> half;
        for (size_t x = 0; x < 3; x++)
          half[x] = rows[i][0] * kernel[x] + rows[i][1] * kernel[3 + x] + rows[i][2] * kernel[6 + x];
        for (size_t j = 0; j < taps; j++) {
          const double sum = rows[j][0] * half[0] + rows[j][1] * half[1] + rows[j][2] * half[2];
          memory.floats()[(i * taps + j) * size + at] = static_cast<float>(sum);
        }
      }
    }
  }
  return memory;
}

Memory InputWeights(const PlainWeights& w) {
  Memory memory(size_t{9} * w.cin * w.padded_cout * sizeof(float));
  for (uint32_t to = 0; to < w.cout; to++) {
    for (uint32_t i = 0; i < 9 * w.cin; i++)
      memory.floats()[size_t{i} * w.padded_cout + to] = w.data[size_t{to} * 9 * w.cin + i];
  }
  return memory;
}

}  // namespace framekiln::cpu
