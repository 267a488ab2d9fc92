#include "litert.h"

#include <dlfcn.h>

#define FIND(name)                                                        \
  if (!(*(void **)&functions->name = dlsym(library, "LiteRt" #name))) { \
    return "it lacks the function LiteRt" #name;                          \
  }

const char *litert_open(const char *path, litert_functions *functions) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    return dlerror();
  }
  FIND(CreateEnvironment)
  FIND(CreateModelFromFile)
  FIND(CreateOptions)
  FIND(SetOptionsHardwareAccelerators)
  FIND(CreateCompiledModel)
  FIND(GetModelSignature)
  FIND(GetSignatureInputName)
  FIND(GetSignatureOutputName)
  FIND(CompiledModelResizeInputTensor)
  FIND(GetCompiledModelOutputTensorLayouts)
  FIND(CreateManagedTensorBuffer)
  FIND(LockTensorBuffer)
  FIND(UnlockTensorBuffer)
  FIND(RunCompiledModel)
  FIND(DestroyTensorBuffer)
  FIND(DestroyCompiledModel)
  FIND(DestroyOptions)
  FIND(DestroyModel)
  FIND(DestroyEnvironment)
  return NULL;
}
