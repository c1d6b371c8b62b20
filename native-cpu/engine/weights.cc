#include "weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "kernels.h"

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

namespace {

// Calls `visit` with the taps of each kernel, transformed.
template <typename Visit>
void ForEachKernel(const PlainWeights& w, uint32_t edge, Visit visit) {
  const auto rows = TransformRows(edge);
  const size_t taps = rows.size();
  std::vector<double> transformed(taps * taps);
  for (uint32_t from = 0; from < w.cin; from++) {
    for (uint32_t to = 0; to < w.cout; to++) {
      std::array<double, 9> kernel;
      for (size_t tap = 0; tap < 9; tap++) kernel[tap] = w.data[(size_t{to} * 9 + tap) * w.cin + from];
      for (size_t i = 0; i < taps; i++) {
        std::array<double, 3> half;
        for (size_t x = 0; x < 3; x++)
          half[x] = rows[i][0] * kernel[x] + rows[i][1] * kernel[3 + x] + rows[i][2] * kernel[6 + x];
        for (size_t j = 0; j < taps; j++)
          transformed[i * taps + j] = rows[j][0] * half[0] + rows[j][1] * half[1] + rows[j][2] * half[2];
      }
      visit(from, to, transformed);
    }
  }
}

// Where the pack instruction puts an input channel: words of two vectors take turns by four.
size_t WordAt(uint32_t channel) {
  const uint32_t in_block = channel % kWordBlock, vector = in_block / 16, lane = in_block % 16;
  return channel / kWordBlock * kWordBlock + lane / 4 * 8 + vector * 4 + lane % 4;
}

}  // namespace

Memory WinogradWeights(const PlainWeights& w, uint32_t edge, uint32_t column_block) {
  const size_t taps = size_t{edge + 2} * (edge + 2), size = size_t{w.padded_cin} * w.padded_cout;
  Memory memory(taps * size * sizeof(float));
  ForEachKernel(w, edge, [&](uint32_t from, uint32_t to, const std::vector<double>& transformed) {
    const size_t at = (size_t{to / column_block} * w.padded_cin + from) * column_block + to % column_block;
    for (size_t tap = 0; tap < taps; tap++) memory.floats()[tap * size + at] = static_cast<float>(transformed[tap]);
  });
  return memory;
}

WordWeights WinogradWords(const PlainWeights& w, uint32_t edge, uint32_t column_block) {
  const size_t taps = size_t{edge + 2} * (edge + 2);
  const uint32_t depth = (w.padded_cin + kWordBlock - 1) / kWordBlock * kWordBlock;
  const size_t size = size_t{depth} * w.padded_cout;
  WordWeights result{Memory(taps * size * sizeof(int16_t)), Memory(taps * sizeof(float)),
                     Memory(w.padded_cout * sizeof(float))};
  // Weights of one position are divided by their mean magnitude, so that one scale of a channel suits all positions.
  std::vector<double> means(taps, 0);
  ForEachKernel(w, edge, [&](uint32_t, uint32_t, const std::vector<double>& transformed) {
    for (size_t tap = 0; tap < taps; tap++) means[tap] += std::abs(transformed[tap]) / (double{1} * w.cin * w.cout);
  });
  for (double& mean : means) mean = mean > 0 ? mean : 1;
  std::vector<double> sums(taps * w.cout, 0), largest(w.cout, 0);
  ForEachKernel(w, edge, [&](uint32_t, uint32_t to, const std::vector<double>& transformed) {
    for (size_t tap = 0; tap < taps; tap++) {
      const double magnitude = std::abs(transformed[tap]) / means[tap];
      sums[tap * w.cout + to] += magnitude;
      largest[to] = std::max(largest[to], magnitude);
    }
  });
  // No sum of products may exceed 31 bits, with half a unit of rounding in each weight.
  std::vector<double> scales(w.cout);
  for (uint32_t to = 0; to < w.cout; to++) {
    double sum = 0;
    for (size_t tap = 0; tap < taps; tap++) sum = std::max(sum, sums[tap * w.cout + to]);
    const double room = 2147483647.0 / kLargestWord - 0.5 * depth;
    scales[to] = sum > 0 ? std::min(room / sum, 32767 / largest[to]) : 1;
    result.column_scales.floats()[to] = static_cast<float>(1 / scales[to]);
  }
  for (size_t tap = 0; tap < taps; tap++)
    result.position_scales.floats()[tap] = static_cast<float>(means[tap] / kLargestWord);
  auto* words = static_cast<int16_t*>(result.words.data());
  ForEachKernel(w, edge, [&](uint32_t from, uint32_t to, const std::vector<double>& transformed) {
    const size_t word = WordAt(from);
    const size_t at = size_t{to / column_block} * depth * column_block + word / 2 * 2 * column_block +
                      to % column_block * 2 + word % 2;
    for (size_t tap = 0; tap < taps; tap++)
      words[tap * size + at] = static_cast<int16_t>(std::lrint(transformed[tap] / means[tap] * scales[to]));
  });
  return result;
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
