// fsck: checks a store that no node has open. Every index entry has a body of the right size and
// hash, every body an entry, every key its slot; every chain is whole and its blocks are there. A
// library call for `cairn fsck`; runs on the calling thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "storage/store_identity.h"

namespace cairn {

enum class FsckPhase : std::uint8_t { entries, bodies, log, chains };

struct FsckProgress {
  FsckPhase phase = FsckPhase::entries;
  std::uint64_t done = 0;       ///< Entries, bodies, records or links looked at in this phase.
  std::uint64_t estimated = 0;  ///< Of how many; an estimate, 0 when unknown.
  std::uint64_t bytes = 0;      ///< Hashed so far.
};

enum class FsckFault : std::uint8_t {
  bad_key,         ///< An index key that names no block.
  bad_entry,       ///< An index entry that cannot be read.
  wrong_slot,      ///< A block under another slot than its own: it can never be found.
  bad_body,        ///< Missing, unreadable, of another size, or not matching the id.
  stray_body,      ///< A body that no entry speaks for, and that is not right either.
  unindexed_body,  ///< A right body without an index entry, or with one that cannot be read.
  bad_segment,     ///< A value log segment without a right header.
  unreadable,      ///< From here on the bodies in blob files could not be looked through.
  bad_chain,       ///< ChainCheck::Fault, as the three below.
  dangling_ref,
  missing_pin,
  stray_pin,
};
/// Stable words for output: bad-key, bad-entry, wrong-slot, bad-body, stray-body, unindexed-body,
/// bad-segment, unreadable, bad-chain, dangling-ref, missing-pin, stray-pin.
std::string_view name_of(FsckFault fault);

struct FsckProblem {
  FsckFault fault = FsckFault::bad_body;
  std::string block;  ///< A block's id, a chain's, the raw key, or what else is meant.
  std::string detail;
  bool repaired = false;
};

struct FsckReport {
  StoreIdentity identity;
  std::uint64_t blocks = 0;  ///< Index entries.
  std::uint64_t bytes = 0;   ///< Body bytes that are right.
  std::uint64_t in_index = 0;
  std::uint64_t in_blobs = 0;
  std::uint64_t in_log = 0;
  std::uint64_t chains = 0;
  std::uint64_t links = 0;  ///< Of all chains.
  std::uint64_t faults = 0;
  std::uint64_t repaired = 0;
  std::uint64_t quarantined = 0;      ///< Bodies and entries set aside in quarantine/.
  std::vector<FsckProblem> problems;  ///< The first kMaxProblems of them.
  /// No damage: value log records without an entry (the scrub gives them back, or a start adopts
  /// them), and pages that are neither records nor empty, or cannot be read.
  std::uint64_t orphan_records = 0;
  std::uint64_t orphan_bytes = 0;
  std::uint64_t garbage_pages = 0;
  bool interrupted = false;

  static constexpr std::size_t kMaxProblems = 1000;
  /// Nothing is wrong now.
  bool clean() const { return !interrupted && faults == repaired; }
};

struct FsckOptions {
  std::filesystem::path directory;
  /// Sets bad and misplaced bodies and unreadable entries aside in quarantine/ and takes the
  /// entries out, so that the blocks count as missing and can be stored again; indexes bodies that
  /// are right; writes segment headers anew; makes the pins that links want, and no others.
  bool repair = false;
  /// Called about every 100 ms of work; false stops the check. May be empty.
  std::function<bool(const FsckProgress&)> on_progress;
};

/// Errors: not_found (no store), conflict (a node has it open), denied (newer format), malformed,
/// corrupt (RocksDB cannot be opened, or its index not be read), unavailable. Damage to blocks is
/// in the report.
Result<FsckReport> fsck(const FsckOptions& options, const Clock& clock, Random& random, Log& log);

}  // namespace cairn
