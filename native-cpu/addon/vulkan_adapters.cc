#include "vulkan_adapters.h"

#include <dlfcn.h>

#include <cstdint>
#include <iterator>

namespace framekiln::cpu {
namespace {

// What is used of vulkan_core.h. These layouts are part of Vulkan's binary interface.
using VkResult = int32_t;
using VkInstance = void*;
using VkPhysicalDevice = void*;

struct VkApplicationInfo {
  int32_t type = 0;
  const void* next = nullptr;
  const char* application = "framekiln";
  uint32_t application_version = 0;
  const char* engine = nullptr;
  uint32_t engine_version = 0;
  uint32_t api_version = (1u << 22) | (1u << 12);  // 1.1, the oldest that WebGPU runs on.
};

struct VkInstanceCreateInfo {
  int32_t type = 1;
  const void* next = nullptr;
  uint32_t flags = 0;
  const VkApplicationInfo* application = nullptr;
  uint32_t layer_count = 0;
  const char* const* layers = nullptr;
  uint32_t extension_count = 0;
  const char* const* extensions = nullptr;
};

struct alignas(8) VkPhysicalDeviceProperties {
  uint32_t api_version, driver_version, vendor, device, kind;
  char name[256];
  // Limits and more: 824 bytes in all, of which nothing is read.
  unsigned char rest[1024];
};

constexpr VkResult kSuccess = 0;
constexpr const char* kKinds[] = {"other", "integrated", "discrete", "virtual", "software"};

template <typename Function>
Function Find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

}  // namespace

std::vector<VulkanAdapter> ListVulkanAdapters(std::string* reason) {
  // Never closed: drivers leave threads and exit handlers behind.
  void* library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    *reason = "libvulkan.so.1 is not installed";
    return {};
  }
  const auto create = Find<VkResult (*)(const VkInstanceCreateInfo*, const void*, VkInstance*)>(library, "vkCreateInstance");
  const auto enumerate =
      Find<VkResult (*)(VkInstance, uint32_t*, VkPhysicalDevice*)>(library, "vkEnumeratePhysicalDevices");
  const auto describe =
      Find<void (*)(VkPhysicalDevice, VkPhysicalDeviceProperties*)>(library, "vkGetPhysicalDeviceProperties");
  const auto destroy = Find<void (*)(VkInstance, const void*)>(library, "vkDestroyInstance");
  if (create == nullptr || enumerate == nullptr || describe == nullptr || destroy == nullptr) {
    *reason = "libvulkan.so.1 is not the library of Vulkan";
    return {};
  }
  const VkApplicationInfo application;
  VkInstanceCreateInfo info;
  info.application = &application;
  VkInstance instance = nullptr;
  if (create(&info, nullptr, &instance) != kSuccess) {
    *reason = "no Vulkan driver is installed";
    return {};
  }
  uint32_t count = 0;
  std::vector<VulkanAdapter> adapters;
  if (enumerate(instance, &count, nullptr) == kSuccess && count > 0) {
    std::vector<VkPhysicalDevice> devices(count);
    // A device that is added meanwhile is left out.
    enumerate(instance, &count, devices.data());
    devices.resize(count);
    for (VkPhysicalDevice device : devices) {
      VkPhysicalDeviceProperties properties{};
      describe(device, &properties);
      adapters.push_back({properties.name, kKinds[properties.kind < std::size(kKinds) ? properties.kind : 0]});
    }
  }
  destroy(instance, nullptr);
  if (adapters.empty()) *reason = "the Vulkan drivers list no GPU";
  return adapters;
}

}  // namespace framekiln::cpu
