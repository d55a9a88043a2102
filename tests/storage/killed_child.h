// A process of its own that acknowledges numbers on a pipe until it is killed in the middle of its
// work.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace cairn {

/// Runs `work`, which never returns, in a child; sends SIGKILL after `acknowledgements` numbers and
/// returns all that the child wrote to the descriptor (8 bytes each) before it died.
inline std::vector<std::uint64_t> run_and_kill(std::size_t acknowledgements,
                                               const std::function<void(int pipe)>& work) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    work(ends[1]);
    _exit(5);
  }
  ::close(ends[1]);
  std::vector<std::uint64_t> numbers;
  std::uint64_t number = 0;
  bool killed = false;
  // After the kill the pipe still holds what was acknowledged before it.
  while (::read(ends[0], &number, sizeof number) == sizeof number) {
    numbers.push_back(number);
    if (!killed && numbers.size() >= acknowledgements) {
      ::kill(child, SIGKILL);
      killed = true;
    }
  }
  ::close(ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
  return numbers;
}

}  // namespace cairn
