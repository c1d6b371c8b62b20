// Memory, streams and graphs of the device: the CUDA runtime (device_cuda.cu), or the emulation, whose device is the
// CPU (device_host.cc).
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
  kDeviceLost,   // Nothing will succeed any more in this process.
  kNoDevice,
  kFailed,
};

class DeviceError : public std::runtime_error {
 public:
  DeviceError(Failure failure, const std::string& message) : std::runtime_error(message), failure(failure) {}
  const Failure failure;
};

// Throws where a launcher or the runtime gave an error; `place` says what was being done.
void Check(kernels::DeviceStatus status, const char* place);

// Makes `device` the current one of this thread.
void UseDevice(int device);
// Of the current device, all of it: the same number whatever else is running.
size_t TotalBytes();
#ifndef __CUDACC__
// The emulated GPU's memory from now on, for tests.
void SetTotalBytes(size_t bytes);
#endif

// Memory of the device. At an address that 256 divides.
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

// Memory of the host that the device copies from and to by itself.
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

// Work that is recorded once and replayed: one call of the driver instead of one for each kernel.
class Graph {
 public:
  Graph() = default;
  ~Graph();
  Graph(Graph&& other) noexcept;
  Graph& operator=(Graph&&) = delete;

  // Enqueues what `enqueue` enqueues, recording it the first time.
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
// The devices; where there is none, `reason` says why.
std::vector<DeviceReport> DescribeDevices(std::string& reason);

}  // namespace framekiln::engine
