#include "node/http/response.h"

#include <gtest/gtest.h>

namespace cairn::http {
namespace {

Block make_block(std::string_view text) {
  return Block::copy_of(BlockId{}, as_bytes(text));
}

TEST(Piece, LargeSliceOfBlockSharesItsBytes) {
  const Block block = make_block(std::string(100'000, 'b'));
  const Piece whole = Piece::of_block(block, block.bytes());
  const Piece part = whole.slice(3, 50'000);
  EXPECT_EQ(part.bytes().data(), block.bytes().data() + 3);
  EXPECT_EQ(part.bytes().size(), 50'000U);
  EXPECT_EQ(part.owner(), whole.owner());
  EXPECT_EQ(part.kept_bytes(), 100'000U);
}

TEST(Piece, SmallSliceOfBlockKeepsNothingOfIt) {
  const Block block = make_block(std::string(100'000, 'b'));
  const Piece part = Piece::of_block(block, block.bytes()).slice(3, 2049);
  EXPECT_EQ(part.bytes().size(), 2049U);
  EXPECT_EQ(part.owner(), nullptr);
  EXPECT_EQ(part.kept_bytes(), 2049U);
}

TEST(Piece, SliceOfSharedOutlivesTheWhole) {
  std::optional<Piece> part;
  {
    auto owner = std::make_shared<const std::string>("0123456789");
    part = Piece::shared(owner, as_bytes(*owner), owner->size()).slice(8, 2);
  }
  EXPECT_EQ(as_text(part->bytes()), "89");
}

TEST(Piece, SliceOfTextOutlivesTheWhole) {
  std::optional<Piece> part = Piece::text("short").slice(1, 3);
  EXPECT_EQ(as_text(part->bytes()), "hor");
  const Piece moved = std::move(*part);
  EXPECT_EQ(as_text(moved.bytes()), "hor");
}

TEST(Response, ClearGivesAnEmpty200) {
  Response response;
  response.set_text(404, "text/plain", "gone");
  response.close = true;
  response.head_length = 4;
  response.answered_by = "static";
  response.clear();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.fields.text(), "");
  EXPECT_TRUE(response.pieces.empty());
  EXPECT_FALSE(response.close);
  EXPECT_FALSE(response.head_length);
  EXPECT_EQ(response.answered_by, "");
}

TEST(Response, PiecesBytesIsTheirSum) {
  Response response;
  EXPECT_EQ(response.pieces_bytes(), 0U);
  response.pieces.push_back(Piece::text("abc"));
  const Block block = make_block("defgh");
  response.pieces.push_back(Piece::of_block(block, block.bytes()));
  EXPECT_EQ(response.pieces_bytes(), 8U);
}

TEST(Response, ReasonPhraseOfKnownStatusOnly) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(507), "Insufficient Storage");
  EXPECT_EQ(reason_phrase(299), "");
}

}  // namespace
}  // namespace cairn::http
