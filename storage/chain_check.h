// ChainCheck: whether the chains of a closed store are what their manifests and signatures make of
// them: links without a gap, each on the one before, the head that is answered, blocks that are
// held and kept. A part of fsck; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "crypto/chain_state.h"
#include "crypto/link.h"
#include "storage/chain_records.h"
#include "storage/database.h"

namespace cairn {

class ChainCheck {
 public:
  enum class Fault : std::uint8_t {
    bad_chain,  ///< A record that is none, a gap, a wrong signature, or a head that is not theirs.
    dangling_ref,  ///< A link refers to a block that is not held.
    missing_pin,   ///< Nothing keeps a block that a link refers to.
    stray_pin,     ///< A block is kept for a link that is not there.
  };
  struct Counts {
    std::uint64_t chains = 0;
    std::uint64_t links = 0;
  };
  /// `what` is a chain's id or a block's.
  using Tell =
      std::function<void(Fault, const std::string& what, std::string detail, bool repaired)>;
  /// Asked now and then; false ends the check.
  using GoOn = std::function<bool(std::uint64_t links)>;

  /// `database` outlives this. With `repair`, pins are made and taken away as links want them.
  ChainCheck(Database& database, std::uint64_t placement_seed, bool repair, Tell tell, GoOn go_on);

  /// Errors: those of the database. Damage is told.
  Result<Counts> run();

 private:
  /// The chain that the iterator is in.
  struct Current {
    std::string prefix;
    ChainId id{};
    bool broken = false;              ///< Told; what follows of it is not judged.
    std::optional<ChainState> state;  ///< As stored.
    std::optional<ChainState> walk;   ///< As its manifest and links make it, while nothing lacks.
    std::uint64_t last_seq = 0;       ///< Of the links that were read; 0 before the first.
    LinkId last{};
  };

  Result<void> check_record(std::string_view key, std::string_view value);
  Result<void> check_link(std::uint64_t seq, ByteView raw);
  bool follows(const LinkView& link, std::uint64_t seq);
  Result<void> check_refs(const LinkView& link);
  void end_chain();
  Result<void> check_pins();
  Result<bool> has(rocksdb::ColumnFamilyHandle* family, std::string_view key);
  Result<void> mend_pin(const std::string& key, bool wanted);
  void damaged(std::string detail);

  Database& database_;
  const std::uint64_t seed_;
  const bool repair_;
  const Tell tell_;
  const GoOn go_on_;
  Counts counts_;
  bool interrupted_ = false;
  Current now_;
};

}  // namespace cairn
