// The engine of the load generators: N connections, one request under way on each, the next one
// sent as soon as the answer is read. One thread, epoll, every latency kept. Exists because wrk
// cannot send a different body each time without a script that costs more than the server it
// measures.
#pragma once

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::bench {

// One request as borrowed pieces; they must stay valid until its answer has been read.
struct Outgoing {
  std::array<iovec, 4> pieces{};
  int count = 0;

  void add(std::string_view piece) {
    pieces[static_cast<std::size_t>(count++)] = {const_cast<char*>(piece.data()), piece.size()};
  }
};

// What is asked and what counts as a right answer. Called only from the engine's thread.
class Workload {
 public:
  virtual ~Workload() = default;

  // Fills the next request of a connection; false when nothing is left to ask.
  virtual bool next(std::size_t connection, Outgoing& out) = 0;

  struct Answer {
    std::size_t bytes =
        0;              // length of the whole answer; what `buffer` lacks of it is read and dropped
    std::string error;  // empty: the answer is right
  };
  // Nothing while `buffer` does not hold enough of the answer to judge it.
  virtual std::optional<Answer> read(std::size_t connection, std::string_view buffer) = 0;
};

struct LoadLimits {
  double seconds = 3;            // no request is sent later than this
  double patience_seconds = 30;  // answers still missing after that are errors
};

struct LoadFigures {
  std::uint64_t requests = 0;  // right answers
  std::uint64_t errors = 0;
  std::string first_error;
  bool exhausted = false;  // the workload ran out of requests before the time was over
  double seconds = 0;      // first request sent to last answer read
  double cpu_seconds = 0;  // of this process in that time
  std::vector<std::uint32_t> latency_us_x16;  // sixteenths of a microsecond, sorted

  // Latency in microseconds that the given share (0 to 1) of the requests did not exceed.
  double percentile_us(double share) const;

  // One line of JSON; `extra` is a comma-led list of further members or empty.
  std::string json(std::string_view extra) const;
};

class ClosedLoop {
 public:
  // Opens all connections. Throws std::system_error when one cannot be opened.
  ClosedLoop(const std::string& address, std::uint16_t port, std::size_t connections);
  ~ClosedLoop();
  ClosedLoop(const ClosedLoop&) = delete;
  ClosedLoop& operator=(const ClosedLoop&) = delete;

  // Runs until the time is over or the workload has nothing left. Throws std::system_error when
  // epoll fails; a connection that breaks is an error in the figures and takes no further part.
  LoadFigures run(Workload& workload, const LoadLimits& limits);

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Connection {
    int fd = -1;
    bool waiting = false;  // a request is under way
    bool wants_writable = false;
    Outgoing unsent;
    int first_unsent = 0;
    Time sent_at;
    std::vector<char> buffer;
    std::size_t filled = 0;
    std::size_t to_drop = 0;  // bytes of a judged answer that are still to come
    std::string error;        // of the judged answer
  };

  void start_next(std::size_t index, Workload& workload);
  void write_more(std::size_t index);
  void read_more(std::size_t index, Workload& workload);
  void judge(std::size_t index, Workload& workload);
  void finish(std::size_t index, Workload& workload);
  void fail(std::size_t index, const std::string& why);
  void wait_once(Workload& workload);

  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::vector<char> dropped_;  // where bytes go that nobody looks at
  std::size_t under_way_ = 0;
  Time deadline_;
  Time last_answer_;
  LoadFigures figures_;
};

// User and system CPU seconds of this process so far.
double process_cpu_seconds();

}  // namespace cairn::bench
