// StripeLock: a mutex that spins briefly before it sleeps (glibc's adaptive kind). The stripes'
// critical sections are shorter than going to sleep and being woken. Any thread.
#pragma once

#include <pthread.h>

#include "base/assert.h"

namespace cairn {

/// Meets BasicLockable, for std::lock_guard.
class StripeLock {
 public:
  StripeLock() {
    pthread_mutexattr_t attributes;
    CAIRN_ASSERT(pthread_mutexattr_init(&attributes) == 0);
    CAIRN_ASSERT(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP) == 0);
    CAIRN_ASSERT(pthread_mutex_init(&mutex_, &attributes) == 0);
    pthread_mutexattr_destroy(&attributes);
  }
  StripeLock(const StripeLock&) = delete;
  StripeLock& operator=(const StripeLock&) = delete;
  ~StripeLock() { pthread_mutex_destroy(&mutex_); }

  void lock() { CAIRN_ASSERT(pthread_mutex_lock(&mutex_) == 0); }
  void unlock() { CAIRN_ASSERT(pthread_mutex_unlock(&mutex_) == 0); }

 private:
  pthread_mutex_t mutex_;
};

}  // namespace cairn
