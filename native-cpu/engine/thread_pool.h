// Threads that wait for work, and the order in which they do the work of one image.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace framekiln::cpu {

// The caller is one of the threads.
class ThreadPool {
 public:
  // 0: one for each core that this process may use.
  explicit ThreadPool(uint32_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  uint32_t size() const { return static_cast<uint32_t>(threads_.size()) + 1; }
  // Calls `work` with each thread's number, on all threads at once, and returns when all have returned.
  void Run(const std::function<void(uint32_t thread)>& work);

 private:
  void Loop(uint32_t number);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable started_, ended_;
  const std::function<void(uint32_t)>* work_ = nullptr;
  uint64_t generation_ = 0;
  uint32_t running_ = 0;
  bool closing_ = false;
};

inline constexpr uint32_t kNoGroup = 0xffffffffu;

// From the first to the one before the end.
struct Range {
  uint32_t first, end;
};

// One layer's share of an image: groups of output, in order of their rows.
struct Phase {
  uint32_t groups;
  // `next` is the group that the thread is likely to do after this one; kNoGroup: one of another phase.
  std::function<void(uint32_t group, uint32_t next, uint32_t thread)> work;
  // The rows of output that a group writes.
  std::function<Range(uint32_t group)> rows_of;
  // The groups that write these rows; rows beyond the last one are left out.
  std::function<Range(Range rows)> groups_of;
  // Waits for the whole previous phase: rows of both are not the same rows.
  bool waits_for_all = false;
};

// Runs phases without waiting in between: a group begins when the previous phase has completed the rows that the group
// writes and one more on either side. A 3x3 convolution needs no more; and the phase before that has completed a row
// more again, and so on, so that every earlier reader of the memory that the group overwrites is done with it.
//
// Each thread has the same part of the image in all phases, so that it mostly reads what it has written itself: fetching
// what another core has just written takes long. A thread that has finished its part of a phase helps the others. Threads
// with neighbouring parts work towards each other or away from each other, so that both reach their border at the same time.
void RunPhases(ThreadPool& pool, const std::vector<Phase>& phases);

}  // namespace framekiln::cpu
