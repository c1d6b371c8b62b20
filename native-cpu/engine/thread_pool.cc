#include "thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <deque>
#include <system_error>

namespace framekiln::cpu {
namespace {

uint32_t OwnCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
  return std::max(1u, std::thread::hardware_concurrency());
}

// Which groups of a phase are not begun, by the thread whose part of the image they are in.
class Parts {
 public:
  Parts(uint32_t groups, uint32_t threads) : threads_(threads), left_(std::make_unique<std::atomic<uint64_t>[]>(threads)) {
    const auto border = [=](uint32_t thread) { return static_cast<uint32_t>(uint64_t{groups} * thread / threads); };
    for (uint32_t thread = 0; thread < threads; thread++) left_[thread] = Pack({border(thread), border(thread + 1)});
  }

  // The thread's next group, or one of the thread that has most left; kNoGroup: all are begun.
  uint32_t Take(uint32_t thread) {
    uint32_t group = TakeFrom(thread, IsUpward(thread));
    while (group == kNoGroup) {
      uint32_t slowest = 0, most = 0;
      for (uint32_t other = 0; other < threads_; other++) {
        const Range left = Unpack(left_[other]);
        if (left.end - left.first > most) {
          most = left.end - left.first;
          slowest = other;
        }
      }
      if (most == 0) return kNoGroup;
      group = TakeFrom(slowest, !IsUpward(slowest));
    }
    return group;
  }

  // What Take would give if nobody else took a group.
  uint32_t Upcoming(uint32_t thread) const {
    const Range left = Unpack(left_[thread]);
    if (left.first == left.end) return kNoGroup;
    return IsUpward(thread) ? left.end - 1 : left.first;
  }

 private:
  static bool IsUpward(uint32_t thread) { return thread % 2 == 1; }
  static uint64_t Pack(Range range) { return uint64_t{range.first} << 32 | range.end; }
  static Range Unpack(uint64_t packed) { return {static_cast<uint32_t>(packed >> 32), static_cast<uint32_t>(packed)}; }

  uint32_t TakeFrom(uint32_t thread, bool last) {
    uint64_t packed = left_[thread];
    for (;;) {
      Range left = Unpack(packed);
      if (left.first == left.end) return kNoGroup;
      const uint32_t group = last ? --left.end : left.first++;
      if (left_[thread].compare_exchange_weak(packed, Pack(left))) return group;
    }
  }

  uint32_t threads_;
  std::unique_ptr<std::atomic<uint64_t>[]> left_;
};

// Which groups of a phase are done.
class Progress {
 public:
  explicit Progress(uint32_t groups) : done_(std::make_unique<std::atomic<bool>[]>(groups)) {}

  void Complete(uint32_t group) {
    done_[group] = true;
    Wake();
  }

  // Returns early when the image is abandoned: `abandoned` is set before Wake is called.
  void Wait(Range groups, const std::atomic<bool>& abandoned) const {
    for (uint32_t group = groups.first; group < groups.end;) {
      const uint32_t seen = changes_;
      if (abandoned) return;
      if (done_[group])
        group++;
      else
        changes_.wait(seen);
    }
  }

  void Wake() {
    changes_++;
    changes_.notify_all();
  }

 private:
  std::unique_ptr<std::atomic<bool>[]> done_;
  std::atomic<uint32_t> changes_ = 0;
};

// The groups of the previous phase that must be done before a group begins.
Range NeededGroups(const Phase& before, const Phase& phase, uint32_t group) {
  if (phase.waits_for_all) return {0, before.groups};
  const Range rows = phase.rows_of(group);
  return before.groups_of({rows.first == 0 ? 0 : rows.first - 1, rows.end + 1});
}

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
  std::deque<Parts> parts;
  std::deque<Progress> progress;
  for (const Phase& phase : phases) {
    parts.emplace_back(phase.groups, pool.size());
    progress.emplace_back(phase.groups);
  }
  std::atomic<bool> abandoned = false;
  std::exception_ptr failure;
  std::mutex failing;

  const auto fail = [&] {
    {
      const std::lock_guard lock(failing);
      if (failure == nullptr) failure = std::current_exception();
    }
    abandoned = true;
    for (Progress& each : progress) each.Wake();
  };
  pool.Run([&](uint32_t thread) {
    // Nobody goes on to the next phase before all groups of this one are begun. So whoever waits for a group waits for
    // someone who does it, or who waits in turn for an earlier phase.
    for (size_t at = 0; at < phases.size(); at++) {
      const Phase& phase = phases[at];
      for (uint32_t group; (group = parts[at].Take(thread)) != kNoGroup;) {
        try {
          if (at > 0) progress[at - 1].Wait(NeededGroups(phases[at - 1], phase, group), abandoned);
          if (abandoned) return;
          phase.work(group, parts[at].Upcoming(thread), thread);
          progress[at].Complete(group);
        } catch (...) {
          return fail();
        }
      }
    }
  });
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace framekiln::cpu
