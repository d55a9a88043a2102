#include <gtest/gtest.h>

#include <random>

#include "crypto/hash.h"
#include "storage/index_entry.h"
#include "storage/index_key.h"
#include "storage/store_identity.h"
#include "storage/value_record.h"

namespace cairn {
namespace {

BlockId id_of(std::uint8_t fill) {
  BlockId id;
  id.bytes.fill(fill);
  return id;
}

TEST(IndexKey, OrdersBySlotThenId) {
  const IndexKey first(Slot{1}, id_of(0xFF));
  const IndexKey second(Slot{256}, id_of(0));
  const IndexKey third(Slot{256}, id_of(1));
  EXPECT_LT(first.view(), second.view());
  EXPECT_LT(second.view(), third.view());
}

TEST(IndexKey, ReadsBackSlotAndId) {
  const IndexKey key(Slot{5039}, id_of(0xAB));
  const auto back = IndexKey::from(key.view());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->slot(), Slot{5039});
  EXPECT_EQ(back->id(), id_of(0xAB));
}

TEST(IndexKey, OtherBytesAreRefused) {
  const IndexKey beyond(Slot{5040}, id_of(1));
  EXPECT_FALSE(IndexKey::from(beyond.view()).has_value());
  const IndexKey key(Slot{1}, id_of(1));
  EXPECT_FALSE(IndexKey::from(key.view().substr(1)).has_value());
  std::string longer(key.view());
  longer.push_back('x');
  EXPECT_FALSE(IndexKey::from(longer).has_value());
}

TEST(IndexEntry, EachPlaceReadsBack) {
  const std::string body = "body in the index";
  for (const Place place : {Place::index, Place::blob, Place::log}) {
    IndexEntry entry;
    entry.place = place;
    entry.size_bytes = static_cast<std::uint32_t>(body.size());
    entry.stored_at = static_cast<WallTime>(1'700'000'000'123);
    entry.position = LogPosition{7, 1ULL << 40};
    entry.body = body;
    std::string bytes;
    entry.encode(bytes);
    const auto back = IndexEntry::decode(bytes);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->place, place);
    EXPECT_EQ(back->size_bytes, body.size());
    EXPECT_EQ(back->stored_at, entry.stored_at);
    EXPECT_EQ(back->body, place == Place::index ? body : "");
    EXPECT_EQ(back->position, place == Place::log ? entry.position : LogPosition());
    // Every other length is refused.
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(IndexEntry::decode(std::string_view(bytes).substr(0, size)).has_value());
    }
    EXPECT_FALSE(IndexEntry::decode(bytes + "x").has_value());
  }
}

TEST(IndexEntry, UnknownPlaceAndImpossibleSizeAreRefused) {
  IndexEntry entry;
  entry.place = Place::blob;
  entry.size_bytes = 100;
  std::string bytes;
  entry.encode(bytes);
  ASSERT_TRUE(IndexEntry::decode(bytes).has_value());
  std::string other = bytes;
  other[0] = 9;
  EXPECT_FALSE(IndexEntry::decode(other).has_value());
  other = bytes;
  other[4] = 127;
  EXPECT_FALSE(IndexEntry::decode(other).has_value());
}

TEST(IndexEntry, PlaceFollowsSize) {
  EXPECT_EQ(place_for(1), Place::index);
  EXPECT_EQ(place_for(kMaxIndexBodyBytes), Place::index);
  EXPECT_EQ(place_for(kMaxIndexBodyBytes + 1), Place::blob);
  EXPECT_EQ(place_for(kMinLogBodyBytes - 1), Place::blob);
  EXPECT_EQ(place_for(kMinLogBodyBytes), Place::log);
}

TEST(ValueRecord, ReadsBackOnlyUnchangedAndInItsPlace) {
  const StoreIdentity::StoreId store{1, 2, 3};
  const ValueRecord record{id_of(9), LogPosition{3, 8192}, 70'000,
                           static_cast<WallTime>(1'700'000'000'123)};
  const RecordHeader header = encode_record_header(record, store);
  const auto back = decode_record_header(header, record.position, store);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->id, record.id);
  EXPECT_EQ(back->size_bytes, record.size_bytes);
  EXPECT_EQ(back->stored_at, record.stored_at);
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    RecordHeader flipped = header;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(decode_record_header(flipped, record.position, store).has_value()) << bit;
  }
  EXPECT_FALSE(decode_record_header(header, LogPosition{3, 4096}, store).has_value());
  EXPECT_FALSE(decode_record_header(header, LogPosition{4, 8192}, store).has_value());
  EXPECT_FALSE(decode_record_header(header, record.position, {9}).has_value());
  EXPECT_FALSE(
      decode_record_header(ByteView(header).first(79), record.position, store).has_value());
}

TEST(ValueRecord, ExtentIsWholePages) {
  EXPECT_EQ(record_extent_bytes(1), 4096U);
  EXPECT_EQ(record_extent_bytes(4096 - kRecordHeaderBytes), 4096U);
  EXPECT_EQ(record_extent_bytes(4096 - kRecordHeaderBytes + 1), 8192U);
}

TEST(ValueRecord, SegmentHeaderNamesStoreAndSegment) {
  const StoreIdentity::StoreId store{1, 2, 3};
  const SegmentHeader header = encode_segment_header(5, store);
  EXPECT_TRUE(check_segment_header(header, 5, store).has_value());
  EXPECT_EQ(check_segment_header(header, 6, store).error().code, Errc::corrupt);
  EXPECT_EQ(check_segment_header(header, 5, {7}).error().code, Errc::corrupt);
  EXPECT_EQ(check_segment_header(ByteView(header).first(47), 5, store).error().code, Errc::corrupt);
  for (std::size_t bit = 0; bit < std::size_t{48} * 8; ++bit) {
    SegmentHeader flipped = header;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_EQ(check_segment_header(flipped, 5, store).error().code, Errc::corrupt) << bit;
  }
}

TEST(StoreIdentity, TextReadsBack) {
  StoreIdentity identity;
  identity.store_id = {1, 2, 3};
  identity.node_name = "node = one";
  identity.placement_seed = 0xFFFF'FFFF'FFFF'FFFF;
  const auto back = StoreIdentity::from_text(identity.text());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back.value().store_id, identity.store_id);
  EXPECT_EQ(back.value().node_name, identity.node_name);
  EXPECT_EQ(back.value().placement_seed, identity.placement_seed);
}

TEST(StoreIdentity, DamagedTextIsMalformed) {
  StoreIdentity identity;
  const std::string text = identity.text();
  std::vector<std::string> damaged{text, text};
  damaged[0].resize(20);
  damaged[1].insert(0, "x");
  for (const char* whole : {"", "format = 0\n", "format = 1\nstore_id = 00\n", "format = 1 1\n"}) {
    damaged.emplace_back(whole);
  }
  damaged.push_back(text);
  damaged.back().append("what is this\n");
  for (const std::string& bad : damaged) {
    const auto parsed = StoreIdentity::from_text(bad);
    ASSERT_TRUE(parsed.has_error()) << bad;
    EXPECT_EQ(parsed.error().code, Errc::malformed) << bad;
  }
}

}  // namespace
}  // namespace cairn
