// cairn block get: blocks in order into one stream.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <ostream>

#include "base/timer.h"
#include "node/cli/block_client.h"
#include "node/cli/block_transfer.h"

namespace cairn::cli {
namespace {

class GetRun {
 public:
  GetRun(const TransferOptions& options, const std::vector<BlockId>& ids, std::ostream& out,
         std::ostream& err)
      : options_(options),
        ids_(ids),
        out_(out),
        err_(err),
        progress_(err, options.progress, "got", std::nullopt),
        turn_(loop_, Timer::time_point::max()) {}

  Exit run() {
    const std::size_t jobs = std::min(std::max<std::size_t>(1, options_.jobs), ids_.size());
    for (std::size_t i = 0; i < jobs; ++i) {
      boost::asio::co_spawn(loop_, work(), boost::asio::detached);
    }
    loop_.run();
    out_.flush();
    if (!failure_ && !out_) failure_ = fail(Errc::full, "the output cannot be written");
    progress_.finish(failure_ ? 1 : 0);
    if (!failure_) return Exit::ok;
    err_ << "cairn: " << failed_what_ << failure_->detail << '\n';
    return exit_for(*failure_);
  }

 private:
  /// Each worker holds one block until its turn to write: what is in memory is bounded by the jobs.
  Task<void> work() {
    BlockClient client(loop_.get_executor(), options_.server);
    while (!failure_ && taken_ < ids_.size()) {
      const std::size_t mine = taken_++;
      auto bytes = co_await client.get(ids_[mine]);
      while (!failure_ && written_ != mine) {
        co_await turn_.async_wait(boost::asio::as_tuple(kAwait));
      }
      if (failure_) co_return;
      if (bytes) {
        out_.write(reinterpret_cast<const char*>(bytes.value().data()),
                   static_cast<std::streamsize>(bytes.value().size()));
        progress_.advance(bytes.value().size());
        if (!out_) failure_ = fail(Errc::full, "the output cannot be written");
      } else {
        failure_ = bytes.error();
        failed_what_ = ids_[mine].text() + ": ";
      }
      ++written_;
      turn_.cancel();
    }
  }

  const TransferOptions& options_;
  const std::vector<BlockId>& ids_;
  std::ostream& out_;
  std::ostream& err_;
  Progress progress_;
  IoContext loop_{1};
  Timer turn_;
  std::size_t taken_ = 0;
  std::size_t written_ = 0;
  std::optional<Error> failure_;
  std::string failed_what_;
};

}  // namespace

Exit get_blocks(const TransferOptions& options, const std::vector<BlockId>& ids,
                const std::string& file, World& world) {
  if (file.empty()) return GetRun(options, ids, world.out, world.err).run();
  const std::string part = file + ".part";
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  if (!out) {
    world.err << "cairn: " << part << ": " << std::strerror(errno) << '\n';
    return Exit::failure;
  }
  const Exit code = GetRun(options, ids, out, world.err).run();
  out.close();
  if (code == Exit::ok && std::rename(part.c_str(), file.c_str()) == 0) return Exit::ok;
  if (code == Exit::ok) world.err << "cairn: " << file << ": " << std::strerror(errno) << '\n';
  std::remove(part.c_str());
  return code == Exit::ok ? Exit::failure : code;
}

}  // namespace cairn::cli
