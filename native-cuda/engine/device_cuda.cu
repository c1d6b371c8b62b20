#include <utility>

#include "device.h"

namespace framekiln::engine {
namespace {

Failure FailureOf(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation: return Failure::kOutOfMemory;
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorInitializationError:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDevice: return Failure::kNoDevice;
    // These are sticky: every later call in this context returns the same error.
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorLaunchFailure:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorECCUncorrectable:
    case cudaErrorContained:
    case cudaErrorDevicesUnavailable:
    // Drivers report these when a GPU has been reset or taken away; another GPU engine or the CPU can go on.
    case cudaErrorUnknown:
    case cudaErrorLaunchOutOfResources: return Failure::kDeviceLost;
    default: return Failure::kFailed;
  }
}

std::string Megabytes(size_t bytes) { return std::to_string((bytes + 999'999) / 1'000'000) + " MB"; }

std::string Version(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

}  // namespace

void Check(kernels::DeviceStatus status, const char* place) {
  if (status == 0) return;
  const auto error = static_cast<cudaError_t>(status);
  cudaGetLastError();  // Clears a non-sticky error, so that the next caller does not see it.
  throw DeviceError(FailureOf(error),
                    std::string(cudaGetErrorName(error)) + " (" + cudaGetErrorString(error) + ") in " + place);
}

void UseDevice(int device) { Check(cudaSetDevice(device), "cudaSetDevice"); }

size_t TotalBytes() {
  size_t free = 0, total = 0;
  Check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return total;
}

size_t FreeBytes() {
  size_t free = 0, total = 0;
  Check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return free;
}

DeviceMemory::DeviceMemory(size_t bytes, const char* place) : bytes_(bytes) {
  if (bytes == 0) return;
  Check(cudaMalloc(reinterpret_cast<void**>(&data_), bytes), (std::string(place) + ", " + Megabytes(bytes)).c_str());
}
DeviceMemory::~DeviceMemory() { cudaFree(data_); }
DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

PinnedMemory::PinnedMemory(size_t bytes, const char* place) : bytes_(bytes) {
  if (bytes == 0) return;
  Check(cudaMallocHost(reinterpret_cast<void**>(&data_), bytes), (std::string(place) + ", " + Megabytes(bytes)).c_str());
}
PinnedMemory::~PinnedMemory() { cudaFreeHost(data_); }
PinnedMemory::PinnedMemory(PinnedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
PinnedMemory& PinnedMemory::operator=(PinnedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

DeviceStream::DeviceStream() { Check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate"); }
DeviceStream::~DeviceStream() {
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}
DeviceStream::DeviceStream(DeviceStream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
void DeviceStream::Wait(const char* place) const { Check(cudaStreamSynchronize(stream_), place); }

void CopyToDevice(void* to, const void* from, size_t bytes, Stream stream) {
  Check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync to the device");
}
void CopyToHost(void* to, const void* from, size_t bytes, Stream stream) {
  Check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync to the host");
}

Graph::~Graph() {
  if (executable_ != nullptr) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(executable_));
}
Graph::Graph(Graph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}

void Graph::Replay(Stream stream, const std::function<void(Stream)>& enqueue) {
  if (executable_ == nullptr) {
    // Other threads may allocate and copy meanwhile, so only this thread's work is recorded.
    Check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    cudaGraph_t graph = nullptr;
    try {
      enqueue(stream);
    } catch (...) {
      cudaStreamEndCapture(stream, &graph);
      cudaGetLastError();  // It fails as well; the next launch would take its error for its own.
      if (graph != nullptr) cudaGraphDestroy(graph);
      throw;
    }
    Check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
    cudaGraphExec_t executable = nullptr;
    const cudaError_t error = cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    Check(error, "cudaGraphInstantiate");
    executable_ = executable;
  }
  Check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(executable_), stream), "cudaGraphLaunch");
}

std::vector<DeviceReport> DescribeDevices(std::string& reason) {
  // Without a driver, the runtime reports that the driver is too old.
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    cudaGetLastError();
    reason = "no NVIDIA driver is installed";
    return {};
  }
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();
    reason = std::string(cudaGetErrorString(error)) + " (" + cudaGetErrorName(error) + ")";
    return {};
  }
  std::vector<DeviceReport> reports;
  for (int i = 0; i < count; i++) {
    cudaDeviceProp properties{};
    Check(cudaGetDeviceProperties(&properties, i), "cudaGetDeviceProperties");
    UseDevice(i);
    size_t free = 0, total = 0;
    Check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    reports.push_back({i, properties.name, std::to_string(properties.major) + "." + std::to_string(properties.minor),
                       Version(driver), total, free});
  }
  if (reports.empty()) reason = "the driver reports no GPU";
  return reports;
}

}  // namespace framekiln::engine
