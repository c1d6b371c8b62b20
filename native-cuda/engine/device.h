// Memory, streams and graphs of the device: the CUDA runtime (device_cuda.cu) or the emulator on the CPU
// (device_host.cc).
#pragma once

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "../kernels/device.cuh"

namespace framekiln::engine {

using kernels::Stream;

enum class Failure {
  kOutOfMemory,  // A smaller image may succeed.
  kDeviceLost,   // Nothing will succeed in this process from now on.
  kNoDevice,
  kFailed,
};

class DeviceError : public std::runtime_error {
 public:
  DeviceError(Failure failure, const std::string& message) : std::runtime_error(message), failure(failure) {}
  const Failure failure;
};

// Throws if a launcher or the runtime returned an error; `place` names the operation.
void Check(kernels::DeviceStatus status, const char* place);

// Makes `device` the current device of this thread.
void UseDevice(int device);
// Total memory of the current device in bytes, whatever else is running.
size_t TotalBytes();
// Memory of the current device that no program uses.
size_t FreeBytes();
#ifndef __CUDACC__
// Sets the memory of the emulated GPU, for tests.
void SetTotalBytes(size_t bytes);
#endif

// Device memory, aligned to 256 bytes.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(size_t bytes, const char* place);
  ~DeviceMemory();
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;

  unsigned char* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  unsigned char* data_ = nullptr;
  size_t bytes_ = 0;
};

// Pinned host memory, which the device can copy from and to asynchronously.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  PinnedMemory(size_t bytes, const char* place);
  ~PinnedMemory();
  PinnedMemory(PinnedMemory&& other) noexcept;
  PinnedMemory& operator=(PinnedMemory&& other) noexcept;

  unsigned char* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  unsigned char* data_ = nullptr;
  size_t bytes_ = 0;
};

class DeviceStream {
 public:
  DeviceStream();
  ~DeviceStream();
  DeviceStream(DeviceStream&& other) noexcept;
  DeviceStream& operator=(DeviceStream&&) = delete;

  Stream get() const { return stream_; }
  void Wait(const char* place) const;

 private:
  Stream stream_ = nullptr;
};

void CopyToDevice(void* to, const void* from, size_t bytes, Stream stream);
void CopyToHost(void* to, const void* from, size_t bytes, Stream stream);

// Work that is recorded once and replayed with one driver call instead of one per kernel.
class Graph {
 public:
  Graph() = default;
  ~Graph();
  Graph(Graph&& other) noexcept;
  Graph& operator=(Graph&&) = delete;

  // Enqueues the work of `enqueue`, recording it on the first call.
  void Replay(Stream stream, const std::function<void(Stream)>& enqueue);

 private:
  void* executable_ = nullptr;
};

struct DeviceReport {
  int index;
  std::string name;
  std::string compute_capability;
  std::string driver_version;
  size_t total_bytes;
  size_t free_bytes;
};
// Lists the devices; if there is none, `reason` says why.
std::vector<DeviceReport> DescribeDevices(std::string& reason);

}  // namespace framekiln::engine
