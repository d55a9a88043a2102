// cairn block put.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <map>
#include <ostream>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
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

/// What a worker takes at a time.
struct Group {
  std::vector<Item> items;
  std::vector<std::string> problems;
};

enum class Fate : std::uint8_t { created, held, failed, skipped };

struct Outcome {
  BlockId id;
  std::string path;
  std::size_t size_bytes = 0;
  Fate fate = Fate::held;
  std::string failure;
};

/// What the workers share. They run on one thread, so nothing is locked; another one reads and cuts
/// for them, so that a slow disk or producer holds up no transfer.
class PutRun {
 public:
  PutRun(const TransferOptions& options, std::vector<std::string> paths, World& world)
      : options_(options),
        world_(world),
        cutter_(std::move(paths), options.block_bytes, world.in),
        progress_(world.err, options.progress, "put", cutter_.total_bytes()) {}

  Exit run() {
    IoContext loop(1);
    const std::size_t jobs = std::max<std::size_t>(1, options_.jobs);
    const SystemClock clock;
    BlockingPool reader("reader", 1, jobs, clock);
    for (std::size_t i = 0; i < jobs; ++i) {
      boost::asio::co_spawn(loop, work(loop.get_executor(), reader), boost::asio::detached);
    }
    loop.run();
    progress_.finish(failed_);
    if (const std::size_t count = cutter_.passed_over(); count > 0) {
      tell_error("passed over " + std::to_string(count) +
                 " symbolic link(s) and special files in directories; name a link to follow it");
    }
    if (stopped_by_ && stopped_by_->code == Errc::unavailable) return Exit::unreachable;
    return exit_for_many(succeeded_, failed_, first_failure_.value_or(fail(Errc::malformed)));
  }

 private:
  /// On the reader, which alone touches cutter_ and taken_ meanwhile.
  Result<Group> cut_group() {
    Group group;
    std::size_t bytes = 0;
    const std::size_t most = taken_ < kAskFirstAfter ? 1 : kGroupBlocks;
    while (group.items.size() < most && bytes < kGroupBytes) {
      auto cut = cutter_.next();
      if (!cut) break;
      const BlockId id = block_id_of(cut->bytes);
      bytes += cut->bytes.size();
      group.items.push_back({taken_++, id, std::move(cut->path), std::move(cut->bytes)});
    }
    group.problems = cutter_.take_problems();
    return group;
  }

  Task<void> work(Executor executor, BlockingPool& reader) {
    BlockClient client(executor, options_.server, contact_);
    while (!stopped_by_) {
      auto cut = co_await reader.run([this] { return cut_group(); }, Deadline::max());
      Group group = std::move(cut.value());
      tell(group.problems);
      if (group.items.empty()) co_return;
      co_await put_group(client, std::move(group.items));
    }
  }

  Task<void> put_group(BlockClient& client, std::vector<Item> group) {
    std::vector<BlockId> lacking;
    lacking.reserve(group.size());
    for (const Item& item : group) lacking.push_back(item.id);
    std::optional<Error> unasked;
    if (group.size() > 1 && !stopped_by_) {
      auto asked = co_await client.missing(lacking);
      if (asked) {
        lacking = std::move(asked.value());
      } else {
        unasked = asked.error();
      }
    }
    for (Item& item : group) {
      Outcome outcome{item.id, std::move(item.path), item.bytes.size(), Fate::held, {}};
      const bool lacked = std::find(lacking.begin(), lacking.end(), item.id) != lacking.end();
      if (lacked && stopped_by_) {
        outcome.fate = Fate::skipped;
      } else if (lacked && unasked) {
        fail_with(outcome, *unasked);
      } else if (lacked) {
        auto put = co_await client.put(item.id, std::move(item.bytes));
        if (!put) {
          fail_with(outcome, put.error());
        } else if (put.value() == BlockClient::PutOutcome::created) {
          outcome.fate = Fate::created;
        }
      }
      done(item.sequence, std::move(outcome));
    }
  }

  void fail_with(Outcome& outcome, const Error& error) {
    outcome.fate = Fate::failed;
    outcome.failure = error.detail;
    if (!first_failure_) first_failure_ = error;
    // A server that is away, closed to us or full will not take the next block either.
    const bool stops =
        error.code == Errc::unavailable || error.code == Errc::denied || error.code == Errc::full;
    if (stops && !stopped_by_) stopped_by_ = error;
  }

  void done(std::size_t sequence, Outcome outcome) {
    const bool stored = outcome.fate == Fate::created || outcome.fate == Fate::held;
    const std::size_t size_bytes = outcome.size_bytes;
    ++(stored ? succeeded_ : failed_);
    finished_.emplace(sequence, std::move(outcome));
    for (auto it = finished_.begin(); it != finished_.end() && it->first == next_printed_;
         it = finished_.erase(it), ++next_printed_) {
      print(it->second);
    }
    if (stored) progress_.advance(size_bytes);
  }

  void print(const Outcome& outcome) {
    if (outcome.fate == Fate::skipped) return;
    if (outcome.fate == Fate::failed) {
      tell_error(outcome.path + ": " + outcome.failure);
      return;
    }
    std::string line;
    if (options_.json) {
      line = "{\"id\":\"" + outcome.id.text() +
             "\",\"size\":" + std::to_string(outcome.size_bytes) + ",\"path\":";
      append_json_string(line, outcome.path);
      line += outcome.fate == Fate::held ? ",\"stored\":\"held\"}" : ",\"stored\":\"created\"}";
    } else {
      line = outcome.id.text() + "  " + std::to_string(outcome.size_bytes) + "  " +
             printable(outcome.path);
    }
    // On one terminal the line takes the bar's place at once; elsewhere lines may gather.
    if (world_.out_is_terminal) progress_.clear_line();
    world_.out << line << '\n';
    if (world_.out_is_terminal) world_.out << std::flush;
  }

  void tell(const std::vector<std::string>& problems) {
    for (const std::string& problem : problems) tell_error(problem);
    failed_ += problems.size();
  }

  void tell_error(const std::string& words) {
    progress_.clear_line();
    world_.err << "cairn: " << printable(words) << '\n';
  }

  const TransferOptions& options_;
  World& world_;
  BlockCutter cutter_;
  Progress progress_;
  Contact contact_{options_.patience};
  std::size_t taken_ = 0;
  std::size_t next_printed_ = 0;
  std::map<std::size_t, Outcome> finished_;
  std::size_t succeeded_ = 0;
  std::size_t failed_ = 0;
  std::optional<Error> first_failure_;
  std::optional<Error> stopped_by_;
};

}  // namespace

Exit put_paths(const TransferOptions& options, std::vector<std::string> paths, World& world) {
  return PutRun(options, std::move(paths), world).run();
}

}  // namespace cairn::cli
