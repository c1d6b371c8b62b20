// CUDA kernels on the CPU, for proving them where there is no GPU.
//
// Every thread of a block is a fiber. Warps run in a random order from barrier to barrier, so that a missing barrier
// shows; asynchronous copies leave poison behind until they are waited for; shared memory begins as poison. The
// tensor-core and matrix-load instructions follow the fragment layouts of the PTX ISA (section "Warp-level matrix
// instructions" and "wgmma"). What this cannot show: timing, real memory ordering, and whether a GPU agrees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace framekiln::emulator {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

struct Place {
  Dim3 thread, block, block_size, grid_size;
};
// Of the fiber that runs now.
const Place& Here();

unsigned char* SharedMemory();
void SyncThreads();

// Copies 16 bytes, or writes 16 zero bytes where `valid` is false, not before the group is waited for.
void CopyAsync16(void* to, const void* from, bool valid);
void CommitCopies();
// Returns when at most `pending` of this thread's groups are still under way.
void WaitCopies(int pending);

// Meets the other lanes of the warp (32) or warpgroup (128): `perform` gets the argument of each lane in order.
void Collective(int lanes, void* argument, void (*perform)(void** arguments));

// A wgmma that this thread has issued.
struct Product {
  float* d;
  uint64_t a, b;
};
// Of this thread, batch by batch; the last one is still open.
std::vector<std::vector<Product>>& CurrentProducts();

// Runs `body` for each thread of each block. Throws std::runtime_error where threads wait for each other for ever.
void RunGrid(Dim3 grid, unsigned threads, size_t shared_bytes, void (*body)(const void*), const void* params);

// Makes the order in which warps run another one.
void Seed(uint64_t seed);

}  // namespace framekiln::emulator
