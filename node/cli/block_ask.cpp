// cairn block stat and cairn block missing: questions that move no bytes.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <ostream>

#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "node/cli/block_client.h"
#include "node/cli/block_transfer.h"

namespace cairn::cli {
namespace {

class AskRun {
 public:
  AskRun(const TransferOptions& options, const std::vector<BlockId>& ids, World& world)
      : options_(options), ids_(ids), world_(world) {}

  Exit stat() {
    loop_run(stat_all());
    return exit_for_many(succeeded_, failed_, first_failure_.value_or(fail(Errc::malformed)));
  }

  Exit missing() {
    loop_run(ask_all());
    if (first_failure_) return exit_for(*first_failure_);
    return missing_ > 0 ? Exit::partial : Exit::ok;
  }

 private:
  void loop_run(Task<void> task) {
    boost::asio::co_spawn(loop_, std::move(task), boost::asio::detached);
    loop_.run();
  }

  Task<void> stat_all() {
    BlockClient client(loop_.get_executor(), options_.server, contact_);
    for (const BlockId& id : ids_) {
      auto stat = co_await client.stat(id);
      if (stat) {
        ++succeeded_;
        print(id, stat.value());
      } else {
        note(id.text(), stat.error());
        if (stat.error().code == Errc::unavailable) co_return;
      }
    }
  }

  Task<void> ask_all() {
    BlockClient client(loop_.get_executor(), options_.server, contact_);
    for (std::size_t first = 0; first < ids_.size(); first += kMaxIdsPerCall) {
      const auto begin = ids_.begin() + static_cast<std::ptrdiff_t>(first);
      const auto count = std::min(kMaxIdsPerCall, ids_.size() - first);
      std::vector<BlockId> some(begin, begin + static_cast<std::ptrdiff_t>(count));
      auto lacking = co_await client.missing(std::move(some));
      if (!lacking) {
        note(options_.server.authority, lacking.error());
        co_return;
      }
      missing_ += lacking.value().size();
      for (const BlockId& id : lacking.value()) {
        world_.out << (options_.json ? "{\"id\":\"" + id.text() + "\"}" : id.text()) << '\n';
      }
    }
  }

  void print(const BlockId& id, const BlockClient::Stat& stat) {
    if (options_.json) {
      std::string line = "{\"id\":\"" + id.text() +
                         "\",\"size\":" + std::to_string(stat.size_bytes) + ",\"source\":";
      append_json_string(line, stat.source);
      world_.out << line << "}\n";
    } else {
      world_.out << id.text() << "  " << stat.size_bytes << "  " << stat.source << '\n';
    }
  }

  void note(const std::string& what, const Error& error) {
    ++failed_;
    if (!first_failure_) first_failure_ = error;
    world_.err << "cairn: " << printable(what + ": " + error.detail) << '\n';
  }

  const TransferOptions& options_;
  const std::vector<BlockId>& ids_;
  World& world_;
  Contact contact_{options_.patience};
  IoContext loop_{1};
  std::size_t succeeded_ = 0;
  std::size_t failed_ = 0;
  std::size_t missing_ = 0;
  std::optional<Error> first_failure_;
};

}  // namespace

Exit stat_blocks(const TransferOptions& options, const std::vector<BlockId>& ids, World& world) {
  return AskRun(options, ids, world).stat();
}

Exit missing_blocks(const TransferOptions& options, const std::vector<BlockId>& ids, World& world) {
  return AskRun(options, ids, world).missing();
}

}  // namespace cairn::cli
