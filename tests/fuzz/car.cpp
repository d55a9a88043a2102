// Fuzz target: CAR files. A file means the same however it is cut; what is taken is written again
// to the very same bytes; the blocks in it are read as an index and as a page of one.
#include "node/cli/car.h"

#include <vector>

#include "base/assert.h"
#include "node/cli/chain_index.h"
#include "tests/fuzz/input.h"

namespace cairn::fuzz {
namespace {

struct Outcome {
  bool good = false;
  std::string words;
  BlockId root{};
  std::vector<Bytes> blocks;
};

Outcome read(ByteView file, std::size_t piece) {
  using Step = cli::CarReader::Step;
  Outcome out;
  cli::CarReader reader;
  while (!file.empty()) {
    ByteView input = file.first(std::min(piece, file.size()));
    file = file.subspan(input.size());
    for (;;) {
      const auto step = reader.next(input);
      if (!step) {
        CAIRN_ASSERT(!step.error().detail.empty());
        out.words = step.error().detail;
        return out;
      }
      if (step.value() == Step::need_more) break;
      if (step.value() == Step::header) out.root = reader.root();
      if (step.value() == Step::begin) out.blocks.emplace_back();
      if (step.value() == Step::part) {
        out.blocks.back().insert(out.blocks.back().end(), reader.part().begin(),
                                 reader.part().end());
      }
      if (step.value() == Step::end) CAIRN_ASSERT(block_id_of(out.blocks.back()) == reader.id());
    }
  }
  const auto end = reader.finish();
  out.good = end.has_value();
  if (!end) out.words = end.error().detail;
  return out;
}

Bytes written(const Outcome& outcome) {
  Bytes out = cli::car_header(outcome.root);
  for (const Bytes& block : outcome.blocks) {
    const Bytes head = cli::car_section_head(block_id_of(block), block.size());
    out.insert(out.end(), head.begin(), head.end());
    out.insert(out.end(), block.begin(), block.end());
  }
  return out;
}

void check_index(ByteView raw) {
  const auto index = cli::parse_chain_index(raw);
  if (index) CAIRN_ASSERT(std::ranges::equal(cli::chain_index_bytes(index.value()), raw));
  const auto page = cli::parse_index_page(raw);
  if (page) CAIRN_ASSERT(std::ranges::equal(cli::index_page_bytes(page.value()), raw));
}

}  // namespace
}  // namespace cairn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cairn::fuzz;
  Input input(data, size);
  const std::size_t piece = input.byte() + std::size_t{1};
  const cairn::ByteView file = input.rest();
  const Outcome whole = read(file, file.size() + 1);
  const Outcome cut = read(file, piece);
  CAIRN_ASSERT(whole.good == cut.good && whole.words == cut.words && whole.blocks == cut.blocks);
  if (whole.good) CAIRN_ASSERT(std::ranges::equal(written(whole), file));
  check_index(file);
  return 0;
}
