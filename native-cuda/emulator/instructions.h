// Warp-level instructions by their fragment layouts in the PTX ISA.
#pragma once

#include <cstdint>

namespace framekiln::emulator {

float HalfBitsToFloat(uint16_t bits);

// ldmatrix.m8n8.x4.b16
void LoadMatrices(uint32_t (&regs)[4], const unsigned char* row);
// mma.m16n8k16.row.col.f32.f16.f16.f32
void MultiplyAdd(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);

}  // namespace framekiln::emulator
