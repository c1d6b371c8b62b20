// Primitives for kernels. Compiled by nvcc they are GPU instructions; compiled by a C++ compiler they are emulated
// (emulator/), so that the same kernels run on the CPU in tests.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef __CUDACC__
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#define FK_KERNEL static __global__ void
#define FK_DEVICE static __device__ __forceinline__
#define FK_CONSTEXPR __host__ __device__ constexpr
#define FK_UNROLL _Pragma("unroll")
#define FK_UNROLL_3 _Pragma("unroll 3")
#define FK_LAUNCH_BOUNDS(threads, blocks) __launch_bounds__(threads, blocks)
#else
#include <cmath>
#include <cstring>

#include "../emulator/emulator.h"
#include "../emulator/instructions.h"
#include "../plan/plan.h"
#define FK_KERNEL static void
#define FK_DEVICE static inline
#define FK_CONSTEXPR constexpr
#define FK_UNROLL
#define FK_UNROLL_3
#define FK_LAUNCH_BOUNDS(threads, blocks)
#endif

namespace framekiln::kernels {

// 0, or the number of a cudaError_t.
using DeviceStatus = int;

struct alignas(16) Vec4 {
  uint32_t x, y, z, w;
};

#ifdef __CUDACC__

using Stream = cudaStream_t;

struct GridSize {
  unsigned x = 1, y = 1, z = 1;
};

// Dynamic shared memory beyond 48 kB must be requested once per kernel and device; repeating that costs a microsecond.
template <typename Params>
DeviceStatus Launch(void (*kernel)(Params), GridSize grid, unsigned threads, size_t shared_bytes, Stream stream,
                    const Params& params) {
  if (shared_bytes > 48 * 1024) {
    const cudaError_t error =
        cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(shared_bytes));
    if (error != cudaSuccess) return error;
  }
  kernel<<<dim3(grid.x, grid.y, grid.z), threads, shared_bytes, stream>>>(params);
  return cudaPeekAtLastError();
}

FK_DEVICE unsigned ThreadX() { return threadIdx.x; }
FK_DEVICE unsigned BlockX() { return blockIdx.x; }
FK_DEVICE unsigned BlockY() { return blockIdx.y; }
FK_DEVICE unsigned BlockZ() { return blockIdx.z; }
FK_DEVICE unsigned BlockThreads() { return blockDim.x; }

FK_DEVICE unsigned char* SharedMemory() {
  extern __shared__ __align__(1024) unsigned char framekiln_shared[];
  return framekiln_shared;
}
FK_DEVICE void SyncThreads() { __syncthreads(); }
// Between lanes that write to shared memory and lanes of the same warp that read it. Also before an instruction that a
// warp executes together (ldmatrix, mma, stmatrix): lanes that took different ways through a loop or a branch need not
// meet again by themselves, and the result of such an instruction is then undefined.
FK_DEVICE void SyncWarp() { __syncwarp(); }

FK_DEVICE float HalfBitsToFloat(uint16_t bits) { return __half2float(__ushort_as_half(bits)); }
FK_DEVICE uint16_t FloatToHalfBits(float value) { return __half_as_ushort(__float2half_rn(value)); }
FK_DEVICE float Exponential(float value) { return __expf(value); }
// What no kernel writes while this one runs; the address of a pair is a multiple of 8.
FK_DEVICE float LoadConstant(const float* from) { return __ldg(from); }
FK_DEVICE void LoadConstants(const float* from, float (&pair)[2]) {
  const float2 both = __ldg(reinterpret_cast<const float2*>(from));
  pair[0] = both.x;
  pair[1] = both.y;
}

FK_DEVICE uint32_t SharedAddress(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Four 8x8 matrices of halves; lane i gives the address of row i % 8 of matrix i / 8.
FK_DEVICE void LoadMatrices(uint32_t (&regs)[4], const unsigned char* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(regs[0]), "=r"(regs[1]), "=r"(regs[2]), "=r"(regs[3])
               : "r"(SharedAddress(row)));
}

// c += a * b for a tile of 16x8 with 16 terms each: halves in, floats summed.
FK_DEVICE void MultiplyAdd(float (&c)[4], const uint32_t (&a)[4], const uint32_t b0, const uint32_t b1) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(b0));
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[2]), "r"(a[3]), "r"(b1));
#endif
}

// Sixteen bytes from global to shared memory, or zeros. Before sm_80 there is no asynchronous copy: it copies synchronously.
FK_DEVICE void CopyAsync16(unsigned char* to, const void* from, bool valid) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(SharedAddress(to)), "l"(from), "r"(valid ? 16 : 0)
               : "memory");
#else
  *reinterpret_cast<Vec4*>(to) = valid ? *reinterpret_cast<const Vec4*>(from) : Vec4{0, 0, 0, 0};
#endif
}
FK_DEVICE void CommitCopies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
template <int kPending>
FK_DEVICE void WaitCopies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

#else  // The emulation.

using Stream = void*;
using GridSize = emulator::Dim3;

template <typename Params>
DeviceStatus Launch(void (*kernel)(Params), GridSize grid, unsigned threads, size_t shared_bytes, Stream,
                    const Params& params) {
  // The emulator calls a function of one untyped argument; this names the kernel and its parameters together.
  struct Call {
    void (*kernel)(Params);
    const Params* params;
  };
  const Call call{kernel, &params};
  emulator::RunGrid(
      grid, threads, shared_bytes,
      [](const void* untyped) {
        const Call* made = static_cast<const Call*>(untyped);
        made->kernel(*made->params);
      },
      &call);
  return 0;
}

FK_DEVICE unsigned ThreadX() { return emulator::Here().thread.x; }
FK_DEVICE unsigned BlockX() { return emulator::Here().block.x; }
FK_DEVICE unsigned BlockY() { return emulator::Here().block.y; }
FK_DEVICE unsigned BlockZ() { return emulator::Here().block.z; }
FK_DEVICE unsigned BlockThreads() { return emulator::Here().block_size.x; }
FK_DEVICE unsigned char* SharedMemory() { return emulator::SharedMemory(); }
FK_DEVICE void SyncThreads() { emulator::SyncThreads(); }
FK_DEVICE void SyncWarp() { emulator::SyncWarp(); }
FK_DEVICE float HalfBitsToFloat(uint16_t bits) { return emulator::HalfBitsToFloat(bits); }
FK_DEVICE uint16_t FloatToHalfBits(float value) { return FloatToHalf(value); }
FK_DEVICE float Exponential(float value) { return std::exp(value); }
FK_DEVICE float LoadConstant(const float* from) { return *from; }
FK_DEVICE void LoadConstants(const float* from, float (&pair)[2]) {
  pair[0] = from[0];
  pair[1] = from[1];
}
FK_DEVICE void LoadMatrices(uint32_t (&regs)[4], const unsigned char* row) { emulator::LoadMatrices(regs, row); }
FK_DEVICE void MultiplyAdd(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  emulator::MultiplyAdd(c, a, b0, b1);
}
FK_DEVICE void CopyAsync16(unsigned char* to, const void* from, bool valid) { emulator::CopyAsync16(to, from, valid); }
FK_DEVICE void CommitCopies() { emulator::CommitCopies(); }
template <int kPending>
FK_DEVICE void WaitCopies() {
  emulator::WaitCopies(kPending);
}

#endif

FK_DEVICE uint32_t PackHalves(float low, float high) {
  return FloatToHalfBits(low) | (uint32_t{FloatToHalfBits(high)} << 16);
}
FK_DEVICE float LowHalf(uint32_t pair) { return HalfBitsToFloat(static_cast<uint16_t>(pair & 0xffffu)); }
FK_DEVICE float HighHalf(uint32_t pair) { return HalfBitsToFloat(static_cast<uint16_t>(pair >> 16)); }

FK_DEVICE void Unpack(const Vec4& packed, float (&values)[8]) {
  const uint32_t words[4] = {packed.x, packed.y, packed.z, packed.w};
  FK_UNROLL
  for (int i = 0; i < 4; i++) {
    values[2 * i] = LowHalf(words[i]);
    values[2 * i + 1] = HighHalf(words[i]);
  }
}
FK_DEVICE Vec4 Pack(const float (&v)[8]) {
  return {PackHalves(v[0], v[1]), PackHalves(v[2], v[3]), PackHalves(v[4], v[5]), PackHalves(v[6], v[7])};
}

FK_DEVICE const Vec4& AsVec4(const void* pointer) { return *static_cast<const Vec4*>(pointer); }
FK_DEVICE void StoreVec4(void* pointer, const Vec4& value) { *static_cast<Vec4*>(pointer) = value; }

constexpr unsigned CeilDivide(size_t value, size_t by) { return static_cast<unsigned>((value + by - 1) / by); }

}  // namespace framekiln::kernels
