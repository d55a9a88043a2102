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

class FetchRun {
 public:
  FetchRun(const TransferOptions& options, const std::vector<BlockId>& ids, Progress& progress,
           const BlockSink& sink)
      : options_(options),
        ids_(ids),
        progress_(progress),
        sink_(sink),
        turn_(loop_, Timer::time_point::max()) {}

  std::optional<Error> run() {
    const std::size_t jobs = std::min(std::max<std::size_t>(1, options_.jobs), ids_.size());
    for (std::size_t i = 0; i < jobs; ++i) {
      boost::asio::co_spawn(loop_, work(), boost::asio::detached);
    }
    loop_.run();
    return failure_;
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
      if (!bytes) {
        failure_ = fail(bytes.error().code, ids_[mine].text() + ": " + bytes.error().detail);
      } else if (sink_(ids_[mine], bytes.value())) {
        progress_.advance(bytes.value().size());
      } else {
        failure_ = fail(Errc::full, "the output cannot be written");
      }
      ++written_;
      turn_.cancel();
    }
  }

  const TransferOptions& options_;
  const std::vector<BlockId>& ids_;
  Progress& progress_;
  const BlockSink& sink_;
  Contact contact_{options_.patience};
  IoContext loop_{1};
  Timer turn_;
  std::size_t taken_ = 0;
  std::size_t written_ = 0;
  std::optional<Error> failure_;
};

Exit get_into(const TransferOptions& options, const std::vector<BlockId>& ids, std::ostream& out,
              std::ostream& err) {
  Progress progress(err, options.progress, "got", std::nullopt);
  auto failure = fetch_in_order(options, ids, progress, [&out](const BlockId&, const Bytes& bytes) {
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    return static_cast<bool>(out);
  });
  out.flush();
  if (!failure && !out) failure = fail(Errc::full, "the output cannot be written");
  progress.finish(failure ? 1 : 0);
  if (!failure) return Exit::ok;
  err << "cairn: " << printable(failure->detail) << '\n';
  return exit_for(*failure);
}

}  // namespace

std::optional<Error> fetch_in_order(const TransferOptions& options, const std::vector<BlockId>& ids,
                                    Progress& progress, const BlockSink& sink) {
  return FetchRun(options, ids, progress, sink).run();
}

Exit get_blocks(const TransferOptions& options, const std::vector<BlockId>& ids,
                const std::string& file, World& world) {
  if (file.empty()) {
    TransferOptions to_out = options;
    // A bar has no place among the bytes.
    if (world.out_is_terminal) to_out.progress = Progress::Style::quiet;
    return get_into(to_out, ids, world.out, world.err);
  }
  OutputFile out(file);
  auto done = out.open();
  if (done) {
    const Exit code = get_into(options, ids, out.stream(), world.err);
    if (code != Exit::ok) return code;
    done = out.keep();
  }
  if (done) return Exit::ok;
  world.err << "cairn: " << printable(done.error().detail) << '\n';
  return Exit::failure;
}

}  // namespace cairn::cli
