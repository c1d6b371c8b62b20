// Warp-level instructions by their fragment layouts in the PTX ISA.
#pragma once

#include <cstdint>

namespace framekiln::emulator {

float HalfBitsToFloat(uint16_t bits);

// ldmatrix.m8n8.x4.b16
void LoadMatrices(uint32_t (&regs)[4], const unsigned char* row);
// mma.m16n8k16.row.col.f32.f16.f16.f32
void MultiplyAdd(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);

// wgmma.mma_async.m64n256k16.f32.f16.f16, both operands K-major in shared memory without swizzling. The product is made
// when it is waited for, as late as the instruction allows.
void MultiplyAddGroup(float (&d)[128], uint64_t a, uint64_t b);
void CommitProducts();
void WaitProducts(int pending);
// stmatrix.m8n8.x4.trans.b16
void StoreMatricesTransposed(unsigned char* column, const uint32_t (&regs)[4]);

}  // namespace framekiln::emulator
