#include "instructions.h"

#include <cstring>
#include <vector>

#include "../plan/plan.h"
#include "emulator.h"

namespace framekiln::emulator {
namespace {

struct LoadArguments {
  uint32_t* regs;
  const unsigned char* row;
};

void PerformLoad(void** arguments) {
  for (int lane = 0; lane < 32; lane++) {
    for (int matrix = 0; matrix < 4; matrix++) {
      const auto* owner = static_cast<const LoadArguments*>(arguments[matrix * 8 + lane / 4]);
      std::memcpy(&static_cast<LoadArguments*>(arguments[lane])->regs[matrix], owner->row + lane % 4 * 4, 4);
    }
  }
}

struct MultiplyArguments {
  float* c;
  const uint32_t* a;
  uint32_t b[2];
};

float Half(uint32_t word, int index) { return HalfBitsToFloat(static_cast<uint16_t>(word >> (16 * index))); }

void PerformMultiply(void** arguments) {
  float a[16][16], b[16][8];
  for (int lane = 0; lane < 32; lane++) {
    const auto* args = static_cast<const MultiplyArguments*>(arguments[lane]);
    const int group = lane / 4, in_group = lane % 4;
    for (int i = 0; i < 8; i++) {
      // Registers 0..3: (row, k), (row + 8, k), (row, k + 8), (row + 8, k + 8), two halves each.
      a[group + i / 2 % 2 * 8][in_group * 2 + i % 2 + i / 4 * 8] = Half(args->a[i / 2], i % 2);
    }
    for (int i = 0; i < 4; i++) b[in_group * 2 + i % 2 + i / 2 * 8][group] = Half(args->b[i / 2], i % 2);
  }
  for (int lane = 0; lane < 32; lane++) {
    float* c = static_cast<MultiplyArguments*>(arguments[lane])->c;
    for (int i = 0; i < 4; i++) {
      const int row = lane / 4 + i / 2 * 8;
      const int column = lane % 4 * 2 + i % 2;
      float sum = 0;
      for (int k = 0; k < 16; k++) sum += a[row][k] * b[k][column];
      c[i] += sum;
    }
  }
}

}  // namespace

float HalfBitsToFloat(uint16_t bits) {
  static const std::vector<float> table = [] {
    std::vector<float> values(65536);
    for (uint32_t i = 0; i < values.size(); i++) values[i] = HalfToFloat(static_cast<uint16_t>(i));
    return values;
  }();
  return table[bits];
}

void LoadMatrices(uint32_t (&regs)[4], const unsigned char* row) {
  LoadArguments arguments{regs, row};
  Collective(32, &arguments, PerformLoad);
}

void MultiplyAdd(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  MultiplyArguments arguments{c, a, {b0, b1}};
  Collective(32, &arguments, PerformMultiply);
}

}  // namespace framekiln::emulator
