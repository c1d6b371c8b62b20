// 3x3 convolution as an implicit matrix product: pixels are the rows, output channels the columns, and the terms of a
// sum are the input channels of nine shifted pixels. Reference: reference::Convolve.
//
// A block makes 8 rows of 32 pixels for up to 64 output channels. Input goes to shared memory 16 channels at a time,
// with one pixel of border, for all nine taps; while one part is multiplied, the next is on its way (cp.async), and
// weights come tap by tap through a ring. That takes so little shared memory that two blocks fit on every GPU, and one
// multiplies while the other stores. Rows of 32 bytes are swizzled in pieces of 16, so that the eight rows of a matrix
// load lie in different banks.
#include "conv3x3_tensor.cuh"

#include "../plan/plan.h"

namespace framekiln::kernels {
namespace {

constexpr int kTileHeight = 8;
constexpr int kTileWidth = 32;
constexpr int kHaloWidth = kTileWidth + 2;
constexpr int kHaloPixels = (kTileHeight + 2) * kHaloWidth;
constexpr int kChunk = 16;  // Input channels at a time.
constexpr int kRowBytes = kChunk * 2;
constexpr int kPieces = kRowBytes / 16;
constexpr int kTaps = 9;
constexpr int kRing = 3;
constexpr int kRowsPerWarp = 2;
constexpr int kRowParts = kTileWidth / 16;
constexpr int kThreads = kTileHeight / kRowsPerWarp * 32;
constexpr int kInputBytes = kHaloPixels * kRowBytes;

FK_CONSTEXPR int RingBytes(int n_tiles) { return n_tiles * 8 * kRowBytes; }
// A finished row of a warp reuses that memory; 16 extra bytes for each pixel keep its neighbours in different banks.
FK_CONSTEXPR int StagedPixelBytes(int n_tiles) { return n_tiles * 16 + 16; }
FK_CONSTEXPR int StagedRowBytes(int n_tiles) { return StagedPixelBytes(n_tiles) * kTileWidth; }
FK_CONSTEXPR int SharedBytes(int n_tiles) { return 2 * kInputBytes + kRing * RingBytes(n_tiles); }
static_assert(StagedRowBytes(8) * kTileHeight / kRowsPerWarp <= 2 * kInputBytes);
static_assert(SharedBytes(8) <= 32 * 1024, "sm_75 has 64 kB for two blocks.");

// Groups of 8 output channels that a block computes.
FK_CONSTEXPR int TilesFor(int cout) { return cout >= 64 ? 8 : (cout + 15) / 16 * 2; }

FK_DEVICE int Swizzled(int row, int piece) { return row * kRowBytes + ((piece ^ ((row >> 2) & (kPieces - 1))) << 4); }

FK_DEVICE void CopyInput(const TensorConv& p, unsigned char* to, int chunk, int top, int left) {
  const int height = p.x.height, width = p.x.width;
  for (int i = static_cast<int>(ThreadX()); i < kHaloPixels * kPieces; i += kThreads) {
    const int pixel = i / kPieces, piece = i % kPieces;
    const int y = top - 1 + pixel / kHaloWidth, x = left - 1 + pixel % kHaloWidth;
    const bool inside = y >= 0 && y < height && x >= 0 && x < width;
    const size_t from = inside ? static_cast<size_t>(y) * width + x : 0;
    CopyAsync16(to + Swizzled(pixel, piece), p.x.data + from * p.x.pitch + chunk * kChunk + piece * 8, inside);
  }
}

template <int kNTiles>
FK_DEVICE void CopyWeights(const uint16_t* from, unsigned char* to) {
  for (int i = static_cast<int>(ThreadX()); i < kNTiles * 8 * kPieces; i += kThreads)
    CopyAsync16(to + Swizzled(i / kPieces, i % kPieces), from + i * 8, true);
}

// The first half of the epilogue for the part of a row of a warp that has these sums.
template <int kNTiles>
FK_DEVICE void StagePart(const float (&sums)[kNTiles][4], const PairConstants (&constants)[kNTiles], float scale,
                         unsigned char* staged) {
  const int lane = static_cast<int>(ThreadX()) % 32;
  FK_UNROLL
  for (int n = 0; n < kNTiles; n++) {
    const PairConstants& c = constants[n];
    FK_UNROLL
    for (int half = 0; half < 2; half++) {
      unsigned char* const pixel = staged + (half * 8 + lane / 4) * StagedPixelBytes(kNTiles);
      *reinterpret_cast<uint32_t*>(pixel + (n * 8 + lane % 4 * 2) * 2) =
          PackHalves(Begin(sums[n][half * 2], c.bias[0], scale, c.below[0]),
                     Begin(sums[n][half * 2 + 1], c.bias[1], scale, c.below[1]));
    }
  }
}

// The second half, and the store.
template <int kNTiles>
FK_DEVICE void StoreRow(const TensorConv& p, const unsigned char* staged, int y, int left, int first_channel) {
  const bool finished = p.epilogue.residual1.data == nullptr && !p.epilogue.act_last;
  FK_UNROLL
  for (int i = 0; i < kTileWidth * kNTiles / 32; i++) {
    const int at = i * 32 + static_cast<int>(ThreadX()) % 32;
    const int in_row = at / kNTiles, piece = at % kNTiles;
    const int x = left + in_row, channel = first_channel + piece * 8;
    if (y >= p.y.height || x >= p.y.width || channel >= p.y.channels) continue;
    const size_t pixel = static_cast<size_t>(y) * p.y.width + x;
    Vec4 eight = AsVec4(staged + in_row * StagedPixelBytes(kNTiles) + piece * 16);
    if (!finished) {
      float values[8];
      Unpack(eight, values);
      FinishEight(values, p.epilogue, pixel, channel);
      eight = Pack(values);
    }
    StoreVec4(p.y.data + pixel * p.y.pitch + channel, eight);
  }
}

template <int kNTiles>
FK_KERNEL FK_LAUNCH_BOUNDS(kThreads, 2) TensorConvKernel(const TensorConv p) {
  unsigned char* const shared = SharedMemory();
  unsigned char* const ring = shared + 2 * kInputBytes;
  const int lane = static_cast<int>(ThreadX()) % 32, warp = static_cast<int>(ThreadX()) / 32;
  const int top = static_cast<int>(BlockY()) * kTileHeight, left = static_cast<int>(BlockX()) * kTileWidth;
  const int first_channel = static_cast<int>(BlockZ()) * kNTiles * 8;
  const int chunks = p.x.channels / kChunk;
  const int rounds = chunks * kTaps;
  constexpr int kTapWeights = kNTiles * 8 * kChunk;
  const uint16_t* const weights = p.weights + static_cast<size_t>(BlockZ()) * rounds * kTapWeights;

  CopyInput(p, shared, 0, top, left);
  FK_UNROLL
  for (int i = 0; i < kRing - 1; i++) {
    CopyWeights<kNTiles>(weights + i * kTapWeights, ring + i * RingBytes(kNTiles));
    CommitCopies();
  }

  constexpr int kMTiles = kRowsPerWarp * kRowParts;
  float sums[kMTiles][kNTiles][4];
  FK_UNROLL
  for (int m = 0; m < kMTiles; m++) {
    FK_UNROLL
    for (int n = 0; n < kNTiles; n++) {
      FK_UNROLL
      for (int i = 0; i < 4; i++) sums[m][n][i] = 0;
    }
  }

  // Of the rows that this lane addresses in a matrix load: pixels for the left operand, channels for the right.
  const int pixel_in_tile = lane % 16, pixel_piece = lane / 16;
  const int channel_in_pair = lane / 16 * 8 + lane % 8, channel_piece = lane / 8 % 2;

  for (int chunk = 0, round = 0; chunk < chunks; chunk++) {
    const unsigned char* const input = shared + (chunk & 1) * kInputBytes;
    static_assert(kTaps % kRing == 0, "Then the slot of a tap is the same for all chunks.");
    // Unrolled by all nine taps, the registers of sm_86 overflow.
    FK_UNROLL_3
    for (int tap = 0; tap < kTaps; tap++, round++) {
      WaitCopies<kRing - 2>();
      SyncThreads();
      // The slot of the previous round is free: all threads have passed the barrier.
      const int next = round + kRing - 1;
      if (next < rounds)
        CopyWeights<kNTiles>(weights + static_cast<size_t>(next) * kTapWeights, ring + (tap + kRing - 1) % kRing * RingBytes(kNTiles));
      if (tap == 0 && chunk + 1 < chunks) CopyInput(p, shared + ((chunk + 1) & 1) * kInputBytes, chunk + 1, top, left);
      CommitCopies();
      SyncWarp();

      const unsigned char* const tap_weights = ring + tap % kRing * RingBytes(kNTiles);
      const int shift = tap / 3 * kHaloWidth + tap % 3;
      uint32_t b[kNTiles / 2][4];
      // Sixteen rows further, the swizzling is the same.
      const unsigned char* const my_weights = tap_weights + Swizzled(channel_in_pair, channel_piece);
      FK_UNROLL
      for (int n = 0; n < kNTiles / 2; n++) LoadMatrices(b[n], my_weights + n * 16 * kRowBytes);
      FK_UNROLL
      for (int row = 0; row < kRowsPerWarp; row++) {
        const int pixel = (warp * kRowsPerWarp + row) * kHaloWidth + pixel_in_tile + shift;
        const unsigned char* const my_pixel = input + Swizzled(pixel, pixel_piece);
        FK_UNROLL
        for (int part = 0; part < kRowParts; part++) {
          uint32_t a[4];
          LoadMatrices(a, my_pixel + part * 16 * kRowBytes);
          FK_UNROLL
          for (int n = 0; n < kNTiles; n++)
            MultiplyAdd(sums[row * kRowParts + part][n], a, b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]);
        }
      }
    }
  }
  WaitCopies<0>();
  SyncThreads();

  const Beginning beginning = BeginningOf(p.epilogue);
  PairConstants constants[kNTiles];
  FK_UNROLL
  for (int n = 0; n < kNTiles; n++) {
    const int channel = first_channel + n * 8;
    constants[n] = ConstantsOf(channel + lane % 4 * 2, channel < p.y.channels, beginning);
  }
  if (beginning.sigmoid) {
    FK_UNROLL
    for (int n = 0; n < kNTiles; n++) {
      FK_UNROLL
      for (int i = 0; i < kMTiles * 4; i++) {
        float& sum = sums[i / 4][n][i % 4];
        sum = Sigmoid(sum + constants[n].bias[i % 2]);
      }
      constants[n].bias[0] = constants[n].bias[1] = 0;
    }
  }
  unsigned char* const staged = shared + warp * StagedRowBytes(kNTiles);
  FK_UNROLL
  for (int row = 0; row < kRowsPerWarp; row++) {
    // Through shared memory, so that eight channels of a pixel are stored in one piece.
    SyncWarp();
    FK_UNROLL
    for (int part = 0; part < kRowParts; part++)
      StagePart<kNTiles>(sums[row * kRowParts + part], constants, beginning.scale,
                         staged + part * 16 * StagedPixelBytes(kNTiles));
    SyncWarp();
    StoreRow<kNTiles>(p, staged, top + warp * kRowsPerWarp + row, left, first_channel);
  }
}

template <int kNTiles>
DeviceStatus LaunchTiles(const TensorConv& conv, Stream stream) {
  const GridSize grid{CeilDivide(conv.y.width, kTileWidth), CeilDivide(conv.y.height, kTileHeight),
                      CeilDivide(conv.y.channels, kNTiles * 8)};
  return Launch(TensorConvKernel<kNTiles>, grid, kThreads, SharedBytes(kNTiles), stream, conv);
}

}  // namespace

bool TensorConvTakes(int input_channels) { return input_channels % kChunk == 0; }

std::vector<uint16_t> PackTensorConvWeights(const float* weights, int cout, int cin) {
  const int group = TilesFor(cout) * 8;
  const int groups = (cout + group - 1) / group;
  std::vector<uint16_t> packed;
  packed.reserve(static_cast<size_t>(groups) * group * kTaps * cin);
  for (int g = 0; g < groups; g++) {
    for (int chunk = 0; chunk < cin / kChunk; chunk++) {
      for (int tap = 0; tap < kTaps; tap++) {
        for (int output = g * group; output < (g + 1) * group; output++) {
          for (int input = chunk * kChunk; input < (chunk + 1) * kChunk; input++) {
            const size_t from = (static_cast<size_t>(output) * kTaps + tap) * cin + input;
            packed.push_back(output < cout ? FloatToHalf(weights[from]) : 0);
          }
        }
      }
    }
  }
  return packed;
}

DeviceStatus LaunchTensorConv(const TensorConv& conv, Stream stream) {
  switch (TilesFor(conv.y.channels)) {
    case 2: return LaunchTiles<2>(conv, stream);
    case 4: return LaunchTiles<4>(conv, stream);
    case 6: return LaunchTiles<6>(conv, stream);
    default: return LaunchTiles<8>(conv, stream);
  }
}

}  // namespace framekiln::kernels
