// cairn block get: blocks in order into one stream.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <ostream>

#include "base/timer.h"
#include "base/utf8.h"
#include "node/cli/block_client.h"
#include "node/cli/block_transfer.h"
#include "node/cli/output_file.h"

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
    err_ << "cairn: " << printable(failed_what_ + failure_->detail) << '\n';
    return exit_for(*failure_);
  }

 private:
  /// Each worker holds one block until its turn to write: what is in memory is bounded by the jobs.
  Task<void> work() {
    BlockClient client(loop_.get_executor(), options_.server, contact_);
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
  Contact contact_{options_.patience};
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
  if (file.empty()) {
    TransferOptions to_out = options;
    // A bar has no place among the bytes.
    if (world.out_is_terminal) to_out.progress = Progress::Style::quiet;
    return GetRun(to_out, ids, world.out, world.err).run();
  }
  OutputFile out(file);
  auto done = out.open();
  if (done) {
    const Exit code = GetRun(options, ids, out.stream(), world.err).run();
    if (code != Exit::ok) return code;
    done = out.keep();
  }
  if (done) return Exit::ok;
  world.err << "cairn: " << printable(done.error().detail) << '\n';
  return Exit::failure;
}

}  // namespace cairn::cli
