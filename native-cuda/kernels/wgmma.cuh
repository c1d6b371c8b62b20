// Hopper's matrix instruction (sm_90a): a warpgroup of 128 threads multiplies straight out of shared memory.
#pragma once

#include "device.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define FK_HAS_WGMMA 1
#endif

namespace framekiln::kernels {

// Where an operand lies in shared memory: core matrices of 8 rows of 16 bytes, 128 bytes in one piece, without
// swizzling. `k_stride`: bytes between the two core matrices of 16 terms; `row_stride`: between groups of 8 rows.
// (PTX ISA, "Matrix descriptor" of wgmma: leading and stride dimension byte offset of the no-swizzle, K-major layout.)
FK_DEVICE uint64_t MatrixDescriptor(uint32_t address, uint32_t k_stride, uint32_t row_stride) {
  return uint64_t{(address & 0x3ffffu) >> 4} | (uint64_t{k_stride >> 4} << 16) | (uint64_t{row_stride >> 4} << 32);
}

#ifdef __CUDACC__
#ifdef FK_HAS_WGMMA

// d += a * b for 64 rows, 256 columns and 16 terms. Thread i holds, of row 16 * (i / 32) + i % 32 / 4 and of the row 8
// below, the columns 8 * n + i % 4 * 2 and the next: d[4 * n + 0, 1] and d[4 * n + 2, 3].
FK_DEVICE void MultiplyAddGroup(float (&d)[128], uint64_t a, uint64_t b) {
  asm volatile(
      "{\n"
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 "
      "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, 1, 1, 1, 0, 0;\n"
      "}\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]),
        "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),
        "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]),
        "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31]),
        "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]),
        "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]),
        "+f"(d[48]), "+f"(d[49]), "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]),
        "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63]),
        "+f"(d[64]), "+f"(d[65]), "+f"(d[66]), "+f"(d[67]), "+f"(d[68]), "+f"(d[69]), "+f"(d[70]), "+f"(d[71]),
        "+f"(d[72]), "+f"(d[73]), "+f"(d[74]), "+f"(d[75]), "+f"(d[76]), "+f"(d[77]), "+f"(d[78]), "+f"(d[79]),
        "+f"(d[80]), "+f"(d[81]), "+f"(d[82]), "+f"(d[83]), "+f"(d[84]), "+f"(d[85]), "+f"(d[86]), "+f"(d[87]),
        "+f"(d[88]), "+f"(d[89]), "+f"(d[90]), "+f"(d[91]), "+f"(d[92]), "+f"(d[93]), "+f"(d[94]), "+f"(d[95]),
        "+f"(d[96]), "+f"(d[97]), "+f"(d[98]), "+f"(d[99]), "+f"(d[100]), "+f"(d[101]), "+f"(d[102]), "+f"(d[103]),
        "+f"(d[104]), "+f"(d[105]), "+f"(d[106]), "+f"(d[107]), "+f"(d[108]), "+f"(d[109]), "+f"(d[110]), "+f"(d[111]),
        "+f"(d[112]), "+f"(d[113]), "+f"(d[114]), "+f"(d[115]), "+f"(d[116]), "+f"(d[117]), "+f"(d[118]), "+f"(d[119]),
        "+f"(d[120]), "+f"(d[121]), "+f"(d[122]), "+f"(d[123]), "+f"(d[124]), "+f"(d[125]), "+f"(d[126]), "+f"(d[127])
      : "l"(a), "l"(b));
}
// Before the first of a batch of MultiplyAddGroup: the sums in registers are settled.
FK_DEVICE void FenceSums() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
FK_DEVICE void CommitProducts() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Returns when at most kPending batches are still being multiplied.
template <int kPending>
FK_DEVICE void WaitProducts() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
// After the last WaitProducts: keeps the compiler from reading the sums before it, as it does not know that MultiplyAddGroup
// writes them later. It makes no instructions.
FK_DEVICE void HoldSums(float (&d)[128]) {
  FK_UNROLL
  for (int i = 0; i < 128; i++) asm volatile("" : "+f"(d[i])::"memory");
}
// What this thread wrote to shared memory may be read by MultiplyAddGroup after the next barrier.
FK_DEVICE void PublishShared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
// Four 8x8 matrices of halves, transposed on the way: lane i gives the address of column i % 8 of matrix i / 8.
FK_DEVICE void StoreMatricesTransposed(unsigned char* column, const uint32_t (&regs)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(SharedAddress(column)),
               "r"(regs[0]), "r"(regs[1]), "r"(regs[2]), "r"(regs[3])
               : "memory");
}

#endif
#else  // The emulation.

FK_DEVICE uint32_t SharedAddress(const unsigned char* pointer) {
  return static_cast<uint32_t>(pointer - emulator::SharedMemory());
}
FK_DEVICE void MultiplyAddGroup(float (&d)[128], uint64_t a, uint64_t b) { emulator::MultiplyAddGroup(d, a, b); }
FK_DEVICE void FenceSums() {}
FK_DEVICE void CommitProducts() { emulator::CommitProducts(); }
template <int kPending>
FK_DEVICE void WaitProducts() {
  emulator::WaitProducts(kPending);
}
FK_DEVICE void HoldSums(float (&)[128]) {}
FK_DEVICE void PublishShared() {}
FK_DEVICE void StoreMatricesTransposed(unsigned char* column, const uint32_t (&regs)[4]) {
  emulator::StoreMatricesTransposed(column, regs);
}

#endif

}  // namespace framekiln::kernels
