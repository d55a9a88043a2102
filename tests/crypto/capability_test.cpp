#include "crypto/capability.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/random.h"

namespace cairn {
namespace {

Capability some_capability() {
  SystemRandom random;
  ChainId chain;
  random.fill(chain.bytes);
  switch (*rc::gen::inRange(0, 3)) {
    case 0: return WriteCapability{chain, WriteSecret::random(random)};
    case 1: return ReadCapability{chain, ReadSecret::random(random)};
    default: return VerifyCapability{chain};
  }
}

RC_GTEST_PROP(Capability, AnyTextIsReadBack, ()) {
  const Capability capability = some_capability();
  const std::string text = capability_text(capability);
  RC_ASSERT(parse_capability(text) == capability);
  RC_ASSERT(text.size() == (std::holds_alternative<VerifyCapability>(capability) ? 58U : 100U));
}

RC_GTEST_PROP(Capability, AnyOneCharacterTypedWrongIsRefused, ()) {
  std::string text = capability_text(some_capability());
  // Behind the prefix: the two kinds with a secret differ in nothing else.
  const auto at = *rc::gen::inRange<std::size_t>(8, text.size());
  const auto put = *rc::gen::distinctFrom(text[at]);
  text[at] = put;
  RC_ASSERT(!parse_capability(text));
}

RC_GTEST_PROP(Capability, AnyTwoNeighboursSwappedAreRefused, ()) {
  std::string text = capability_text(some_capability());
  const auto at = *rc::gen::inRange<std::size_t>(8, text.size() - 1);
  RC_PRE(text[at] != text[at + 1]);
  std::swap(text[at], text[at + 1]);
  RC_ASSERT(!parse_capability(text));
}

RC_GTEST_PROP(Capability, AnyOtherTextIsRefused, (const std::string& text)) {
  RC_ASSERT(!parse_capability(text));
  RC_ASSERT(!parse_capability("cairn_w_" + text));
}

}  // namespace
}  // namespace cairn
