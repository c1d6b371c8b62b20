#include "instructions.h"

#include <cstring>
#include <stdexcept>
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

struct StoreArguments {
  const uint32_t* regs;
  unsigned char* column;
};

void PerformStore(void** arguments) {
  for (int lane = 0; lane < 32; lane++) {
    const auto* args = static_cast<const StoreArguments*>(arguments[lane]);
    for (int matrix = 0; matrix < 4; matrix++) {
      // This lane holds row lane / 4, columns lane % 4 * 2 and the next; a lane's address is that of a column.
      for (int i = 0; i < 2; i++) {
        const auto* owner = static_cast<const StoreArguments*>(arguments[matrix * 8 + lane % 4 * 2 + i]);
        const auto half = static_cast<uint16_t>(args->regs[matrix] >> (16 * i));
        std::memcpy(owner->column + lane / 4 * 2, &half, 2);
      }
    }
  }
}

// Element (row, k) of an operand that a descriptor names.
float Element(uint64_t descriptor, int row, int k) {
  const auto field = [descriptor](int at) { return static_cast<size_t>((descriptor >> at) & 0x3fffu) * 16; };
  const size_t address =
      field(0) + static_cast<size_t>(row / 8) * field(32) + static_cast<size_t>(k / 8) * field(16) + row % 8 * 16 + k % 8 * 2;
  uint16_t half;
  std::memcpy(&half, SharedMemory() + address, 2);
  return HalfBitsToFloat(half);
}

void MultiplyGroup(const std::vector<Product*>& lanes) {
  thread_local float a[64][16], b[256][16];
  for (int k = 0; k < 16; k++) {
    for (int row = 0; row < 64; row++) a[row][k] = Element(lanes[0]->a, row, k);
    for (int column = 0; column < 256; column++) b[column][k] = Element(lanes[0]->b, column, k);
  }
  for (int thread = 0; thread < 128; thread++) {
    if (lanes[thread]->a != lanes[0]->a || lanes[thread]->b != lanes[0]->b)
      throw std::runtime_error("The threads of a warpgroup pass different matrices.");
    for (int i = 0; i < 128; i++) {
      const int row = thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8;
      const int column = i / 4 * 8 + thread % 4 * 2 + i % 2;
      float sum = 0;
      for (int k = 0; k < 16; k++) sum += a[row][k] * b[column][k];
      lanes[thread]->d[i] += sum;
    }
  }
}

struct WaitArguments {
  std::vector<std::vector<Product>>* batches;
  int pending;
};

void PerformWait(void** arguments) {
  auto& first = *static_cast<const WaitArguments*>(arguments[0])->batches;
  while (first.size() > static_cast<size_t>(static_cast<const WaitArguments*>(arguments[0])->pending) + 1) {
    for (size_t i = 0; i < first.front().size(); i++) {
      std::vector<Product*> lanes;
      for (int thread = 0; thread < 128; thread++)
        lanes.push_back(&static_cast<const WaitArguments*>(arguments[thread])->batches->front().at(i));
      MultiplyGroup(lanes);
    }
    for (int thread = 0; thread < 128; thread++) {
      auto& batches = *static_cast<const WaitArguments*>(arguments[thread])->batches;
      batches.erase(batches.begin());
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

void MultiplyAddGroup(float (&d)[128], uint64_t a, uint64_t b) { CurrentProducts().back().push_back({d, a, b}); }

void CommitProducts() { CurrentProducts().emplace_back(); }

void WaitProducts(int pending) {
  WaitArguments arguments{&CurrentProducts(), pending};
  Collective(128, &arguments, PerformWait);
}

void StoreMatricesTransposed(unsigned char* column, const uint32_t (&regs)[4]) {
  StoreArguments arguments{regs, column};
  Collective(32, &arguments, PerformStore);
}

}  // namespace framekiln::emulator
