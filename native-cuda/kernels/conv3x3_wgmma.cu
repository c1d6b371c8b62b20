// 3x3 convolution as an implicit matrix product on wgmma: output channels are the 64 rows, pixels the 256 columns of a
// warpgroup. Reference: reference::Convolve.
//
// A block makes 8 rows of 62 pixels. Its input, with a border of one pixel, lies in shared memory as rows of 64 pixels
// one after another, so that 256 columns are one run of pixels, and another tap is only another start address:
// a column is wrong only for the last two pixels of each row of 64, which are discarded. Input is loaded 32 channels at a
// time, 8 channels per plane (no swizzling), with an odd multiple of 16 bytes between planes to avoid bank conflicts.
// Weights are loaded tap by tap into a ring. One batch of products is always in flight while the next is prepared.
#include "conv3x3_wgmma.cuh"

#include "../plan/plan.h"
#include "wgmma.cuh"

namespace framekiln::kernels {
namespace {

constexpr int kTileHeight = 8;
constexpr int kRowPixels = 64;
constexpr int kTileWidth = kRowPixels - 2;
constexpr int kPatchPixels = (kTileHeight + 2) * kRowPixels;
// The last taps of the last pixels read two pixels beyond the patch.
constexpr int kPlanePixels = kPatchPixels + 9;
static_assert(kPlanePixels % 8 == 1 && kPlanePixels >= kPatchPixels + 2);
constexpr int kPlaneBytes = kPlanePixels * 16;
constexpr int kChunk = 32;
constexpr int kPlanes = kChunk / 8;
constexpr int kInputBytes = kPlanes * kPlaneBytes;
constexpr int kOutputs = 64;
constexpr int kTaps = 9;
constexpr int kTapWeights = kOutputs * kChunk;
constexpr int kTapBytes = kTapWeights * 2;
constexpr int kRing = 6;
constexpr int kThreads = 256;
constexpr int kSharedBytes = 2 * kInputBytes + kRing * kTapBytes;
constexpr int kStagedRowBytes = kOutputs * 2 + 16;
static_assert(kStagedRowBytes * kTileHeight * kRowPixels <= 2 * kInputBytes);
static_assert(kInputBytes % 16 == 0);

#ifdef FK_HAS_WGMMA

constexpr int kAhead = kRing - 2;
constexpr int kGroupPixels = 256;

FK_DEVICE void CopyInput(const TensorConv& p, unsigned char* to, int chunk, int top, int left) {
  for (int i = static_cast<int>(ThreadX()); i < kPatchPixels * kPlanes; i += kThreads) {
    const int pixel = i / kPlanes, plane = i % kPlanes;
    const int y = top - 1 + pixel / kRowPixels, x = left - 1 + pixel % kRowPixels;
    const bool inside = y >= 0 && y < p.x.height && x >= 0 && x < p.x.width;
    const size_t from = inside ? static_cast<size_t>(y) * p.x.width + x : 0;
    CopyAsync16(to + plane * kPlaneBytes + pixel * 16, p.x.data + from * p.x.pitch + chunk * kChunk + plane * 8, inside);
  }
}

FK_DEVICE void CopyWeights(const uint16_t* from, unsigned char* to) {
  CopyAsync16(to + ThreadX() * 16, from + ThreadX() * 8, true);
}
static_assert(kTapBytes == kThreads * 16);

FK_DEVICE void StageSums(const TensorConv& p, float (&sums)[128], unsigned char* staged, int first_channel) {
  const int lane = static_cast<int>(ThreadX()) % 32, warp = static_cast<int>(ThreadX()) / 32 % 4;
  const int group = static_cast<int>(ThreadX()) / 128;
  const int upper = first_channel + warp * 16 + lane / 4, lower = upper + 8;
  const Beginning begin = BeginningOf(p.epilogue);
  float bias[2], below[2];
  FK_UNROLL
  for (int i = 0; i < 2; i++) {
    const int channel = i == 0 ? upper : lower;
    const bool there = channel - lane / 4 < p.y.channels;
    bias[i] = there && begin.bias != nullptr ? LoadConstant(begin.bias + channel) : 0;
    below[i] = (there && begin.slopes != nullptr ? LoadConstant(begin.slopes + channel) : begin.slope) * begin.scale;
  }
  if (begin.sigmoid) {
    FK_UNROLL
    for (int i = 0; i < 128; i++) sums[i] = Sigmoid(sums[i] + bias[i % 4 / 2]);
    bias[0] = bias[1] = 0;
  }
  // Of matrix 0..3: the upper and lower eight channels of one group of eight pixels, then of the next.
  const int column = lane / 16 * 8 + lane % 8, half = lane / 8 % 2;
  FK_UNROLL
  for (int n = 0; n < kGroupPixels / 8; n += 2) {
    uint32_t regs[4];
    FK_UNROLL
    for (int i = 0; i < 4; i++) {
      const float low = sums[(n + i / 2) * 4 + i % 2 * 2], high = sums[(n + i / 2) * 4 + i % 2 * 2 + 1];
      regs[i] = PackHalves(Begin(low, bias[i % 2], begin.scale, below[i % 2]),
                           Begin(high, bias[i % 2], begin.scale, below[i % 2]));
    }
    const int pixel = group * kGroupPixels + n * 8 + column;
    SyncWarp();
    StoreMatricesTransposed(staged + pixel * kStagedRowBytes + (warp * 16 + half * 8) * 2, regs);
  }
}

FK_DEVICE void StoreTile(const TensorConv& p, const unsigned char* staged, int top, int left, int first_channel) {
  const bool finished = p.epilogue.residual1.data == nullptr && !p.epilogue.act_last;
  constexpr int kPieces = kOutputs / 8;
  for (int i = static_cast<int>(ThreadX()); i < kTileHeight * kRowPixels * kPieces; i += kThreads) {
    const int pixel = i / kPieces, piece = i % kPieces;
    const int y = top + pixel / kRowPixels, in_row = pixel % kRowPixels, x = left + in_row;
    const int channel = first_channel + piece * 8;
    if (in_row >= kTileWidth || y >= p.y.height || x >= p.y.width || channel >= p.y.channels) continue;
    const size_t at = static_cast<size_t>(y) * p.y.width + x;
    Vec4 eight = AsVec4(staged + pixel * kStagedRowBytes + piece * 16);
    if (!finished) {
      float values[8];
      Unpack(eight, values);
      FinishEight(values, p.epilogue, at, channel);
      eight = Pack(values);
    }
    StoreVec4(p.y.data + at * p.y.pitch + channel, eight);
  }
}

#endif

FK_KERNEL FK_LAUNCH_BOUNDS(kThreads, 1) WgmmaConvKernel(const TensorConv p) {
#ifdef FK_HAS_WGMMA
  unsigned char* const shared = SharedMemory();
  unsigned char* const ring = shared + 2 * kInputBytes;
  const int top = static_cast<int>(BlockY()) * kTileHeight, left = static_cast<int>(BlockX()) * kTileWidth;
  const int first_channel = static_cast<int>(BlockZ()) * kOutputs;
  const int chunks = p.x.channels / kChunk;
  const int rounds = chunks * kTaps;
  const uint16_t* const weights = p.weights + static_cast<size_t>(BlockZ()) * rounds * kTapWeights;
  const int first_pixel = static_cast<int>(ThreadX()) / 128 * kGroupPixels;

  CopyInput(p, shared, 0, top, left);
  for (int i = 0; i < kAhead; i++) {
    CopyWeights(weights + i * kTapWeights, ring + i * kTapBytes);
    CommitCopies();
  }
  float sums[128];
  FK_UNROLL
  for (int i = 0; i < 128; i++) sums[i] = 0;

  for (int chunk = 0, round = 0; chunk < chunks; chunk++) {
    const uint32_t input = SharedAddress(shared + (chunk & 1) * kInputBytes);
    for (int tap = 0; tap < kTaps; tap++, round++) {
      WaitCopies<kAhead - 1>();
      PublishShared();
      WaitProducts<1>();
      SyncThreads();
      // All threads have finished reading the data of the round before last.
      const int next = round + kAhead;
      if (next < rounds)
        CopyWeights(weights + static_cast<size_t>(next) * kTapWeights, ring + next % kRing * kTapBytes);
      if (tap == 1 && chunk + 1 < chunks) CopyInput(p, shared + ((chunk + 1) & 1) * kInputBytes, chunk + 1, top, left);
      CommitCopies();

      const uint32_t tap_weights = SharedAddress(ring + round % kRing * kTapBytes);
      const int shifted = first_pixel + tap / 3 * kRowPixels + tap % 3;
      FenceSums();
      FK_UNROLL
      for (int k = 0; k < kChunk / 16; k++) {
        const uint64_t a = MatrixDescriptor(tap_weights + k * 2 * kOutputs * 16, kOutputs * 16, 128);
        const uint64_t b = MatrixDescriptor(input + k * 2 * kPlaneBytes + shifted * 16, kPlaneBytes, 128);
        MultiplyAddGroup(sums, a, b);
      }
      CommitProducts();
    }
  }
  WaitCopies<0>();
  WaitProducts<0>();
  HoldSums(sums);
  SyncThreads();
  StageSums(p, sums, shared, first_channel);
  SyncThreads();
  StoreTile(p, shared, top, left, first_channel);
#endif
}

}  // namespace

bool WgmmaConvTakes(int cin, int cout) {
#ifdef __CUDACC__
  int device = 0, major = 0, minor = 0;
  const bool known = cudaGetDevice(&device) == cudaSuccess &&
                     cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
                     cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) == cudaSuccess;
  return known && major == 9 && minor == 0 && cin % kChunk == 0 && cout > 32;
#else
  static_cast<void>(cin);
  static_cast<void>(cout);
  return false;
#endif
}

std::vector<uint16_t> PackWgmmaConvWeights(const float* weights, int cout, int cin) {
  const int groups = (cout + kOutputs - 1) / kOutputs;
  std::vector<uint16_t> packed;
  packed.reserve(static_cast<size_t>(groups) * kOutputs * kTaps * cin);
  for (int group = 0; group < groups; group++) {
    for (int chunk = 0; chunk < cin / kChunk; chunk++) {
      for (int tap = 0; tap < kTaps; tap++) {
        for (int plane = 0; plane < kPlanes; plane++) {
          for (int i = 0; i < kOutputs * 8; i++) {
            const int output = group * kOutputs + i / 8, input = chunk * kChunk + plane * 8 + i % 8;
            const size_t from = (static_cast<size_t>(output) * kTaps + tap) * cin + input;
            packed.push_back(output < cout ? FloatToHalf(weights[from]) : 0);
          }
        }
      }
    }
  }
  return packed;
}

DeviceStatus LaunchWgmmaConv(const TensorConv& conv, Stream stream) {
  const GridSize grid{CeilDivide(conv.y.width, kTileWidth), CeilDivide(conv.y.height, kTileHeight),
                      CeilDivide(conv.y.channels, kOutputs)};
  return Launch(WgmmaConvKernel, grid, kThreads, kSharedBytes, stream, conv);
}

}  // namespace framekiln::kernels
