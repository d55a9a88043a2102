// cairn import: an exported chain into a node. Everything in the file is checked before anything is
// sent; what the node has already is passed over, so that an import can be done again.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

#include "base/utf8.h"
#include "crypto/chain_append.h"
#include "crypto/chain_walk.h"
#include "node/cli/capability_file.h"
#include "node/cli/car_file.h"
#include "node/cli/chain_arguments.h"
#include "node/cli/chain_index.h"

namespace cairn::cli {
namespace {

BlockId block_of(const LinkId& id) {
  return *BlockId::from_bytes(id.view());
}

/// A file whose chain was checked from its index to its last link.
class CheckedExport {
 public:
  explicit CheckedExport(const CarFile& car) : car_(car) {}

  Result<void> check() {
    CAIRN_TRY(const Bytes root, car_.read(car_.root()));
    CAIRN_TRY(index_, parse_chain_index(root));
    for (const BlockId& id : index_.pages) {
      CAIRN_TRY(const Bytes raw, car_.read(id));
      CAIRN_TRY(const std::vector<LinkId> page, parse_index_page(raw));
      links_.insert(links_.end(), page.begin(), page.end());
    }
    if (links_.size() != index_.links) {
      return fail(Errc::malformed, "the pages of the index name another number of links");
    }
    CAIRN_TRY(manifest_, car_.read(*BlockId::from_bytes(index_.chain.view())));
    return walk();
  }

  Result<Bytes> link(std::uint64_t seq) const { return car_.read(block_of(link_id(seq))); }
  const LinkId& link_id(std::uint64_t seq) const { return links_[seq - index_.first_seq]; }
  const ChainId& chain() const { return index_.chain; }
  const Bytes& manifest() const { return manifest_; }
  std::uint64_t first() const { return index_.first_seq; }
  /// One before first() where there is none.
  std::uint64_t last() const { return index_.first_seq + links_.size() - 1; }
  /// Blocks that links refer to and the file does not have, each once.
  const std::vector<BlockId>& absent() const { return absent_; }

 private:
  Result<void> walk() {
    CAIRN_TRY(ChainWalk walk, ChainWalk::of(manifest_, index_.chain));
    if (first() > 1) {
      CAIRN_TRY(start_trimmed(walk));
    }
    for (std::uint64_t seq = first(); seq <= last(); ++seq) {
      CAIRN_TRY(const Bytes raw, link(seq));
      const auto taken = walk.take(raw);
      if (!taken) return broken(walk);
      if (walk.state().seq != seq) return fail(Errc::malformed, "the index begins elsewhere");
      for (std::size_t i = 0; i < taken->link.ref_count(); ++i) {
        if (!car_.has(taken->link.ref(i))) absent_.push_back(taken->link.ref(i));
      }
    }
    std::sort(absent_.begin(), absent_.end());
    absent_.erase(std::unique(absent_.begin(), absent_.end()), absent_.end());
    return ok();
  }

  Result<void> start_trimmed(ChainWalk& walk) const {
    CAIRN_TRY(const Bytes checkpoint, link(first()));
    if (index_.rotate) {
      CAIRN_TRY(const Bytes rotate, car_.read(block_of(*index_.rotate)));
      return walk.start_at(checkpoint, rotate) ? Result<void>(ok()) : broken(walk);
    }
    CAIRN_TRY(const std::uint64_t rotated_at, newest_rotate());
    const bool started = rotated_at == 0 ? walk.start_at(checkpoint, std::nullopt)
                                         : walk.start_vouched(checkpoint, rotated_at);
    if (!started) return broken(walk);
    while (const auto seq = walk.to_vouch()) {
      CAIRN_TRY(const Bytes raw, link(*seq));
      if (!walk.vouch(raw)) return broken(walk);
    }
    return ok();
  }

  /// 0 where no link is one.
  Result<std::uint64_t> newest_rotate() const {
    for (std::uint64_t seq = last(); seq >= first(); --seq) {
      CAIRN_TRY(const Bytes raw, link(seq));
      CAIRN_TRY(const LinkView view, LinkView::parse(raw));
      if (view.fields().type == LinkType::rotate) return seq;
    }
    return std::uint64_t{0};
  }

  static Error broken(const ChainWalk& walk) {
    return fail(Errc::corrupt, "the chain is broken: " + walk.breach().words);
  }

  const CarFile& car_;
  ChainIndex index_;
  std::vector<LinkId> links_;
  Bytes manifest_;
  std::vector<BlockId> absent_;
};

/// Puts blocks of the file, several at a time.
class UploadRun {
 public:
  UploadRun(const ServerAddress& server, std::size_t jobs, const CarFile& car,
            const std::vector<BlockId>& ids)
      : server_(server), jobs_(jobs), car_(car), ids_(ids) {}

  Result<void> run() {
    for (std::size_t i = 0; i < std::min(jobs_, ids_.size()); ++i) {
      boost::asio::co_spawn(loop_, work(), boost::asio::detached);
    }
    loop_.run();
    if (failure_) return *failure_;
    return ok();
  }

 private:
  Task<void> work() {
    BlockClient client(loop_.get_executor(), server_, contact_);
    while (!failure_ && taken_ < ids_.size()) {
      const BlockId id = ids_[taken_++];
      auto bytes = car_.read(id);
      if (!bytes) {
        failure_ = bytes.error();
        co_return;
      }
      auto put = co_await client.put(id, std::move(bytes.value()));
      if (!put && !failure_) {
        failure_ = fail(put.error().code, id.text() + ": " + put.error().detail);
      }
    }
  }

  const ServerAddress& server_;
  const std::size_t jobs_;
  const CarFile& car_;
  const std::vector<BlockId>& ids_;
  IoContext loop_{1};
  Contact contact_;
  std::size_t taken_ = 0;
  std::optional<Error> failure_;
};

class ImportRun {
 public:
  ImportRun(const ChainOptions& options, std::size_t jobs, const CarFile& car,
            const CheckedExport& from, World& world)
      : options_(options),
        jobs_(jobs),
        car_(car),
        from_(from),
        client_(options.server, from.chain()),
        progress_(world.err, options.progress, "imported", std::nullopt) {}

  void show_token(const FetchToken& token) { client_.show_token(token); }

  /// Errors: those of ChainClient and BlockClient; conflict where the node's chain is another.
  Result<void> run() {
    auto done = send_all();
    if (!done) progress_.clear_line();
    return done;
  }
  std::uint64_t sent_links() const { return sent_links_; }
  std::uint64_t sent_blocks() const { return sent_blocks_; }

 private:
  Result<void> send_all() {
    CAIRN_TRY(const std::vector<BlockId> lacking, client_.missing(from_.absent()));
    if (!lacking.empty()) {
      return fail(Errc::not_found, std::to_string(lacking.size()) +
                                       " blocks are neither in the file nor held by the node: " +
                                       lacking.front().text() +
                                       (lacking.size() > 1 ? " and others" : ""));
    }
    CAIRN_TRY(const std::uint64_t next, first_to_send());
    progress_.count("links", from_.last() + 1 - next);
    for (std::uint64_t seq = next; seq <= from_.last();) {
      CAIRN_TRY(seq, send_from(seq));
    }
    progress_.finish(0);
    return ok();
  }

  /// Seq of the first link that the node needs.
  Result<std::uint64_t> first_to_send() {
    auto head = client_.head();
    if (!head && head.error().code == Errc::not_found) {
      if (from_.first() > 1) return begins_late(0);
      CAIRN_TRY(client_.create(from_.manifest()));
      return std::uint64_t{1};
    }
    // A gated chain whose token we have not: the node passes over what it has.
    if (!head && head.error().code == Errc::denied) return from_.first();
    if (!head) return head.error();
    return behind(head.value());
  }

  Result<std::uint64_t> behind(const ClaimedHead& head) {
    const std::uint64_t seq = head.position.seq;
    if (seq + 1 < from_.first()) return begins_late(seq);
    const std::uint64_t common = std::min(seq, from_.last());
    if (common < from_.first()) return from_.first();
    // What both have must be the same; a checkpoint of the node's may have dropped it.
    LinkId theirs = head.position.link;
    if (common < seq) {
      if (common < head.trimmed_before) return from_.last() + 1;
      CAIRN_TRY(const std::vector<Bytes> page, client_.links(common, 1));
      if (page.empty()) return fail(Errc::corrupt, "the node does not show the link at its head");
      theirs = link_id_of(page.front());
    }
    if (theirs != from_.link_id(common)) {
      return fail(Errc::conflict, "the node's chain has another link at seq " +
                                      std::to_string(common) + ": " + theirs.text() +
                                      ", the file " + from_.link_id(common).text());
    }
    return common + 1;
  }

  Error begins_late(std::uint64_t held) const {
    return fail(Errc::conflict, "the file begins at seq " + std::to_string(from_.first()) +
                                    ", and the node has the chain up to " + std::to_string(held) +
                                    ": a node takes a chain from its first link on");
  }

  /// One append, with the blocks that it needs before it. The seq after it.
  Result<std::uint64_t> send_from(std::uint64_t seq) {
    const std::uint64_t end = std::min(from_.last() + 1, seq + kMaxLinksPerCall);
    std::vector<Bytes> links;
    std::vector<NewLink> views;
    for (std::uint64_t at = seq; at < end; ++at) {
      CAIRN_TRY(Bytes raw, from_.link(at));
      links.push_back(std::move(raw));
      CAIRN_TRY(const LinkView view, LinkView::parse(links.back()));
      views.push_back({view, from_.link_id(at)});
    }
    std::vector<BlockId> refs = refs_of(views);
    std::erase_if(refs, [this](const BlockId& id) { return !car_.has(id); });
    CAIRN_TRY(const std::vector<BlockId> lacking, client_.missing(refs));
    CAIRN_TRY(UploadRun(options_.server, jobs_, car_, lacking).run());
    CAIRN_TRY(const CheckedReceipt receipt, client_.append(links));
    if (!(receipt.position == ChainPosition{end - 1, from_.link_id(end - 1)})) {
      return fail(Errc::corrupt, "the node acknowledges another link than it was sent");
    }
    sent_links_ += links.size();
    sent_blocks_ += lacking.size();
    for (const Bytes& link : links) progress_.advance(link.size());
    return end;
  }

  const ChainOptions& options_;
  const std::size_t jobs_;
  const CarFile& car_;
  const CheckedExport& from_;
  ChainClient client_;
  Progress progress_;
  std::uint64_t sent_links_ = 0;
  std::uint64_t sent_blocks_ = 0;
};

void print(const ImportRun& run, const CheckedExport& from, bool as_json, World& world) {
  const std::uint64_t links = from.last() + 1 - from.first();
  if (as_json) {
    world.out << boost::json::serialize(boost::json::object{{"chain", from.chain().text()},
                                                            {"links", links},
                                                            {"links_sent", run.sent_links()},
                                                            {"blocks_sent", run.sent_blocks()}})
              << '\n';
    return;
  }
  world.out << "chain " << from.chain().text() << ": " << links << " links, " << run.sent_links()
            << " of them sent, and " << run.sent_blocks() << " blocks\n";
}

Error of_file(const std::string& path, Error error) {
  if (!error.detail.starts_with(path)) error.detail.insert(0, path + ": ");
  return error;
}

}  // namespace

Exit import_chain(const ChainArguments& arguments, const ChainOptions& options, World& world) {
  const std::string& path = arguments.operands.front();
  std::optional<Capability> capability;
  if (!arguments.capability.empty()) {
    const auto read = read_capability(arguments.capability, world);
    if (!read) return tell(read.error(), world);
    capability = read.value();
  }
  CarFile car;
  auto good = car.open(path);
  if (!good) return tell(good.error(), world);
  Progress progress(world.err, options.progress, "checked", car.size_bytes());
  good = car.scan([&progress](std::uint64_t bytes) { progress.advance(bytes); });
  progress.finish(0);
  CheckedExport from(car);
  if (good) good = from.check();
  if (!good) return tell(of_file(path, good.error()), world);
  if (capability && chain_of(*capability) != from.chain()) {
    return tell(fail(Errc::malformed, "the capability is of another chain than the file"), world);
  }
  ImportRun run(options, arguments.jobs, car, from, world);
  if (capability) {
    if (const auto secret = ChainKeys(*capability).newest())
      run.show_token(fetch_token_of(*secret));
  }
  if (const auto done = run.run(); !done) return tell(done.error(), world);
  print(run, from, arguments.json, world);
  return Exit::ok;
}

}  // namespace cairn::cli
