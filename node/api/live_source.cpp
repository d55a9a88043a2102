#include "node/api/live_source.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "base/timer.h"
#include "node/api/chain_answers.h"
#include "node/api/chain_request.h"
#include "node/api/errors.h"
#include "node/api/signal.h"

namespace cairn::api {
namespace {

/// So much is gathered before it is sent.
constexpr std::size_t kGatherBytes = std::size_t{64} << 10;

}  // namespace

/// Which chains have news; wakes the one that waits, on its own core.
class LiveSource::Bell final : public ChainListener, public std::enable_shared_from_this<Bell> {
 public:
  explicit Bell(Executor executor) : executor_(std::move(executor)) {}

  void grown(const ChainId& chain) override {
    {
      const std::lock_guard lock(mutex_);
      grown_.insert(chain);
      if (std::exchange(rung_, true)) return;
    }
    boost::asio::post(executor_, [bell = weak_from_this()] {
      if (const auto alive = bell.lock()) alive->wake();
    });
  }

  std::optional<ChainId> take() {
    const std::lock_guard lock(mutex_);
    if (grown_.empty()) return std::nullopt;
    const ChainId chain = *grown_.begin();
    grown_.erase(grown_.begin());
    return chain;
  }

  /// Its core only: returns when grown() was called since the last wait, or after `limit`.
  Task<void> wait(std::chrono::milliseconds limit) {
    {
      const std::lock_guard lock(mutex_);
      if (!grown_.empty()) co_return;
      rung_ = false;
    }
    signal_ = std::make_shared<Signal>();
    Timer timer(executor_, limit);
    timer.async_wait([signal = signal_](const boost::system::error_code&) { signal->fire(); });
    co_await signal_->wait();
  }

 private:
  void wake() {
    if (signal_ != nullptr) signal_->fire();
  }

  const Executor executor_;
  std::mutex mutex_;
  std::unordered_set<ChainId> grown_;
  bool rung_ = true;
  std::shared_ptr<Signal> signal_;
};

LiveSource::~LiveSource() = default;

void LiveSource::append_event(std::string_view event, const std::string& data) {
  out_.append("event: ").append(event).append("\ndata: ").append(data).append("\n\n");
}

void LiveSource::tell_refusal(const ChainId& chain, Errc code) {
  Refusal refusal = code == Errc::not_found ? Refusal::no_such_chain : refusal_of(code);
  if (code == Errc::denied) refusal = Refusal::fetch_token_needed;
  std::string data = "{\"chain\":\"" + chain.text() + "\",";
  append_problem_members(data, refusal);
  append_event("refused", data.append("}"));
}

Task<void> LiveSource::begin(LiveStart start) {
  const auto head = co_await world_.chains.head(start.chain, world_.clock.in(world_.deadline));
  if (!head) co_return tell_refusal(start.chain, head.error().code);
  if (!token_opens(start.token, head.value())) co_return tell_refusal(start.chain, Errc::denied);
  const std::uint64_t seen = std::min(start.seen.value_or(head.value().seq), head.value().seq);
  auto place = world_.chains.listen(start.chain, bell_);
  if (place == nullptr) co_return tell_refusal(start.chain, Errc::overloaded);
  followed_.insert_or_assign(start.chain,
                             Followed{ChainCursor(head.value(), seen), std::move(place)});
  // What came before it listened.
  bell_->grown(start.chain);
}

Task<void> LiveSource::tell(ChainId chain) {
  const auto found = followed_.find(chain);
  if (found == followed_.end()) co_return;
  ChainCursor& cursor = found->second.cursor;
  const auto head = co_await world_.chains.head(chain, world_.clock.in(world_.deadline));
  if (!head) {
    followed_.erase(chain);
    co_return tell_refusal(chain, head.error().code);
  }
  const auto news =
      co_await cursor.step(world_.chains, head.value(), world_.clock.in(world_.deadline));
  if (!news) {
    followed_.erase(chain);
    co_return tell_refusal(chain, news.error().code);
  }
  if (news.value().resync) append_event("resync", head_json(*news.value().resync));
  std::uint64_t seq = news.value().first;
  for (const Bytes& link : news.value().links) {
    std::string data = "{\"chain\":\"" + chain.text() + "\",\"seq\":" + std::to_string(seq++);
    data.append(",\"link\":\"").append(to_base64url(link)).append("\"}");
    append_event("link", data);
  }
  if (cursor.ended()) {
    followed_.erase(chain);
    append_event("ended", "{\"chain\":\"" + chain.text() + "\"}");
  } else if (!news.value().links.empty()) {
    bell_->grown(chain);  // There may be more.
  }
}

Task<Result<ByteView>> LiveSource::next() {
  if (bell_ == nullptr) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    bell_ = std::make_shared<Bell>(executor);
    out_ = ": follows\n\n";
    co_return as_bytes(out_);
  }
  out_.clear();
  out_.shrink_to_fit();
  while (!world_.ending && out_.size() < kGatherBytes) {
    if (!starts_.empty()) {
      LiveStart start = std::move(starts_.back());
      starts_.pop_back();
      co_await begin(std::move(start));
      continue;
    }
    if (const auto chain = bell_->take()) {
      co_await tell(*chain);
      continue;
    }
    if (!out_.empty() || followed_.empty()) break;
    co_await bell_->wait(world_.heartbeat);
    const auto chain = world_.ending ? std::optional<ChainId>() : bell_->take();
    if (chain) co_await tell(*chain);
    if (!chain && !world_.ending) out_ = ":\n\n";
  }
  if (world_.ending) co_return ByteView();
  co_return as_bytes(out_);
}

}  // namespace cairn::api
