#include "thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <system_error>

namespace framekiln::cpu {
namespace {

uint32_t OwnCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
  return std::max(1u, std::thread::hardware_concurrency());
}

// Which groups of a phase are done, and how many from the first.
class Progress {
 public:
  explicit Progress(uint32_t groups) : groups_(groups), done_(std::make_unique<std::atomic<bool>[]>(groups)) {}

  void Complete(uint32_t group) {
    done_[group] = true;
    // Whoever completes the first missing group also counts those that others have completed behind it.
    uint32_t first = first_missing_;
    while (first < groups_ && done_[first]) {
      if (first_missing_.compare_exchange_weak(first, first + 1)) first++;
    }
    first_missing_.notify_all();
  }

  void WaitUntil(uint32_t groups) const {
    for (uint32_t found = first_missing_; found < groups; found = first_missing_) first_missing_.wait(found);
  }

  // Lets everyone go on, so that they find that the image is abandoned.
  void Abandon() {
    first_missing_ = groups_;
    first_missing_.notify_all();
  }

 private:
  uint32_t groups_;
  std::unique_ptr<std::atomic<bool>[]> done_;
  std::atomic<uint32_t> first_missing_ = 0;
};

}  // namespace

ThreadPool::ThreadPool(uint32_t threads) {
  const uint32_t count = threads == 0 ? OwnCores() : threads;
  threads_.reserve(count);
  try {
    for (uint32_t i = 1; i < count; i++) threads_.emplace_back([this, i] { Loop(i); });
  } catch (const std::system_error&) {
    // The system refuses more threads (a limit of a container, for example): those that there are do the work.
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  started_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Run(const std::function<void(uint32_t)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    generation_++;
    running_ = static_cast<uint32_t>(threads_.size());
  }
  started_.notify_all();
  work(0);
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return running_ == 0; });
}

void ThreadPool::Loop(uint32_t number) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    started_.wait(lock, [&] { return closing_ || generation_ != seen; });
    if (closing_) return;
    seen = generation_;
    const auto* work = work_;
    lock.unlock();
    (*work)(number);
    lock.lock();
    if (--running_ == 0) ended_.notify_one();
  }
}

void RunPhases(ThreadPool& pool, const std::vector<Phase>& phases) {
  std::vector<std::unique_ptr<Progress>> progress;
  std::vector<uint64_t> begins{0};
  for (const Phase& phase : phases) {
    progress.push_back(std::make_unique<Progress>(phase.groups));
    begins.push_back(begins.back() + phase.groups);
  }
  std::atomic<uint64_t> next = 0;
  std::atomic<bool> abandoned = false;
  std::exception_ptr failure;
  std::mutex failing;

  const auto fail = [&] {
    {
      const std::lock_guard lock(failing);
      if (failure == nullptr) failure = std::current_exception();
    }
    abandoned = true;
    for (auto& each : progress) each->Abandon();
  };
  pool.Run([&](uint32_t thread) {
    size_t at = 0;
    uint64_t upcoming = next++;
    for (;;) {
      // The next ticket is taken before the work on this one. No thread waits for a ticket that is not yet begun except
      // for an earlier one, so someone can always go on.
      const uint64_t ticket = upcoming;
      upcoming = next++;
      while (at < phases.size() && ticket >= begins[at + 1]) at++;
      if (at == phases.size() || abandoned) return;
      const Phase& phase = phases[at];
      const auto group = static_cast<uint32_t>(ticket - begins[at]);
      try {
        if (at > 0) {
          const Phase& before = phases[at - 1];
          progress[at - 1]->WaitUntil(phase.waits_for_all ? before.groups
                                                          : before.groups_until(phase.last_row(group) + 1));
        }
        if (abandoned) return;
        phase.work(group, upcoming < begins[at + 1] ? static_cast<uint32_t>(upcoming - begins[at]) : kNoGroup, thread);
        progress[at]->Complete(group);
      } catch (...) {
        return fail();
      }
    }
  });
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace framekiln::cpu
