#include <atomic>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "device.h"

namespace framekiln::engine {
namespace {

std::atomic<size_t> total_bytes = size_t{1} << 32;
std::atomic<size_t> used_bytes = 0;

unsigned char* AllocatePoisoned(size_t bytes, const char* place) {
  if (bytes == 0) return nullptr;
  void* data = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (data == nullptr) throw DeviceError(Failure::kOutOfMemory, std::string("aligned_alloc in ") + place);
  std::memset(data, 0xff, bytes);  // NaN as half and as float, so that reads of unwritten memory show.
  return static_cast<unsigned char*>(data);
}

}  // namespace

void Check(kernels::DeviceStatus status, const char* place) {
  if (status != 0) throw DeviceError(Failure::kFailed, std::string("status ") + std::to_string(status) + " in " + place);
}
void UseDevice(int) {}
size_t TotalBytes() { return total_bytes; }
size_t FreeBytes() { return used_bytes > total_bytes ? 0 : total_bytes - used_bytes; }
void SetTotalBytes(size_t bytes) { total_bytes = bytes; }

DeviceMemory::DeviceMemory(size_t bytes, const char* place) {
  if (used_bytes.fetch_add(bytes) + bytes > total_bytes) {
    used_bytes -= bytes;
    throw DeviceError(Failure::kOutOfMemory, std::string("the emulated GPU is full, in ") + place);
  }
  data_ = AllocatePoisoned(bytes, place);
  bytes_ = bytes;
}
DeviceMemory::~DeviceMemory() {
  used_bytes -= bytes_;
  std::free(data_);
}
DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

PinnedMemory::PinnedMemory(size_t bytes, const char* place) : data_(AllocatePoisoned(bytes, place)), bytes_(bytes) {}
PinnedMemory::~PinnedMemory() { std::free(data_); }
PinnedMemory::PinnedMemory(PinnedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
PinnedMemory& PinnedMemory::operator=(PinnedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

DeviceStream::DeviceStream() = default;
DeviceStream::~DeviceStream() = default;
DeviceStream::DeviceStream(DeviceStream&&) noexcept = default;
void DeviceStream::Wait(const char*) const {}

void CopyToDevice(void* to, const void* from, size_t bytes, Stream) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}
void CopyToHost(void* to, const void* from, size_t bytes, Stream) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
void Graph::Replay(Stream stream, const std::function<void(Stream)>& enqueue) { enqueue(stream); }

std::vector<DeviceReport> DescribeDevices(std::string& reason) {
  reason = "this build has no CUDA";
  return {};
}

}  // namespace framekiln::engine
