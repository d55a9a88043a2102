// cairn export: a checked chain and the blocks that it refers to, as one CAR. Two passes: the
// first checks every link and counts, the second writes; both read the links from the node.
#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

#include "base/utf8.h"
#include "crypto/hash.h"
#include "node/cli/block_transfer.h"
#include "node/cli/capability_file.h"
#include "node/cli/car.h"
#include "node/cli/chain_arguments.h"
#include "node/cli/chain_index.h"
#include "node/cli/output_file.h"

namespace cairn::cli {
namespace {

/// Refs are thinned out when so many new ones have come.
constexpr std::size_t kRefsBetweenThinning = std::size_t{1} << 20;

template <class To, class From>
To same_bytes(const From& id) {
  return *To::from_bytes(id.view());
}

/// What the first pass learns: 32 bytes a link and a block.
class Inventory {
 public:
  Result<void> add(const CheckedLink& link) {
    const std::uint64_t seq = link.link.fields().seq;
    // A checkpoint has dropped links meanwhile, and the walk began anew.
    if (seq != first_seq_ + links_.size()) {
      first_seq_ = seq;
      links_.clear();
      refs_.clear();
    }
    links_.push_back(link.id);
    for (std::size_t i = 0; i < link.link.ref_count(); ++i) refs_.push_back(link.link.ref(i));
    if (refs_.size() - thinned_ >= kRefsBetweenThinning) thin_out();
    return ok();
  }
  void thin_out() {
    std::sort(refs_.begin(), refs_.end());
    refs_.erase(std::unique(refs_.begin(), refs_.end()), refs_.end());
    thinned_ = refs_.size();
  }
  std::vector<LinkId> page(std::size_t number) const {
    const std::size_t first = number * kLinksPerPage;
    const std::size_t size = std::min(kLinksPerPage, links_.size() - first);
    const auto begin = links_.begin() + static_cast<std::ptrdiff_t>(first);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
  }
  std::size_t page_count() const { return (links_.size() + kLinksPerPage - 1) / kLinksPerPage; }
  std::uint64_t first_seq() const { return first_seq_; }
  const std::vector<LinkId>& links() const { return links_; }
  const std::vector<BlockId>& refs() const { return refs_; }

 private:
  std::uint64_t first_seq_ = 1;
  std::vector<LinkId> links_;
  std::vector<BlockId> refs_;
  std::size_t thinned_ = 0;
};

class ExportRun {
 public:
  ExportRun(ChainSession& session, const TransferOptions& transfer, std::ostream& out,
            std::ostream& err)
      : session_(session),
        transfer_(transfer),
        out_(out),
        progress_(err, transfer.progress, "exported", std::nullopt) {}

  /// Errors: those of ChainSession and BlockClient, conflict, full.
  Result<void> run() {
    session_.show_beside(&progress_);
    auto done = write_all();
    session_.show_beside(nullptr);
    if (!done) progress_.clear_line();
    return done;
  }
  const Inventory& inventory() const { return inventory_; }
  std::uint64_t size_bytes() const { return size_; }

 private:
  Result<void> write_all() {
    CAIRN_TRY(
        session_.walk_to_head([this](const CheckedLink& link) { return inventory_.add(link); }));
    inventory_.thin_out();
    const std::size_t links = inventory_.links().size();
    progress_.count("blocks", 2 + inventory_.page_count() + links + inventory_.refs().size());
    CAIRN_TRY(write_index());
    CAIRN_TRY(write_links());
    const auto failure =
        fetch_in_order(transfer_, inventory_.refs(), progress_,
                       [this](const BlockId& id, const Bytes& bytes) { return put(id, bytes); });
    if (failure) return *failure;
    out_.flush();
    progress_.finish(0);
    return out_ ? Result<void>(ok()) : cannot_write();
  }

  static Error cannot_write() { return fail(Errc::full, "the output cannot be written"); }

  void write(ByteView bytes) {
    out_.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    size_ += bytes.size();
  }
  bool put(const BlockId& id, ByteView bytes) {
    write(car_section_head(id, bytes.size()));
    write(bytes);
    return static_cast<bool>(out_);
  }
  Result<void> put_block(ByteView bytes) {
    if (!put(block_id_of(bytes), bytes)) return cannot_write();
    progress_.advance(bytes.size());
    return ok();
  }

  Result<void> write_index() {
    ChainIndex index;
    index.chain = session_.state().chain;
    index.first_seq = inventory_.first_seq();
    index.links = inventory_.links().size();
    const Bytes& rotate = session_.rotate_before();
    if (!rotate.empty()) index.rotate = link_id_of(rotate);
    for (std::size_t i = 0; i < inventory_.page_count(); ++i) {
      index.pages.push_back(block_id_of(index_page_bytes(inventory_.page(i))));
    }
    const Bytes root = chain_index_bytes(index);
    write(car_header(block_id_of(root)));
    CAIRN_TRY(put_block(root));
    CAIRN_TRY(put_block(session_.manifest()));
    for (std::size_t i = 0; i < inventory_.page_count(); ++i) {
      CAIRN_TRY(put_block(index_page_bytes(inventory_.page(i))));
    }
    return rotate.empty() ? Result<void>(ok()) : put_block(rotate);
  }

  /// Once more from the node: they must be those that were checked.
  Result<void> write_links() {
    const auto& links = inventory_.links();
    for (std::size_t done = 0; done < links.size();) {
      const std::size_t most = std::min(kMaxLinksPerCall, links.size() - done);
      CAIRN_TRY(const std::vector<Bytes> page,
                session_.client().links(inventory_.first_seq() + done, most));
      if (page.empty() || page.size() > most) return changed();
      for (const Bytes& raw : page) {
        if (link_id_of(raw) != links[done]) return changed();
        CAIRN_TRY(put_block(raw));
        ++done;
      }
    }
    return ok();
  }
  static Error changed() {
    return fail(Errc::conflict,
                "the node's chain is another than it was a moment ago; was it "
                "trimmed? export it again");
  }

  ChainSession& session_;
  const TransferOptions& transfer_;
  std::ostream& out_;
  Progress progress_;
  Inventory inventory_;
  std::uint64_t size_ = 0;
};

/// Of a file, or of a chain's id alone.
Result<Capability> capability_of(const ChainArguments& arguments, World& world) {
  if (arguments.operands.empty()) return read_capability(arguments.capability, world);
  const auto chain = ChainId::from_text(arguments.operands.front());
  if (!chain) {
    return fail(Errc::malformed, arguments.operands.front() +
                                     " is not a chain's id (64 lower-case hexadecimal digits)");
  }
  return Capability(VerifyCapability{*chain});
}

void print(const ExportRun& run, const ChainId& chain, const ChainArguments& arguments,
           World& world) {
  const Inventory& inventory = run.inventory();
  if (arguments.json) {
    world.out << boost::json::serialize(boost::json::object{{"chain", chain.text()},
                                                            {"first", inventory.first_seq()},
                                                            {"links", inventory.links().size()},
                                                            {"blocks", inventory.refs().size()},
                                                            {"size", run.size_bytes()},
                                                            {"file", arguments.output}})
              << '\n';
    return;
  }
  world.out << printable(arguments.output) << ": chain " << chain.text() << ", "
            << inventory.links().size() << " links, " << inventory.refs().size() << " blocks, "
            << size_for_people(static_cast<double>(run.size_bytes())) << '\n';
}

}  // namespace

Exit export_chain(const ChainArguments& arguments, const ChainOptions& options, World& world) {
  if (arguments.operands.empty() == arguments.capability.empty()) {
    world.err << "cairn: name the chain either by --cap FILE or by its id\n";
    return Exit::usage;
  }
  const bool to_out = arguments.output == "-";
  if (to_out && world.out_is_terminal) {
    world.err << "cairn: an export is not shown on a terminal; name a file with -o FILE\n";
    return Exit::usage;
  }
  const auto capability = capability_of(arguments, world);
  if (!capability) return tell(capability.error(), world);
  ChainSession session(options, capability.value(), world);
  if (const auto opened = session.open(); !opened) return tell(opened.error(), world);
  const TransferOptions transfer{
      .server = options.server, .jobs = arguments.jobs, .progress = options.progress};
  OutputFile file(arguments.output);
  if (!to_out) {
    if (const auto made = file.open(); !made) {
      return tell(fail(Errc::full, made.error().detail), world);
    }
  }
  ExportRun run(session, transfer, to_out ? world.out : file.stream(), world.err);
  if (const auto done = run.run(); !done) return tell(done.error(), world);
  if (!to_out) {
    if (const auto kept = file.keep(); !kept)
      return tell(fail(Errc::full, kept.error().detail), world);
    print(run, session.state().chain, arguments, world);
  }
  session.remember();
  return Exit::ok;
}

}  // namespace cairn::cli
