// cairn block put.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <deque>
#include <map>
#include <ostream>

#include "base/log.h"
#include "crypto/hash.h"
#include "node/cli/block_client.h"
#include "node/cli/block_cutter.h"
#include "node/cli/block_transfer.h"

namespace cairn::cli {
namespace {

/// Beyond this many blocks it pays to ask first which the server lacks.
constexpr std::size_t kAskFirstAfter = 64;
constexpr std::size_t kGroupBlocks = 8;
constexpr std::size_t kGroupBytes = std::size_t{8} << 20;

struct Item {
  std::size_t sequence = 0;
  BlockId id;
  std::string path;
  Bytes bytes;
};

struct Outcome {
  BlockId id;
  std::string path;
  std::size_t size_bytes = 0;
  bool held = false;
  std::optional<Error> error;
};

/// What the workers share. They run on one thread, so nothing is locked.
class PutRun {
 public:
  PutRun(const TransferOptions& options, std::vector<std::string> paths, World& world)
      : options_(options),
        world_(world),
        cutter_(std::move(paths), options.block_bytes, world.in),
        progress_(world.err, options.progress, "put", cutter_.total_bytes()) {}

  Exit run() {
    IoContext loop(1);
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.jobs); ++i) {
      boost::asio::co_spawn(loop, work(loop.get_executor()), boost::asio::detached);
    }
    loop.run();
    tell_problems();
    progress_.finish(failed_);
    return exit_for_many(succeeded_, failed_, first_failure_.value_or(fail(Errc::malformed)));
  }

 private:
  std::vector<Item> take_group() {
    std::vector<Item> group;
    std::size_t bytes = 0;
    const std::size_t most = taken_ < kAskFirstAfter ? 1 : kGroupBlocks;
    while (!stopped_ && group.size() < most && bytes < kGroupBytes) {
      auto cut = cutter_.next();
      if (!cut) break;
      const BlockId id = block_id_of(cut->bytes);
      bytes += cut->bytes.size();
      group.push_back({taken_++, id, std::move(cut->path), std::move(cut->bytes)});
    }
    tell_problems();
    return group;
  }

  Task<void> work(Executor executor) {
    BlockClient client(executor, options_.server);
    for (;;) {
      std::vector<Item> group = take_group();
      if (group.empty()) co_return;
      std::vector<BlockId> lacking;
      for (const Item& item : group) lacking.push_back(item.id);
      if (group.size() > 1) {
        auto asked = co_await client.missing(lacking);
        // Where asking fails, putting will tell why.
        if (asked) lacking = std::move(asked.value());
      }
      for (Item& item : group) {
        Outcome outcome{item.id, std::move(item.path), item.bytes.size(), true, {}};
        if (std::find(lacking.begin(), lacking.end(), item.id) != lacking.end()) {
          auto put = co_await client.put(item.id, std::move(item.bytes));
          if (put) {
            outcome.held = put.value() == BlockClient::PutOutcome::held;
          } else {
            outcome.error = put.error();
          }
        }
        done(item.sequence, std::move(outcome));
      }
    }
  }

  void done(std::size_t sequence, Outcome outcome) {
    if (outcome.error) {
      ++failed_;
      if (!first_failure_) first_failure_ = outcome.error;
      // A server that is away, closed to us or full will not take the next block either.
      const Errc code = outcome.error->code;
      stopped_ =
          stopped_ || code == Errc::unavailable || code == Errc::denied || code == Errc::full;
    } else {
      ++succeeded_;
      progress_.advance(outcome.size_bytes);
    }
    finished_.emplace(sequence, std::move(outcome));
    for (auto it = finished_.begin(); it != finished_.end() && it->first == next_printed_;
         it = finished_.erase(it), ++next_printed_) {
      print(it->second);
    }
  }

  void print(const Outcome& outcome) {
    if (outcome.error) {
      progress_.clear_line();
      world_.err << "cairn: " << outcome.path << ": " << outcome.error->detail << '\n';
    } else if (options_.json) {
      std::string line = "{\"id\":\"" + outcome.id.text() +
                         "\",\"size\":" + std::to_string(outcome.size_bytes) + ",\"path\":";
      append_json_string(line, outcome.path);
      line += outcome.held ? ",\"stored\":\"held\"}" : ",\"stored\":\"created\"}";
      world_.out << line << '\n';
    } else {
      world_.out << outcome.id.text() << "  " << outcome.size_bytes << "  " << outcome.path << '\n';
    }
  }

  void tell_problems() {
    for (const std::string& problem : cutter_.take_problems()) {
      progress_.clear_line();
      world_.err << "cairn: " << problem << '\n';
      ++failed_;
    }
  }

  const TransferOptions& options_;
  World& world_;
  BlockCutter cutter_;
  Progress progress_;
  std::size_t taken_ = 0;
  std::size_t next_printed_ = 0;
  std::map<std::size_t, Outcome> finished_;
  std::size_t succeeded_ = 0;
  std::size_t failed_ = 0;
  std::optional<Error> first_failure_;
  bool stopped_ = false;
};

}  // namespace

Exit put_paths(const TransferOptions& options, std::vector<std::string> paths, World& world) {
  return PutRun(options, std::move(paths), world).run();
}

}  // namespace cairn::cli
