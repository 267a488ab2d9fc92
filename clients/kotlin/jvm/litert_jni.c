// Calls LiteRT's native library for NativeRunner.kt. The library comes with LiteRT's Python
// package, without headers, so its functions are declared here: those of LiteRT 2.3.

#include <dlfcn.h>
#include <jni.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { CPU = 1 };                               // an accelerator
enum { HOST_MEMORY = 1 };                       // a kind of buffer
enum { FLOAT32 = 1, INT32 = 2 };                // types of elements
enum { READ = 0, WRITE = 1 };                   // modes of locking
enum { LOGGED = 25, INTEGER = 2, ERRORS = 3 };  // an option: only errors are logged
enum { MOST_TENSORS = 8, MOST_AXES = 8 };

typedef int Status;
typedef void *Object;
typedef struct {
  unsigned rank : 7, has_strides : 1;
  int32_t sizes[MOST_AXES];
  uint32_t strides[MOST_AXES];
} Layout;
typedef struct {
  int element;
  Layout layout;
} TensorType;
typedef struct {
  int tag;
  struct {
    int type;
    int64_t value;
  } value;
} Option;

// The functions by their names without "LiteRt".
#define FUNCTIONS(F)                                                            \
  F(Status, CreateEnvironment, (int, const Option *, Object *))                 \
  F(Status, CreateModelFromBuffer, (Object, const void *, size_t, Object *))    \
  F(Status, CreateOptions, (Object *))                                          \
  F(Status, SetOptionsHardwareAccelerators, (Object, int))                      \
  F(Status, CreateCompiledModel, (Object, Object, Object, Object *))            \
  F(Status, GetModelSignature, (Object, size_t, Object *))                      \
  F(Status, GetSignatureInputName, (Object, size_t, const char **))             \
  F(Status, GetSignatureOutputName, (Object, size_t, const char **))            \
  F(Status, CompiledModelResizeInputTensor,                                     \
    (Object, size_t, size_t, const int *, size_t))                              \
  F(Status, GetCompiledModelOutputTensorLayouts,                                \
    (Object, size_t, size_t, Layout *, bool))                                   \
  F(Status, CreateManagedTensorBuffer,                                          \
    (Object, int, const TensorType *, size_t, Object *))                        \
  F(Status, LockTensorBuffer, (Object, void **, int))                           \
  F(Status, UnlockTensorBuffer, (Object))                                       \
  F(Status, RunCompiledModel,                                                   \
    (Object, size_t, size_t, Object *, size_t, Object *))                       \
  F(void, DestroyTensorBuffer, (Object))                                        \
  F(void, DestroyCompiledModel, (Object))                                       \
  F(void, DestroyOptions, (Object))                                             \
  F(void, DestroyModel, (Object))                                               \
  F(void, DestroyEnvironment, (Object))

#define DECLARE(result, name, arguments) static result(*name) arguments;
FUNCTIONS(DECLARE)

typedef struct {
  Object environment, model, options, compiled;
} File;

// Throws an exception for Kotlin, and returns false.
static bool fail(JNIEnv *env, const char *format, ...) {
  char message[512];
  va_list values;
  va_start(values, format);
  vsnprintf(message, sizeof message, format, values);
  va_end(values);
  if (!(*env)->ExceptionCheck(env)) {
    jclass class = (*env)->FindClass(env, "java/lang/IllegalArgumentException");
    if (class) (*env)->ThrowNew(env, class, message);
  }
  return false;
}

// Calls a function of the library; if it fails, the caller does.
#define CALL(name, ...)                                                                     \
  do {                                                                                      \
    Status status = name(__VA_ARGS__);                                                      \
    if (status) return fail(env, "LiteRt" #name " ended with the status %d", status);       \
  } while (0)

static bool load_functions(JNIEnv *env, const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return fail(env, "%s", dlerror());
#define FIND(result, name, arguments)               \
  *(void **)&name = dlsym(library, "LiteRt" #name); \
  if (!name) return fail(env, "it lacks LiteRt" #name);
  FUNCTIONS(FIND)
  return true;
}

static bool open_file(JNIEnv *env, const void *content, size_t size, File *file) {
  const Option quiet = {LOGGED, {INTEGER, ERRORS}};
  CALL(CreateEnvironment, 1, &quiet, &file->environment);
  CALL(CreateModelFromBuffer, file->environment, content, size, &file->model);
  CALL(CreateOptions, &file->options);
  CALL(SetOptionsHardwareAccelerators, file->options, CPU);
  CALL(CreateCompiledModel, file->environment, file->model, file->options, &file->compiled);
  return true;
}

static void close_file(File *file) {
  if (!file) return;
  if (file->compiled) DestroyCompiledModel(file->compiled);
  if (file->options) DestroyOptions(file->options);
  if (file->model) DestroyModel(file->model);
  if (file->environment) DestroyEnvironment(file->environment);
  free(file);
}

typedef Status (*GetName)(Object, size_t, const char **);

// Fills an array with the names of a signature's inputs or outputs.
static bool fill_names(JNIEnv *env, File *file, jint signature, GetName get, jobjectArray names) {
  Object found;
  CALL(GetModelSignature, file->model, signature, &found);
  for (jsize i = 0; i < (*env)->GetArrayLength(env, names); i++) {
    const char *text;
    CALL(get, found, i, &text);
    jstring name = (*env)->NewStringUTF(env, text);
    if (!name) return false;
    (*env)->SetObjectArrayElement(env, names, i, name);
  }
  return true;
}

// A call of the file.
typedef struct {
  File *file;
  jint signature, batch, length;
  jsize input_count, output_count;
  Object buffers[2 * MOST_TENSORS];  // the inputs, then the outputs
  size_t sizes[2 * MOST_TENSORS];    // numbers of elements
} Run;

static bool make_buffer(JNIEnv *env, Run *run, int i, int element, const Layout *layout) {
  const TensorType type = {element, *layout};
  run->sizes[i] = 1;
  for (unsigned k = 0; k < layout->rank; k++) run->sizes[i] *= layout->sizes[k];
  CALL(CreateManagedTensorBuffer, run->file->environment, HOST_MEMORY, &type, 4 * run->sizes[i],
       &run->buffers[i]);
  return true;
}

static bool write_inputs(JNIEnv *env, Run *run, jobjectArray inputs, bool is_free) {
  const Layout layout = {2, 0, {run->batch, run->length}, {0}};
  for (jsize i = 0; i < run->input_count; i++) {
    if (is_free)
      CALL(CompiledModelResizeInputTensor, run->file->compiled, run->signature, i, layout.sizes, 2);
    if (!make_buffer(env, run, i, INT32, &layout)) return false;
    jintArray input = (*env)->GetObjectArrayElement(env, inputs, i);
    void *memory;
    CALL(LockTensorBuffer, run->buffers[i], &memory, WRITE);
    (*env)->GetIntArrayRegion(env, input, 0, run->sizes[i], memory);
    CALL(UnlockTensorBuffer, run->buffers[i]);
    (*env)->DeleteLocalRef(env, input);
    if ((*env)->ExceptionCheck(env)) return false;
  }
  return true;
}

static bool make_outputs(JNIEnv *env, Run *run) {
  Layout layouts[MOST_TENSORS];
  CALL(GetCompiledModelOutputTensorLayouts, run->file->compiled, run->signature,
       run->output_count, layouts, true);
  for (jsize i = 0; i < run->output_count; i++)
    if (!make_buffer(env, run, run->input_count + i, FLOAT32, &layouts[i])) return false;
  return true;
}

static bool read_outputs(JNIEnv *env, Run *run, jobjectArray outputs) {
  for (jsize i = 0; i < run->output_count; i++) {
    const jsize k = run->input_count + i;
    jfloatArray output = (*env)->NewFloatArray(env, run->sizes[k]);
    if (!output) return false;
    void *memory;
    CALL(LockTensorBuffer, run->buffers[k], &memory, READ);
    (*env)->SetFloatArrayRegion(env, output, 0, run->sizes[k], memory);
    CALL(UnlockTensorBuffer, run->buffers[k]);
    (*env)->SetObjectArrayElement(env, outputs, i, output);
    (*env)->DeleteLocalRef(env, output);
  }
  return true;
}

static bool run_file(JNIEnv *env, Run *run, jobjectArray inputs, bool is_free,
                     jobjectArray outputs) {
  if (!write_inputs(env, run, inputs, is_free) || !make_outputs(env, run)) return false;
  CALL(RunCompiledModel, run->file->compiled, run->signature, run->input_count, run->buffers,
       run->output_count, run->buffers + run->input_count);
  return read_outputs(env, run, outputs);
}

static jobjectArray new_array(JNIEnv *env, const char *element, jint count) {
  jclass class = (*env)->FindClass(env, element);
  return class ? (*env)->NewObjectArray(env, count, class, NULL) : NULL;
}

#define METHOD(result, name) JNIEXPORT result JNICALL Java_tfsqueezebert_LiteRt_##name

METHOD(void, load)(JNIEnv *env, jobject self, jstring library) {
  (void)self;
  const char *path = (*env)->GetStringUTFChars(env, library, NULL);
  if (!path) return;
  load_functions(env, path);
  (*env)->ReleaseStringUTFChars(env, library, path);
}

METHOD(jlong, open)(JNIEnv *env, jobject self, jobject content) {
  (void)self;
  const void *bytes = (*env)->GetDirectBufferAddress(env, content);
  const size_t size = (*env)->GetDirectBufferCapacity(env, content);
  File *file = calloc(1, sizeof *file);
  if (!file || !open_file(env, bytes, size, file)) {
    close_file(file);
    return 0;
  }
  return (jlong)(intptr_t)file;
}

METHOD(jobjectArray, inputNames)(JNIEnv *env, jobject self, jlong file, jint signature,
                                 jint count) {
  (void)self;
  jobjectArray names = new_array(env, "java/lang/String", count);
  File *opened = (File *)(intptr_t)file;
  if (names) fill_names(env, opened, signature, GetSignatureInputName, names);
  return names;
}

METHOD(jobjectArray, outputNames)(JNIEnv *env, jobject self, jlong file, jint signature,
                                  jint count) {
  (void)self;
  jobjectArray names = new_array(env, "java/lang/String", count);
  File *opened = (File *)(intptr_t)file;
  if (names) fill_names(env, opened, signature, GetSignatureOutputName, names);
  return names;
}

METHOD(jobjectArray, run)(JNIEnv *env, jobject self, jlong file, jint signature,
                          jobjectArray inputs, jint batch, jint length, jboolean is_free,
                          jint output_count) {
  (void)self;
  Run run = {(File *)(intptr_t)file, signature, batch, length,
             (*env)->GetArrayLength(env, inputs), output_count, {0}, {0}};
  jobjectArray outputs = NULL;
  if (run.input_count > MOST_TENSORS || output_count > MOST_TENSORS)
    fail(env, "it has more than %d inputs or outputs", MOST_TENSORS);
  else if ((outputs = new_array(env, "[F", output_count)))
    run_file(env, &run, inputs, is_free, outputs);
  for (int i = 0; i < 2 * MOST_TENSORS; i++)
    if (run.buffers[i]) DestroyTensorBuffer(run.buffers[i]);
  return outputs;
}

METHOD(void, close)(JNIEnv *env, jobject self, jlong file) {
  (void)env, (void)self;
  close_file((File *)(intptr_t)file);
}
