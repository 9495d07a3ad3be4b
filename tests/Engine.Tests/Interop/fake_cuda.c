// Stands in for NVIDIA's libraries where there are none: notes every call with its arguments, hands out numbered handles, keeps device memory in
// the host's. What is tested with it is our side: signatures, structures, lifetimes, messages. Declared from NVIDIA's documentation, not from ours.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char calls[1 << 16];
static size_t used;
static char failing[64];
static int failure;
static uintptr_t handles = 0x100;

// What tests ask for.
const char *fake_calls(void) { return calls; }
void fake_forget(void) { used = 0; calls[0] = 0; failing[0] = 0; }
void fake_fail(const char *name, int code) { snprintf(failing, sizeof failing, "%s", name); failure = code; }

static int note(const char *name, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  used += snprintf(calls + used, sizeof calls - used, "%s(", name);
  used += vsnprintf(calls + used, sizeof calls - used, format, arguments);
  used += snprintf(calls + used, sizeof calls - used, ")\n");
  va_end(arguments);
  return strcmp(name, failing) == 0 ? failure : 0;
}
#define NOTE(...) do { int code = note(__func__, __VA_ARGS__); if (code) return code; } while (0)
#define HANDLE(p) (*(p) = (void *)(handles += 0x10))

typedef void *H;
typedef unsigned u32;
typedef unsigned long long ptr;

// Driver: errors and devices
int cuInit(u32 flags) { NOTE("%u", flags); return 0; }
int cuDriverGetVersion(int *v) { *v = getenv("FAKE_CUDA_VERSION") ? atoi(getenv("FAKE_CUDA_VERSION")) : 13010; return 0; }
int cuGetErrorName(int e, const char **s) { *s = e == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_FAKE"; return e == 12345 ? 1 : 0; }
int cuGetErrorString(int e, const char **s) { *s = e == 2 ? "out of memory" : "fake error"; return e == 12345 ? 1 : 0; }
int cuDeviceGetCount(int *n) { NOTE(""); *n = 2; return 0; }
int cuDeviceGet(int *d, int ordinal) { NOTE("%d", ordinal); *d = ordinal + 70; return 0; }
int cuDeviceGetName(char *name, int capacity, int d) { snprintf(name, capacity, d == 70 ? "Fake 3000" : "Fake 700"); return 0; }
int cuDeviceGetAttribute(int *v, int attribute, int d) {
  switch (attribute) {
    case 75: *v = d == 70 ? 9 : 7; break;
    case 76: *v = d == 70 ? 0 : 5; break;
    case 16: *v = 132; break;
    case 38: *v = 50 << 20; break;
    case 97: *v = 232448; break;
    default: return 1;
  }
  return 0;
}
int cuDeviceTotalMem_v2(size_t *n, int d) { (void)d; *n = 80000000000; return 0; }

// Contexts
int cuDevicePrimaryCtxRetain(H *c, int d) { NOTE("%d", d); HANDLE(c); return 0; }
int cuDevicePrimaryCtxRelease_v2(int d) { NOTE("%d", d); return 0; }
int cuCtxSetCurrent(H c) { return c ? 0 : 201; }
int cuCtxSynchronize(void) { NOTE(""); return 0; }

// Modules
int cuModuleLoadDataEx(H *m, const void *image, u32 n, int *options, void **values) {
  note(__func__, "%zu characters, %u options %d %d, %zu bytes", strlen(image), n, options[0], options[1], (size_t)values[1]);
  if (strstr(image, "broken")) { snprintf(values[0], (size_t)values[1], "ptxas: line 1: broken\n"); return 218; }
  HANDLE(m);
  return 0;
}
int cuModuleUnload(H m) { NOTE("%p", m); return 0; }
int cuModuleGetFunction(H *f, H m, const char *name) { NOTE("%p, %s", m, name); if (strcmp(name, "absent") == 0) return 500; HANDLE(f); return 0; }
int cuFuncSetAttribute(H f, int attribute, int value) { (void)f; NOTE("%d, %d", attribute, value); return 0; }
int cuFuncGetAttribute(int *v, int attribute, H f) { (void)f; *v = 1000 + attribute; return 0; }
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *n, H f, int threads, size_t shared) { (void)f; NOTE("%d, %zu", threads, shared); *n = 8; return 0; }
int cuLaunchKernel(H f, u32 gx, u32 gy, u32 gz, u32 bx, u32 by, u32 bz, u32 shared, H s, void **arguments, void **extra) {
  (void)f;
  NOTE("%u %u %u, %u %u %u, %u, %p, %llx %g, %p", gx, gy, gz, bx, by, bz, shared, s, *(ptr *)arguments[0], *(float *)arguments[1], extra);
  return 0;
}

// Memory
int cuMemGetInfo_v2(size_t *f, size_t *t) { *f = 7; *t = 9; return 0; }
int cuMemAlloc_v2(ptr *p, size_t n) { NOTE("%zu", n); *p = (ptr)(uintptr_t)aligned_alloc(256, (n + 255) / 256 * 256); return 0; }
int cuMemFree_v2(ptr p) { NOTE("%s", p ? "address" : "null"); free((void *)(uintptr_t)p); return 0; }
int cuMemHostAlloc(H *p, size_t n, u32 flags) { NOTE("%zu, %u", n, flags); *p = malloc(n); return 0; }
int cuMemFreeHost(H p) { NOTE("%s", p ? "address" : "null"); free(p); return 0; }
int cuMemHostRegister_v2(H p, size_t n, u32 flags) { NOTE("%s, %zu, %u", p ? "address" : "null", n, flags); return 0; }
int cuMemHostUnregister(H p) { NOTE("%s", p ? "address" : "null"); return 0; }
int cuMemcpyHtoDAsync_v2(ptr d, const void *s, size_t n, H stream) { NOTE("%zu, %p", n, stream); memcpy((void *)(uintptr_t)d, s, n); return 0; }
int cuMemcpyDtoHAsync_v2(void *d, ptr s, size_t n, H stream) { NOTE("%zu, %p", n, stream); memcpy(d, (void *)(uintptr_t)s, n); return 0; }
int cuMemcpyDtoDAsync_v2(ptr d, ptr s, size_t n, H stream) { NOTE("%zu, %p", n, stream); memcpy((void *)(uintptr_t)d, (void *)(uintptr_t)s, n); return 0; }
int cuMemsetD8Async(ptr d, unsigned char v, size_t n, H stream) { NOTE("%u, %zu, %p", v, n, stream); memset((void *)(uintptr_t)d, v, n); return 0; }
int cuMemsetD32Async(ptr d, u32 v, size_t n, H stream) {
  NOTE("%x, %zu, %p", v, n, stream);
  for (size_t i = 0; i < n; i++) ((u32 *)(uintptr_t)d)[i] = v;
  return 0;
}

// Streams, events, graphs
int cuStreamCreateWithPriority(H *s, u32 flags, int priority) { NOTE("%u, %d", flags, priority); HANDLE(s); return 0; }
int cuStreamDestroy_v2(H s) { NOTE("%p", s); return 0; }
int cuStreamSynchronize(H s) { NOTE("%p", s); return 0; }
int cuStreamQuery(H s) { NOTE("%p", s); return 0; }
int cuStreamWaitEvent(H s, H e, u32 flags) { NOTE("%p, %p, %u", s, e, flags); return 0; }
int cuEventCreate(H *e, u32 flags) { NOTE("%u", flags); HANDLE(e); return 0; }
int cuEventDestroy_v2(H e) { NOTE("%p", e); return 0; }
int cuEventRecord(H e, H s) { NOTE("%p, %p", e, s); return 0; }
int cuEventSynchronize(H e) { NOTE("%p", e); return 0; }
int cuEventQuery(H e) { NOTE("%p", e); return 0; }
int cuEventElapsedTime(float *ms, H start, H end) { NOTE("%p, %p", start, end); *ms = (float)((uintptr_t)end - (uintptr_t)start) / 32; return 0; }
int cuStreamBeginCapture_v2(H s, int mode) { NOTE("%p, %d", s, mode); return 0; }
int cuStreamEndCapture(H s, H *g) { NOTE("%p", s); HANDLE(g); return 0; }
int cuStreamIsCapturing(H s, int *status) { (void)s; *status = 0; return 0; }
int cuGraphInstantiateWithFlags(H *x, H g, ptr flags) { NOTE("%p, %llu", g, flags); HANDLE(x); return 0; }
int cuGraphUpload(H x, H s) { NOTE("%p, %p", x, s); return 0; }
int cuGraphLaunch(H x, H s) { NOTE("%p, %p", x, s); return 0; }
int cuGraphExecDestroy(H x) { NOTE("%p", x); return 0; }
int cuGraphDestroy(H g) { NOTE("%p", g); return 0; }

// NVRTC
int nvrtcVersion(int *major, int *minor) { *major = 13; *minor = 1; return 0; }

// cuBLAS
int cublasGetProperty(int what, int *v) { *v = what == 0 ? 13 : what; return 0; }
int cublasCreate_v2(H *h) { NOTE(""); HANDLE(h); return 0; }
int cublasDestroy_v2(H h) { NOTE("%p", h); return 0; }
int cublasSetStream_v2(H h, H s) { NOTE("%p, %p", h, s); return 0; }
int cublasSetWorkspace_v2(H h, void *w, size_t n) { NOTE("%p, %p, %zu", h, w, n); return 0; }
int cublasSetMathMode(H h, int mode) { NOTE("%p, %d", h, mode); return 0; }
const char *cublasGetStatusName(int s) { return s == 3 ? "CUBLAS_STATUS_ALLOC_FAILED" : "CUBLAS_STATUS_FAKE"; }
const char *cublasGetStatusString(int s) { return s == 3 ? "the resource allocation failed" : "fake status"; }
int cublasGemmEx(H h, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int at, int lda, const void *b, int bt, int ldb,
                 const void *beta, void *c, int ct, int ldc, int compute, int algorithm) {
  (void)h;
  NOTE("%d %d, %d %d %d, %g %p %d %d, %p %d %d, %g %p %d %d, %d %d", ta, tb, m, n, k, *(float *)alpha, a, at, lda, b, bt, ldb, *(float *)beta, c, ct, ldc, compute, algorithm);
  return 0;
}
int cublasGemmStridedBatchedEx(H h, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int at, int lda, long long sa, const void *b, int bt,
                               int ldb, long long sb, const void *beta, void *c, int ct, int ldc, long long sc, int count, int compute, int algorithm) {
  (void)h;
  NOTE("%d %d, %d %d %d, %g %p %d %d %lld, %p %d %d %lld, %g %p %d %d %lld, %d, %d %d", ta, tb, m, n, k, *(float *)alpha, a, at, lda, sa, b, bt, ldb, sb,
       *(float *)beta, c, ct, ldc, sc, count, compute, algorithm);
  return 0;
}

// cuBLASLt
typedef struct { uint64_t data[8]; } LtAlgo;
typedef struct { LtAlgo algo; size_t workspace; int state; float waves; int reserved[4]; } LtResult;
static long long integer(const void *v, size_t n) { return n == 8 ? *(long long *)v : *(int *)v; }
int cublasLtGetProperty(int what, int *v) { return cublasGetProperty(what, v); }
const char *cublasLtGetStatusName(int s) { return cublasGetStatusName(s); }
const char *cublasLtGetStatusString(int s) { return cublasGetStatusString(s); }
int cublasLtCreate(H *h) { NOTE(""); HANDLE(h); return 0; }
int cublasLtDestroy(H h) { NOTE("%p", h); return 0; }
static int last_compute, last_alignment;
int cublasLtMatmulDescCreate(H *d, int compute, int scale) { NOTE("%d, %d", compute, scale); last_compute = compute; HANDLE(d); return 0; }
int cublasLtMatmulDescSetAttribute(H d, int attribute, const void *v, size_t n) { (void)d; NOTE("%d, %lld, %zu", attribute, integer(v, n), n); return 0; }
int cublasLtMatmulDescDestroy(H d) { NOTE("%p", d); return 0; }
int cublasLtMatrixLayoutCreate(H *l, int type, uint64_t rows, uint64_t columns, int64_t ld) {
  NOTE("%d, %llu, %llu, %lld", type, (ptr)rows, (ptr)columns, (long long)ld);
  HANDLE(l);
  return 0;
}
int cublasLtMatrixLayoutSetAttribute(H l, int attribute, const void *v, size_t n) { (void)l; NOTE("%d, %lld, %zu", attribute, integer(v, n), n); return 0; }
int cublasLtMatrixLayoutDestroy(H l) { NOTE("%p", l); return 0; }
int cublasLtMatmulPreferenceCreate(H *p) { NOTE(""); HANDLE(p); return 0; }
int cublasLtMatmulPreferenceSetAttribute(H p, int attribute, const void *v, size_t n) {
  (void)p;
  NOTE("%d, %lld, %zu", attribute, integer(v, n), n);
  if (attribute == 5) last_alignment = (int)integer(v, n);
  return 0;
}
int cublasLtMatmulPreferenceDestroy(H p) { NOTE("%p", p); return 0; }
int cublasLtMatmulAlgoGetHeuristic(H h, H d, H a, H b, H c, H out, H preference, int wanted, LtResult *results, int *found) {
  (void)h; (void)d; (void)a; (void)b; (void)c; (void)out; (void)preference;
  NOTE("%d", wanted);
  if (last_compute != 68 && last_alignment == 4) return 15;
  for (int i = 0; i < wanted; i++) results[i] = (LtResult){.algo = {{i + 1, 0, 0, 0, 0, 0, 0, 0xABCD}}, .workspace = 4096 * (i + 1), .state = 0, .waves = i + 0.5f};
  *found = wanted;
  return 0;
}
int cublasLtMatmul(H h, H d, const void *alpha, const void *a, H la, const void *b, H lb, const void *beta, const void *c, H lc, void *out, H lo,
                   const LtAlgo *algo, void *workspace, size_t bytes, H stream) {
  (void)h; (void)d; (void)la; (void)lb; (void)lc; (void)lo;
  NOTE("%g %p, %p, %g %p, %p, %llx, %p %zu, %p", *(float *)alpha, a, b, *(float *)beta, c, out, (ptr)algo->data[7], workspace, bytes, stream);
  return 0;
}

// cuDNN
typedef struct { int algo, status; float time; size_t memory; int determinism, math; int reserved[3]; } Performance;
int cudnnGetProperty(int what, int *v) { *v = what == 0 ? 9 : what; return 0; }
size_t cudnnGetCudartVersion(void) { return getenv("FAKE_CUDNN_FOR") ? (size_t)atoi(getenv("FAKE_CUDNN_FOR")) * 1000 : 13000; }
const char *cudnnGetErrorString(int s) { return s == 3000 ? "CUDNN_STATUS_NOT_SUPPORTED" : "CUDNN_STATUS_FAKE"; }
void cudnnGetLastErrorString(char *message, size_t n) { snprintf(message, n, "no engine for this shape"); }
int cudnnCreate(H *h) { NOTE(""); HANDLE(h); return 0; }
int cudnnDestroy(H h) { NOTE("%p", h); return 0; }
int cudnnSetStream(H h, H s) { NOTE("%p, %p", h, s); return 0; }
int cudnnCreateTensorDescriptor(H *d) { NOTE(""); HANDLE(d); return 0; }
int cudnnSetTensor4dDescriptorEx(H d, int type, int n, int c, int h, int w, int ns, int cs, int hs, int ws) {
  (void)d;
  NOTE("%d, %d %d %d %d, %d %d %d %d", type, n, c, h, w, ns, cs, hs, ws);
  return 0;
}
int cudnnDestroyTensorDescriptor(H d) { NOTE("%p", d); return 0; }
int cudnnCreateFilterDescriptor(H *d) { NOTE(""); HANDLE(d); return 0; }
int cudnnSetFilter4dDescriptor(H d, int type, int format, int k, int c, int h, int w) { (void)d; NOTE("%d, %d, %d %d %d %d", type, format, k, c, h, w); return 0; }
int cudnnDestroyFilterDescriptor(H d) { NOTE("%p", d); return 0; }
int cudnnCreateConvolutionDescriptor(H *d) { NOTE(""); HANDLE(d); return 0; }
int cudnnSetConvolution2dDescriptor(H d, int ph, int pw, int u, int v, int dh, int dw, int mode, int type) {
  (void)d;
  NOTE("%d %d, %d %d, %d %d, %d, %d", ph, pw, u, v, dh, dw, mode, type);
  return 0;
}
static int last_math;
int cudnnSetConvolutionMathType(H d, int math) { (void)d; NOTE("%d", math); last_math = math; return 0; }
int cudnnSetConvolutionGroupCount(H d, int n) { (void)d; NOTE("%d", n); return 0; }
int cudnnDestroyConvolutionDescriptor(H d) { NOTE("%p", d); return 0; }
// Not deterministic, too large, unsupported, fp16, TF32 and nothing else, float32.
static int algorithms(int wanted, int *found, Performance *p) {
  static const Performance known[] = {
    {.algo = 1, .time = -1, .memory = 1000, .determinism = 0, .math = 3},
    {.algo = 2, .time = -1, .memory = 1 << 30, .determinism = 1, .math = 3},
    {.algo = 3, .time = -1, .status = 3000, .memory = 3000, .determinism = 1, .math = 3},
    {.algo = 4, .time = -1, .memory = 4000, .determinism = 1, .math = 2},
    {.algo = 5, .time = -1, .memory = 5000, .determinism = 1, .math = 0},
    {.algo = 6, .time = -1, .memory = 6000, .determinism = 1, .math = 3},
  };
  for (*found = 0; *found < wanted && *found < 6; ++*found) p[*found] = known[*found];
  return 0;
}
int cudnnGetConvolutionForwardAlgorithm_v7(H h, H x, H w, H c, H y, int wanted, int *found, Performance *p) {
  NOTE("%p, %p, %p, %p, %p", h, x, w, c, y);
  return algorithms(wanted, found, p);
}
int cudnnGetConvolutionBackwardDataAlgorithm_v7(H h, H w, H dy, H c, H dx, int wanted, int *found, Performance *p) {
  NOTE("%p, %p, %p, %p, %p", h, w, dy, c, dx);
  return algorithms(wanted, found, p);
}
int cudnnGetConvolutionBackwardFilterAlgorithm_v7(H h, H x, H dy, H c, H dw, int wanted, int *found, Performance *p) {
  NOTE("%p, %p, %p, %p, %p", h, x, dy, c, dw);
  return algorithms(wanted, found, p);
}
int cudnnGetConvolutionForwardWorkspaceSize(H h, H x, H w, H c, H y, int algorithm, size_t *n) { (void)h; (void)x; (void)w; (void)c; (void)y; *n = 100 + algorithm; return algorithm == 5 && last_math == 3 ? 3000 : 0; }
int cudnnGetConvolutionBackwardDataWorkspaceSize(H h, H w, H dy, H c, H dx, int algorithm, size_t *n) { (void)h; (void)w; (void)dy; (void)c; (void)dx; *n = 200 + algorithm; return 0; }
int cudnnGetConvolutionBackwardFilterWorkspaceSize(H h, H x, H dy, H c, H dw, int algorithm, size_t *n) { (void)h; (void)x; (void)dy; (void)c; (void)dw; *n = 300 + algorithm; return algorithm == 5 && last_math == 3 ? 3000 : 0; }
int cudnnConvolutionForward(H h, const void *alpha, H xd, const void *x, H wd, const void *w, H c, int algorithm, void *ws, size_t n, const void *beta, H yd, void *y) {
  NOTE("%p, %g, %p %p, %p %p, %p, %d, %p %zu, %g, %p %p", h, *(float *)alpha, xd, x, wd, w, c, algorithm, ws, n, *(float *)beta, yd, y);
  return 0;
}
int cudnnConvolutionBackwardData(H h, const void *alpha, H wd, const void *w, H dyd, const void *dy, H c, int algorithm, void *ws, size_t n, const void *beta, H dxd, void *dx) {
  NOTE("%p, %g, %p %p, %p %p, %p, %d, %p %zu, %g, %p %p", h, *(float *)alpha, wd, w, dyd, dy, c, algorithm, ws, n, *(float *)beta, dxd, dx);
  return 0;
}
int cudnnConvolutionBackwardFilter(H h, const void *alpha, H xd, const void *x, H dyd, const void *dy, H c, int algorithm, void *ws, size_t n, const void *beta, H dwd, void *dw) {
  NOTE("%p, %g, %p %p, %p %p, %p, %d, %p %zu, %g, %p %p", h, *(float *)alpha, xd, x, dyd, dy, c, algorithm, ws, n, *(float *)beta, dwd, dw);
  return 0;
}
