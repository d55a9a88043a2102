// Reads chain.json back with the product's own code.
#include <gtest/gtest.h>

#include "crypto/chain_state.h"
#include "tests/vectors/vector_file.h"

namespace cairn {
namespace {

namespace json = boost::json;

class ChainVectors : public VectorFile {
 protected:
  ChainVectors() : VectorFile(CAIRN_VECTORS_DIR "/chain.json") {}

  /// After the first `count` links.
  ChainState state_after(std::size_t count) const {
    const Bytes manifest = hex(cases("manifests").front(), "manifest");
    ChainState state = ChainState::of(parse_manifest(manifest).value(), chain_id_of(manifest));
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes raw = hex(cases("links").at(i), "link");
      const auto link = LinkView::parse(raw).value();
      EXPECT_TRUE(state.check_next(link).has_value());
      state.advance(link, link_id_of(raw));
    }
    return state;
  }

  static Result<void> judge(const ChainState& state, const Bytes& raw) {
    CAIRN_TRY(const auto link, LinkView::parse(raw));
    return state.check_next(link);
  }
};

TEST_F(ChainVectors, ManifestsAreReadAndWritten) {
  for (const json::value& one : cases("manifests")) {
    const Bytes raw = hex(one, "manifest");
    const auto manifest = parse_manifest(raw);
    ASSERT_TRUE(manifest.has_value()) << text(one, "name");
    EXPECT_EQ(manifest_bytes(manifest.value()), raw);
    EXPECT_EQ(manifest.value().reads == Reads::gated, one.at("gated").as_bool());
    EXPECT_EQ(to_hex(manifest.value().admin.bytes), text(one, "admin"));
    EXPECT_EQ(to_hex(manifest.value().access.box), text(one, "box"));
    EXPECT_EQ(to_hex(manifest.value().access.fetch_token_hash), text(one, "fetch_token_hash"));
    EXPECT_EQ(chain_id_of(raw).text(), text(one, "chain"));
  }
}

TEST_F(ChainVectors, OtherManifestsAreMalformed) {
  for (const json::value& one : cases("manifests_refused")) {
    const auto manifest = parse_manifest(hex(one, "manifest"));
    ASSERT_FALSE(manifest.has_value()) << text(one, "name");
    EXPECT_EQ(manifest.error().code, Errc::malformed);
    EXPECT_FALSE(manifest.error().detail.empty());
  }
}

TEST_F(ChainVectors, LinksFollowEachOtherAndOpen) {
  std::size_t count = 0;
  for (const json::value& one : cases("links")) {
    const ChainState state = state_after(++count);
    EXPECT_EQ(state.head.text(), text(one, "id"));
    EXPECT_EQ(state.seq, one.at("seq").to_number<std::uint64_t>());
    EXPECT_EQ(state.epoch, one.at("epoch").to_number<std::uint32_t>());
    EXPECT_EQ(state.first_kept, one.at("first_kept").to_number<std::uint64_t>());
    EXPECT_EQ(state.rotated_at, one.at("rotated_at").to_number<std::uint64_t>());
    EXPECT_EQ(state.removed, one.at("removed").as_bool());
    const Bytes raw = hex(one, "link");
    const auto key = *LinkKey::from_bytes(hex(one, "link_key"));
    EXPECT_EQ(open_payload(key, LinkView::parse(raw).value()).value(), hex(one, "payload"));
  }
}

TEST_F(ChainVectors, OtherLinksAreRefusedWithTheRightWord) {
  for (const json::value& one : cases("refused")) {
    const Bytes raw = hex(one, "link");
    const ChainState state = state_after(one.at("after").to_number<std::size_t>());
    const Result<void> verdict = judge(state, raw);
    ASSERT_FALSE(verdict.has_value()) << text(one, "name");
    EXPECT_EQ(name_of(verdict.error().code), text(one, "error")) << text(one, "name");
    EXPECT_FALSE(verdict.error().detail.empty()) << text(one, "name");
  }
}

TEST_F(ChainVectors, OtherPayloadsDoNotOpen) {
  for (const json::value& one : cases("payloads_refused")) {
    const Bytes raw = hex(one, "link");
    const auto opened =
        open_payload(*LinkKey::from_bytes(hex(one, "link_key")), LinkView::parse(raw).value());
    ASSERT_FALSE(opened.has_value()) << text(one, "name");
    EXPECT_EQ(opened.error().detail, "");
  }
}

}  // namespace
}  // namespace cairn
