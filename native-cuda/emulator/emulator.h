// Runs CUDA kernels on the CPU, to test them on machines without a GPU.
//
// Every thread of a block is a fiber. Warps run in a random order from barrier to barrier, so that a missing barrier
// shows; asynchronous copies leave poison until they are waited for; shared memory starts as poison. The
// tensor-core and matrix-load instructions follow the fragment layouts of the PTX ISA (section "Warp-level matrix
// instructions" and "wgmma"). It cannot show timing, real memory ordering, or whether a real GPU agrees.
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
// Indices of the running fiber.
const Place& Here();

unsigned char* SharedMemory();
void SyncThreads();
void SyncWarp();

// Copies 16 bytes, or writes 16 zero bytes if `valid` is false, once the group is waited for and no earlier.
void CopyAsync16(void* to, const void* from, bool valid);
void CommitCopies();
// Returns when at most `pending` of this thread's groups are still pending.
void WaitCopies(int pending);

// Meets the other lanes of the warp (32) or warpgroup (128): `perform` gets the argument of each lane in order.
void Collective(int lanes, void* argument, void (*perform)(void** arguments));

// A wgmma that this thread has issued.
struct Product {
  float* d;
  uint64_t a, b;
};
// Products of this thread, batch by batch; the last batch is still open.
std::vector<std::vector<Product>>& CurrentProducts();

// Runs `body` for each thread of each block. Throws std::runtime_error on a deadlock.
void RunGrid(Dim3 grid, unsigned threads, size_t shared_bytes, void (*body)(const void*), const void* params);

// Changes the order in which warps run.
void Seed(uint64_t seed);

}  // namespace framekiln::emulator
