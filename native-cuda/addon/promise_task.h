// Work on one of libuv's threads that settles a promise, for the addons of the CUDA and the CPU engine.
#ifndef FRAMEKILN_ADDON_PROMISE_TASK_H_
#define FRAMEKILN_ADDON_PROMISE_TASK_H_

#include <napi.h>

#include <string>

namespace framekiln {

// An Error in JavaScript, with its `code`.
struct Rejection {
  const char* code = "";
  std::string message;
};

class PromiseTask : public Napi::AsyncWorker {
 public:
  explicit PromiseTask(Napi::Env env)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)) {}

  // Queues the task, which deletes itself when it is done.
  static Napi::Value Start(PromiseTask* task) {
    const Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

 protected:
  // Runs on another thread and may throw.
  virtual void Work() = 0;
  virtual Napi::Value Result(Napi::Env env) = 0;
  // Describes the exception that is being handled.
  virtual Rejection Describe() const = 0;

  void Execute() final {
    try {
      Work();
    } catch (...) {
      const Rejection rejection = Describe();
      code_ = rejection.code;
      SetError(rejection.message);
    }
  }
  void OnOK() final { deferred_.Resolve(Result(Env())); }
  void OnError(const Napi::Error& error) final {
    error.Set("code", Napi::String::New(Env(), code_));
    deferred_.Reject(error.Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  const char* code_ = "";
};

}  // namespace framekiln

#endif  // FRAMEKILN_ADDON_PROMISE_TASK_H_
