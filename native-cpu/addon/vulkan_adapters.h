// The GPUs that Vulkan offers. The library is loaded at run time, and no headers of Vulkan are needed to build.
#ifndef FRAMEKILN_ADDON_VULKAN_ADAPTERS_H_
#define FRAMEKILN_ADDON_VULKAN_ADAPTERS_H_

#include <string>
#include <vector>

namespace framekiln::cpu {

struct VulkanAdapter {
  std::string name;
  // discrete, integrated, virtual, software or other.
  const char* kind;
};

// Lists the adapters in the order of Vulkan. Without the library or a driver, `reason` says what is missing.
std::vector<VulkanAdapter> ListVulkanAdapters(std::string* reason);

}  // namespace framekiln::cpu

#endif  // FRAMEKILN_ADDON_VULKAN_ADAPTERS_H_
