// CAR files and the index in them: what is written is read, what is not well-formed is refused with
// the place, however the file is cut.
#include "node/cli/car.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "base/limits.h"
#include "crypto/hash.h"
#include "node/cli/car_file.h"
#include "node/cli/chain_index.h"
#include "tests/fakes/temporary_directory.h"

namespace cairn::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Step = CarReader::Step;

Bytes bytes_of(std::string_view text) {
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

void append(Bytes& out, ByteView more) {
  out.insert(out.end(), more.begin(), more.end());
}

Bytes section(ByteView block) {
  Bytes out = car_section_head(block_id_of(block), block.size());
  append(out, block);
  return out;
}

/// A file with these blocks, of which the first is the root.
Bytes car_of(const std::vector<Bytes>& blocks) {
  Bytes out = car_header(block_id_of(blocks.front()));
  for (const Bytes& block : blocks) append(out, section(block));
  return out;
}

struct Outcome {
  std::vector<Bytes> blocks;
  std::optional<Error> error;
  BlockId root{};
};

Outcome read_in_pieces(ByteView file, std::size_t piece) {
  Outcome out;
  CarReader reader;
  while (!file.empty()) {
    ByteView input = file.first(std::min(piece, file.size()));
    file = file.subspan(input.size());
    for (;;) {
      const auto step = reader.next(input);
      if (!step) {
        out.error = step.error();
        return out;
      }
      if (step.value() == Step::need_more) break;
      if (step.value() == Step::header) out.root = reader.root();
      if (step.value() == Step::begin) out.blocks.emplace_back();
      if (step.value() == Step::part) append(out.blocks.back(), reader.part());
    }
  }
  if (const auto end = reader.finish(); !end) out.error = end.error();
  return out;
}

/// Refused in the same words however it is cut.
std::string refusal(const Bytes& file) {
  const Outcome whole = read_in_pieces(file, file.size() + 1);
  const Outcome single = read_in_pieces(file, 1);
  EXPECT_EQ(whole.error.has_value(), single.error.has_value());
  if (!whole.error || !single.error) return {};
  EXPECT_EQ(whole.error->detail, single.error->detail);
  return whole.error->detail;
}

TEST(CarReader, BlocksComeBackHoweverTheFileIsCut) {
  const std::vector<Bytes> blocks{bytes_of("root"), Bytes(300, 7), bytes_of("x")};
  const Bytes file = car_of(blocks);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, file.size()}) {
    const Outcome outcome = read_in_pieces(file, piece);
    EXPECT_FALSE(outcome.error) << outcome.error->detail;
    EXPECT_EQ(outcome.blocks, blocks);
    EXPECT_EQ(outcome.root, block_id_of(blocks.front()));
  }
}

TEST(CarReader, HeaderIsTheOneOfTheSpecification) {
  // A map of two: "roots", a list of one CID under tag 42 (with its leading zero); "version", 1.
  const Bytes header = car_header(block_id_of(bytes_of("root")));
  EXPECT_EQ(header.size(), 1U + 58U);
  EXPECT_EQ(to_hex(ByteView(header).first(20)),
            "3aa265726f6f747381d82a5825000155"
            "1220"
            "4813");
  EXPECT_EQ(to_hex(ByteView(header).last(9)), "6776657273696f6e01");
}

TEST(CarReader, EveryCutIsRefused) {
  const Bytes file = car_of({bytes_of("root"), bytes_of("second")});
  const std::size_t whole_section = car_of({bytes_of("root")}).size();
  const std::size_t header = car_header(BlockId{}).size();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    const bool at_boundary = size == header || size == whole_section;
    EXPECT_EQ(read_in_pieces(cut, 64).error.has_value(), !at_boundary) << size;
  }
  EXPECT_THAT(refusal({}), HasSubstr("empty"));
}

TEST(CarReader, EveryFlippedBitOfABlockIsRefused) {
  const Bytes file = car_of({bytes_of("root"), bytes_of("second")});
  for (std::size_t at = 0; at < file.size(); ++at) {
    Bytes changed = file;
    changed[at] ^= 1;
    const Outcome outcome = read_in_pieces(changed, 64);
    // The root's digest in the header is no block's: what it names is looked up later.
    const bool root_digest = at >= 1 + 13 + 4 && at < 1 + 13 + kCidBytes;
    EXPECT_EQ(outcome.error.has_value(), !root_digest) << at;
  }
}

TEST(CarReader, WhatTheFormatDoesNotAllowIsRefusedInWords) {
  const Bytes good = car_of({bytes_of("root")});
  const auto with_tail = [&good](const Bytes& tail) {
    Bytes out = good;
    append(out, tail);
    return out;
  };
  EXPECT_THAT(refusal(with_tail(Bytes(10, 0xFF))), HasSubstr("no varint"));
  EXPECT_THAT(refusal(with_tail({0x80, 0x00})), HasSubstr("shortest form"));
  EXPECT_THAT(refusal(with_tail({0x00})), HasSubstr("without a block"));
  EXPECT_THAT(refusal(with_tail({36})), HasSubstr("without a block"));
  EXPECT_THAT(refusal(with_tail(car_section_head(BlockId{}, kMaxBlockBytes + 1))),
              HasSubstr("over 16 MiB"));
  EXPECT_THAT(refusal(with_tail(
                  car_section_head(BlockId{}, std::numeric_limits<std::uint64_t>::max() / 4))),
              HasSubstr("over 16 MiB"));
  Bytes dag_cbor = section(bytes_of("second"));
  dag_cbor[2] = 0x71;
  EXPECT_THAT(refusal(with_tail(dag_cbor)), HasSubstr("raw codec"));
  Bytes version_zero{34 + 1, 0x12, 0x20};
  version_zero.resize(36, 0);
  EXPECT_THAT(refusal(with_tail(version_zero)), Not(HasSubstr("other bytes")));
  EXPECT_THAT(refusal(with_tail(version_zero)), HasSubstr("byte "));
}

TEST(CarReader, OtherHeadersAreRefusedInWords) {
  EXPECT_THAT(refusal({0x0a, 0xa1, 0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 0x02}),
              HasSubstr("version 2"));
  EXPECT_THAT(refusal({0x00}), HasSubstr("0 bytes"));
  EXPECT_THAT(refusal({0xff, 0xff, 0xff, 0xff, 0x0f}), HasSubstr("its header would have"));
  EXPECT_THAT(refusal(bytes_of("\x10not a car at all, but text")), HasSubstr("one root"));
  Bytes other_codec = car_of({bytes_of("root")});
  other_codec[1 + 13 + 1] = 0x71;
  EXPECT_THAT(refusal(other_codec), HasSubstr("root"));
}

TEST(CarFile, BlocksAreFoundByIdAndWhatIsNotThereIsNot) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() / "file.car";
  const std::vector<Bytes> blocks{bytes_of("root"), bytes_of("x"), bytes_of("x"), Bytes(600'000, 3),
                                  bytes_of("z")};
  const Bytes file = car_of(blocks);
  std::ofstream(path, std::ios::binary) << as_text(file);
  CarFile car;
  ASSERT_TRUE(car.open(path));
  std::uint64_t moved = 0;
  ASSERT_TRUE(car.scan([&moved](std::uint64_t bytes) { moved += bytes; }));
  EXPECT_EQ(moved, 600'007U);
  for (const Bytes& block : blocks) EXPECT_EQ(car.read(block_id_of(block)).value(), block);
  EXPECT_EQ(car.read(block_id_of(bytes_of("y"))).error().code, Errc::not_found);
  std::ofstream(path, std::ios::binary | std::ios::in)
          .seekp(static_cast<std::streamoff>(file.size()) - 1)
      << 'y';
  EXPECT_EQ(car.read(block_id_of(bytes_of("z"))).error().code, Errc::corrupt);
}

TEST(CarFile, DirectoriesAndWhatIsNotThereAreRefused) {
  const TemporaryDirectory directory;
  CarFile car;
  EXPECT_EQ(car.open(directory.path()).error().code, Errc::not_found);
  CarFile absent;
  EXPECT_THAT(absent.open(directory.path() / "absent").error().detail, HasSubstr("No such file"));
}

TEST(ChainIndex, ComesBackAndContradictionsAreRefused) {
  ChainIndex index;
  index.chain.bytes[0] = 1;
  index.first_seq = 5;
  index.links = kLinksPerPage + 1;
  index.rotate = LinkId{};
  index.rotate->bytes[3] = 9;
  index.pages.resize(2);
  const Bytes bytes = chain_index_bytes(index);
  EXPECT_EQ(parse_chain_index(bytes).value(), index);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_chain_index(ByteView(bytes).first(size))) << size;
  }
  ChainIndex wrong = index;
  wrong.links = 2 * kLinksPerPage + 1;
  EXPECT_FALSE(parse_chain_index(chain_index_bytes(wrong)));
  wrong = index;
  wrong.first_seq = 0;
  EXPECT_FALSE(parse_chain_index(chain_index_bytes(wrong)));
  wrong.first_seq = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(parse_chain_index(chain_index_bytes(wrong)));
  wrong.first_seq = 1;
  EXPECT_FALSE(parse_chain_index(chain_index_bytes(wrong))) << "a rotate link before the first";
  EXPECT_EQ(parse_chain_index(chain_index_bytes(ChainIndex{})).value(), ChainIndex{});
}

TEST(ChainIndex, PagesComeBack) {
  const std::vector<LinkId> links(3, LinkId{});
  const Bytes page = index_page_bytes(links);
  EXPECT_EQ(parse_index_page(page).value(), links);
  for (std::size_t size = 0; size < page.size(); ++size) {
    if (size == 4 + 32 || size == 4 + 64) continue;
    EXPECT_FALSE(parse_index_page(ByteView(page).first(size))) << size;
  }
  EXPECT_FALSE(parse_index_page(index_page_bytes(std::vector<LinkId>(kLinksPerPage + 1))));
  EXPECT_LE(index_page_bytes(std::vector<LinkId>(kLinksPerPage)).size(), kDefaultBlockBytes);
}

}  // namespace
}  // namespace cairn::cli
