#include "emulator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "fiber.h"

namespace framekiln::emulator {



namespace {

constexpr unsigned kWarp = 32;
constexpr unsigned char kPoison = 0xff;  // As halves and floats: not a number.

struct Copy {
  void* to;
  const void* from;
  bool valid;
};

enum class Wait { kNothing, kBlock, kCollective, kDone };

struct Thread {
  Fiber fiber;
  unsigned number = 0;
  Wait wait = Wait::kNothing;
  int lanes = 0;
  void* argument = nullptr;
  void (*perform)(void**) = nullptr;
  std::vector<std::vector<Copy>> groups{1};  // The last one is still open.
  std::vector<std::vector<Product>> products{1};
};

class Block {
 public:
  Block(unsigned threads, size_t shared_bytes) : threads_(threads), shared_(shared_bytes + 1024) {}

  void Run(const Place& place, void (*body)(const void*), const void* params, std::mt19937_64& random);

  unsigned char* Shared() {
    // Aligned as dynamic shared memory is declared in device.cuh.
    const auto address = reinterpret_cast<uintptr_t>(shared_.data());
    return shared_.data() + (1024 - address % 1024) % 1024;
  }
  Thread& Current() { return *current_; }
  void Pause(Wait wait) {
    current_->wait = wait;
    current_->fiber.Yield();
  }

 private:
  void RunWarp(unsigned warp);
  bool Meet(unsigned first, unsigned lanes);
  bool Release();

  std::vector<Thread> threads_;
  std::vector<unsigned char> shared_;
  Thread* current_ = nullptr;
  Place place_;
};

thread_local Place here;
thread_local Block* block = nullptr;
thread_local std::mt19937_64 order(1);

void Block::RunWarp(unsigned warp) {
  const unsigned first = warp * kWarp;
  do {
    for (unsigned i = first; i < first + kWarp && i < threads_.size(); i++) {
      if (threads_[i].wait != Wait::kNothing) continue;
      current_ = &threads_[i];
      here = place_;
      here.thread.x = i;
      if (current_->fiber.Resume()) current_->wait = Wait::kDone;
    }
  } while (Meet(first, kWarp));
}

// Performs the collective of the lanes from `first` on, if all of them have arrived.
bool Block::Meet(unsigned first, unsigned lanes) {
  if (first + lanes > threads_.size()) return false;
  std::array<void*, 128> arguments{};
  for (unsigned i = 0; i < lanes; i++) {
    const Thread& thread = threads_[first + i];
    if (thread.wait != Wait::kCollective || thread.lanes != static_cast<int>(lanes)) return false;
    if (thread.perform != threads_[first].perform) throw std::runtime_error("The lanes of a warp diverge at a collective.");
    arguments[i] = thread.argument;
  }
  threads_[first].perform(arguments.data());
  for (unsigned i = 0; i < lanes; i++) threads_[first + i].wait = Wait::kNothing;
  return true;
}

bool Block::Release() {
  bool any = false;
  for (unsigned first = 0; first < threads_.size(); first += 128) any = Meet(first, 128) || any;
  if (any) return true;
  for (const Thread& thread : threads_) {
    if (thread.wait == Wait::kCollective) throw std::runtime_error("Lanes of a warp wait for lanes that never arrive.");
    any = any || thread.wait == Wait::kBlock;
  }
  for (Thread& thread : threads_) {
    if (thread.wait == Wait::kBlock) thread.wait = Wait::kNothing;
  }
  return any;
}

void Block::Run(const Place& place, void (*body)(const void*), const void* params, std::mt19937_64& random) {
  place_ = place;
  std::memset(shared_.data(), kPoison, shared_.size());
  block = this;
  for (unsigned i = 0; i < threads_.size(); i++) {
    threads_[i].wait = Wait::kNothing;
    threads_[i].groups.assign(1, {});
    threads_[i].products.assign(1, {});
    threads_[i].fiber.Start(body, params);
  }
  std::vector<unsigned> warps((threads_.size() + kWarp - 1) / kWarp);
  std::iota(warps.begin(), warps.end(), 0u);
  do {
    std::shuffle(warps.begin(), warps.end(), random);
    for (const unsigned warp : warps) RunWarp(warp);
  } while (Release());
  for (const Thread& thread : threads_) {
    if (thread.groups.size() > 1 || !thread.groups.back().empty())
      throw std::runtime_error("A thread ended without waiting for its asynchronous copies.");
    if (thread.products.size() > 1 || !thread.products.back().empty())
      throw std::runtime_error("A thread ended without waiting for its wgmma products.");
  }
  block = nullptr;
}

}  // namespace

const Place& Here() { return here; }

unsigned char* SharedMemory() { return block->Shared(); }

void SyncThreads() { block->Pause(Wait::kBlock); }

void CopyAsync16(void* to, const void* from, bool valid) {
  std::memset(to, kPoison, 16);
  block->Current().groups.back().push_back({to, from, valid});
}

void CommitCopies() { block->Current().groups.emplace_back(); }

void WaitCopies(int pending) {
  auto& groups = block->Current().groups;
  while (groups.size() > static_cast<size_t>(pending) + 1) {
    for (const Copy& copy : groups.front()) {
      if (copy.valid)
        std::memcpy(copy.to, copy.from, 16);
      else
        std::memset(copy.to, 0, 16);
    }
    groups.erase(groups.begin());
  }
}

std::vector<std::vector<Product>>& CurrentProducts() { return block->Current().products; }

void Collective(int lanes, void* argument, void (*perform)(void** arguments)) {
  Thread& thread = block->Current();
  thread.lanes = lanes;
  thread.argument = argument;
  thread.perform = perform;
  block->Pause(Wait::kCollective);
}

void SyncWarp() {
  Collective(32, nullptr, [](void**) {});
}

void RunGrid(Dim3 grid, unsigned threads, size_t shared_bytes, void (*body)(const void*), const void* params) {
  Block one(threads, shared_bytes);
  Place place;
  place.block_size = {threads, 1, 1};
  place.grid_size = grid;
  for (place.block.z = 0; place.block.z < grid.z; place.block.z++) {
    for (place.block.y = 0; place.block.y < grid.y; place.block.y++) {
      for (place.block.x = 0; place.block.x < grid.x; place.block.x++) one.Run(place, body, params, order);
    }
  }
}

void Seed(uint64_t seed) { order.seed(seed); }

}  // namespace framekiln::emulator
