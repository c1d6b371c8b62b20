// A Vulkan driver that passes everything on to SwiftShader, and can have the faults of drivers. The variable VK_FAKE_DRIVER
// is read at each call: `hardware` (it says that it is a GPU), `crashes` or `hangs` (when an instance is created).
// When the file VK_FAKE_LOST exists, the device is lost.
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void (*Function)(void);
typedef Function (*GetProcAddr)(void*, const char*);
enum { DEVICE_LOST = -4, DISCRETE_GPU = 2 };

static void* driver(void) {
  static void* library;
  if (library == NULL) library = dlopen(SWIFTSHADER, RTLD_NOW | RTLD_LOCAL);
  return library;
}

static int fault(const char* name) {
  const char* mode = getenv("VK_FAKE_DRIVER");
  return mode != NULL && strcmp(mode, name) == 0;
}

static int is_lost(void) {
  const char* file = getenv("VK_FAKE_LOST");
  return file != NULL && access(file, F_OK) == 0;
}

static int32_t (*create_instance)(const void*, const void*, void**);
static int32_t fake_create_instance(const void* info, const void* allocator, void** instance) {
  if (fault("crashes")) abort();
  if (fault("hangs")) pause();
  return create_instance(info, allocator, instance);
}

// Words 4 and onwards of VkPhysicalDeviceProperties are the kind and the name.
static void rename_device(uint32_t* properties) {
  if (!fault("hardware")) return;
  properties[4] = DISCRETE_GPU;
  strcpy((char*)&properties[5], "Test Radeon");
}
static void (*get_properties)(void*, uint32_t*);
static void fake_get_properties(void* device, uint32_t* properties) {
  get_properties(device, properties);
  rename_device(properties);
}
static void (*get_properties_2)(void*, uint32_t*);
static void fake_get_properties_2(void* device, uint32_t* properties) {
  get_properties_2(device, properties);
  rename_device(properties + 4);
}

static int32_t (*queue_submit)(void*, uint32_t, const void*, uint64_t);
static int32_t fake_queue_submit(void* queue, uint32_t count, const void* submits, uint64_t fence) {
  return is_lost() ? DEVICE_LOST : queue_submit(queue, count, submits, fence);
}

static Function replace(const char* name, Function found) {
  if (found == NULL) return NULL;
#define REPLACE(vulkan, original, fake)     \
  if (strcmp(name, vulkan) == 0) {          \
    original = (__typeof__(original))found; \
    return (Function)fake;                  \
  }
  REPLACE("vkCreateInstance", create_instance, fake_create_instance)
  REPLACE("vkGetPhysicalDeviceProperties", get_properties, fake_get_properties)
  REPLACE("vkGetPhysicalDeviceProperties2", get_properties_2, fake_get_properties_2)
  REPLACE("vkGetPhysicalDeviceProperties2KHR", get_properties_2, fake_get_properties_2)
  REPLACE("vkQueueSubmit", queue_submit, fake_queue_submit)
  return found;
}

static GetProcAddr get_device_function;
static Function fake_get_device_function(void* device, const char* name) {
  return replace(name, get_device_function(device, name));
}

static Function get(const char* entry, void* instance, const char* name) {
  const GetProcAddr function = (GetProcAddr)dlsym(driver(), entry);
  const Function found = function == NULL ? NULL : function(instance, name);
  if (found != NULL && strcmp(name, "vkGetDeviceProcAddr") == 0) {
    get_device_function = (GetProcAddr)found;
    return (Function)fake_get_device_function;
  }
  return replace(name, found);
}

Function vk_icdGetInstanceProcAddr(void* instance, const char* name) {
  return get("vk_icdGetInstanceProcAddr", instance, name);
}
Function vk_icdGetPhysicalDeviceProcAddr(void* instance, const char* name) {
  return get("vk_icdGetPhysicalDeviceProcAddr", instance, name);
}
int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
  int32_t (*negotiate)(uint32_t*) =
      (int32_t(*)(uint32_t*))dlsym(driver(), "vk_icdNegotiateLoaderICDInterfaceVersion");
  return negotiate == NULL ? 0 : negotiate(version);
}
