#include "node/warm_start.h"

#include <boost/asio/post.hpp>
#include <fstream>
#include <string>

#include "base/block_id_text.h"
#include "storage/file.h"

namespace cairn {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kLineBytes = BlockId::kTextSize + 1;
constexpr std::size_t kMostBytes = TopList::kEntries * kLineBytes;

}  // namespace

std::vector<BlockId> parse_hot_list(std::string_view text) {
  std::vector<BlockId> out;
  while (!text.empty() && out.size() < TopList::kEntries) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (const auto id = parse_block_id(text.substr(0, end))) out.push_back(*id);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string hot_list_text(const std::vector<TopList::Entry>& blocks) {
  std::string out;
  out.reserve(blocks.size() * kLineBytes);
  for (const TopList::Entry& block : blocks) out.append(block.id.text()).append("\n");
  return out;
}

WarmStart::WarmStart(const std::filesystem::path& data_dir, BlockStore& cache,
                     std::size_t limit_bytes, const TopList& top, const Clock& clock, Log& log)
    : file_(data_dir / "hot-blocks"),
      cache_(cache),
      limit_bytes_(limit_bytes),
      top_(top),
      clock_(clock),
      log_(log),
      next_keep_(clock.in(kPeriod)) {}

Task<void> WarmStart::load() {
  std::string text(kMostBytes, '\0');
  std::ifstream in(file_, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  const std::vector<BlockId> ids = parse_hot_list(text);
  if (ids.empty()) co_return;
  listed_.store(ids.size(), std::memory_order_relaxed);
  under_way_.store(true, std::memory_order_relaxed);
  std::size_t bytes = 0;
  for (const BlockId& id : ids) {
    if (ending_.load(std::memory_order_relaxed) || bytes >= limit_bytes_) break;
    const Deadline deadline = clock_.in(kPatience);
    const Result<Found> found = co_await cache_.get(id, deadline);
    // Whoever waits on this core goes first.
    co_await boost::asio::post(kAwait);
    if (!found) continue;
    bytes += found.value().block.size_bytes();
    loaded_.fetch_add(1, std::memory_order_relaxed);
  }
  under_way_.store(false, std::memory_order_relaxed);
  log_.event(LogLevel::info, "cache_warmed",
             {{"listed", static_cast<std::uint64_t>(ids.size())},
              {"loaded", static_cast<std::uint64_t>(loaded_.load(std::memory_order_relaxed))},
              {"bytes", static_cast<std::uint64_t>(bytes)}});
}

bool WarmStart::keep_is_due() {
  if (clock_.mono() < next_keep_) return false;
  next_keep_ = clock_.in(kPeriod);
  return true;
}

Task<void> WarmStart::keep_on(BlockingPool& pool) {
  const auto work = [this]() -> Result<void> {
    keep();
    return ok();
  };
  const Deadline deadline = clock_.in(kPatience);
  const Result<void> ignored = co_await pool.run(work, deadline);
  // A disk that hangs is told of by others.
  static_cast<void>(ignored);
}

void WarmStart::keep() {
  const auto blocks = top_.top(TopList::kEntries);
  if (blocks.empty()) return;
  if (const auto kept = replace_file(file_, hot_list_text(blocks)); !kept) {
    log_.event(LogLevel::warn, "hot_blocks_not_kept",
               {{"reason", std::string_view(kept.error().detail)}});
  }
}

WarmProgress WarmStart::progress() const {
  return {listed_.load(std::memory_order_relaxed), loaded_.load(std::memory_order_relaxed),
          under_way_.load(std::memory_order_relaxed)};
}

}  // namespace cairn
