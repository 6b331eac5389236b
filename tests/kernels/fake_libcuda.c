/* A libcuda.so.1 that fails as the environment says: FAKE_STATUS=999 lets cuInit return 999, and so on below.

   It has as much of the driver as gpudrift asks of it, and as Numba does up to a launch, which does nothing. Memory of
   the "device" is the host's. Without NUMBA there is no function that makes a context: whoever tries fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setting(const char *name) {
    const char *text = getenv(name);
    return text ? atoi(text) : 0;
}

int cuInit(unsigned flags) { return flags ? 1 : setting("FAKE_STATUS"); }
int cuDriverGetVersion(int *version) {
    *version = 13000;
    return setting("FAKE_VERSION_STATUS");
}
int cuDeviceGetCount(int *count) {
    *count = setting("FAKE_DEVICES");
    return 0;
}
int cuDeviceGet(int *device, int ordinal) {
    *device = 70 + ordinal;
    return 0;
}
int cuDeviceGetName(char *name, int size, int device) {
    strncpy(name, device == 70 ? "First" : "Second", size);
    return 0;
}
int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    *bytes = (size_t)device << 30;
    return device == setting("FAKE_LOST") ? 101 : 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 16 ? 132 : attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 81 ? 233472
           : attribute == 97 ? 232448 : -device;
    return 0;
}
int cuGetErrorString(int error, const char **said) {
    *said = error == 802 ? "system not yet initialized" : 0;
    return *said ? 0 : 1;
}
int cuPointerGetAttribute(void *data, int attribute, unsigned long long pointer) {
    if (attribute != 9 || pointer == 0xbad) return 1;
    *(int *)data = (int)(pointer >> 40);
    return 0;
}
int cuStreamQuery(void *stream) { return stream == (void *)0xdead ? 400 : stream == (void *)0xb5 ? 600 : 0; }

#ifdef NUMBA
int cuGetErrorName(int error, const char **name) {
    *name = error == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : error == 46 ? "CUDA_ERROR_DEVICE_UNAVAILABLE"
          : error == 209 ? "CUDA_ERROR_NO_BINARY_FOR_GPU" : error == 222 ? "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"
          : error == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : error == 719 ? "CUDA_ERROR_LAUNCH_FAILED"
          : error == 999 ? "CUDA_ERROR_UNKNOWN" : 0;
    return *name ? 0 : 1;
}
static void *contexts[64];
static int n_contexts;

int cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long long flags, int *found) {
    char newer[256];
    snprintf(newer, sizeof newer, "%s_v2", name);
    void *library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
    if (!(*function = dlsym(library, newer))) *function = dlsym(library, name);
    if (found) *found = *function ? 0 : 1;
    return *function ? 0 : 500;
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
    *context = (void *)(0x1000L + device);
    return setting("FAKE_CONTEXT");
}
int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
int cuDeviceGetUuid_v2(char *uuid, int device) {
    memset(uuid, device, 16);
    return 0;
}
int cuCtxGetCurrent(void **context) {
    *context = n_contexts ? contexts[n_contexts - 1] : 0;
    return 0;
}
int cuCtxGetDevice(int *device) {
    *device = n_contexts ? (int)((long)contexts[n_contexts - 1] - 0x1000L) : 0;
    return n_contexts ? 0 : 201;
}
int cuCtxPushCurrent_v2(void *context) {
    contexts[n_contexts++] = context;
    return 0;
}
int cuCtxPopCurrent_v2(void **context) {
    *context = contexts[--n_contexts];
    return 0;
}
int cuCtxSetCurrent(void *context) {
    if (!n_contexts) n_contexts = 1;
    contexts[n_contexts - 1] = context;
    return 0;
}

static int n_held;
int fake_held(void) { return n_held; }

static int allocate(void **memory, size_t n_bytes) {
    if (setting("FAKE_MOST_BYTES") && n_bytes > (size_t)setting("FAKE_MOST_BYTES")) return 2;
    *memory = malloc(n_bytes ? n_bytes : 1);
    n_held++;
    return 0;
}
static int release(void *memory) {
    free(memory);
    n_held--;
    return 0;
}
int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    *free_bytes = *total = (size_t)70 << 30;
    return 0;
}
int cuMemAlloc_v2(void **memory, size_t n_bytes) { return allocate(memory, n_bytes); }
int cuMemFree_v2(void *memory) { return release(memory); }
int cuMemHostAlloc(void **memory, size_t n_bytes, unsigned flags) { return allocate(memory, n_bytes); }
int cuMemFreeHost(void *memory) { return release(memory); }
static int copy(void *to, const void *from, size_t n_bytes) {
    memcpy(to, from, n_bytes);
    return 0;
}
int cuMemcpyHtoD_v2(void *to, const void *from, size_t n_bytes) { return copy(to, from, n_bytes); }
int cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t n_bytes, void *stream) { return copy(to, from, n_bytes); }
int cuMemcpyDtoH_v2(void *to, const void *from, size_t n_bytes) { return copy(to, from, n_bytes); }
int cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t n_bytes, void *stream) { return copy(to, from, n_bytes); }

static int handle(void **made) { return !(*made = malloc(1)); }
int cuStreamCreate(void **stream, unsigned flags) { return handle(stream); }
int cuStreamSynchronize(void *stream) { return setting("FAKE_SYNCHRONIZE"); }
int cuLibraryLoadData(void **library, const void *code, void *a, void *b, unsigned c, void *d, void *e, unsigned f) {
    handle(library);
    return setting("FAKE_LOAD");
}
int cuLibraryGetKernel(void **kernel, void *library, const char *name) { return handle(kernel); }
int cuKernelGetAttribute(int *value, int attribute, void *kernel, int device) {
    *value = 0;
    return 0;
}
int cuLaunchKernelEx(void *configuration, void *kernel, void **arguments, void **extra) {
    return setting("FAKE_LAUNCH");
}
#endif
