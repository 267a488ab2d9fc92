// Of the C API of LiteRT 2.3. Its library comes with LiteRT's Python package, without headers.

#ifndef LITERT_H
#define LITERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LITERT_FLOAT32 = 1, LITERT_INT32 = 2 };  // types of elements
enum { LITERT_READ = 0, LITERT_WRITE = 1 };     // modes of locking

typedef struct {
  unsigned rank : 7;
  unsigned has_strides : 1;
  int32_t sizes[8];
  uint32_t strides[8];
} litert_layout;

typedef struct {
  int32_t type;
  litert_layout layout;
} litert_tensor_type;

// The functions of the library, each without "LiteRt" and "litert_". They return 0 if all is well.
typedef struct {
  int (*CreateEnvironment)(int count, const void *options, void **made);
  int (*CreateModelFromFile)(void *environment, const char *path, void **made);
  int (*CreateOptions)(void **made);
  int (*SetOptionsHardwareAccelerators)(void *options, int accelerators);
  int (*CreateCompiledModel)(void *environment, void *model, void *options, void **made);
  int (*GetModelSignature)(void *model, size_t index, void **made);
  int (*GetSignatureInputName)(void *signature, size_t index, const char **name);
  int (*GetSignatureOutputName)(void *signature, size_t index, const char **name);
  int (*CompiledModelResizeInputTensor)(void *compiled, size_t signature, size_t input,
                                        const int32_t *sizes, size_t rank);
  int (*GetCompiledModelOutputTensorLayouts)(void *compiled, size_t signature, size_t count,
                                             litert_layout *layouts, bool update);
  int (*CreateManagedTensorBuffer)(void *environment, int kind, const litert_tensor_type *type,
                                   size_t size, void **made);
  int (*LockTensorBuffer)(void *buffer, void **address, int mode);
  int (*UnlockTensorBuffer)(void *buffer);
  int (*RunCompiledModel)(void *compiled, size_t signature, size_t input_count, void **inputs,
                          size_t output_count, void **outputs);
  void (*DestroyTensorBuffer)(void *buffer);
  void (*DestroyCompiledModel)(void *compiled);
  void (*DestroyOptions)(void *options);
  void (*DestroyModel)(void *model);
  void (*DestroyEnvironment)(void *environment);
} litert_functions;

// Opens the library at a path, or by its name. Returns what is wrong, or NULL.
const char *litert_open(const char *path, litert_functions *functions);

#endif
