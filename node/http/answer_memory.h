// AnswerMemory: what answers keep in memory while their clients are slow to take them, held to a
// budget. One a core, used by its thread only; all cores share the budget. Answers that are sent at
// once never meet it.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "base/budget.h"

namespace cairn::http {

class AnswerMemory {
 public:
  /// A share of the budget, common to all answers of this core that keep the same thing alive.
  /// Neither outlives the AnswerMemory nor the thing.
  using Hold = std::shared_ptr<const ByteBudget::Share>;

  explicit AnswerMemory(ByteBudget& budget) : budget_(budget) {}
  AnswerMemory(const AnswerMemory&) = delete;
  AnswerMemory& operator=(const AnswerMemory&) = delete;

  /// Accounts for the `bytes` of the thing at `address` while a Hold of it lives. Null when the
  /// budget has no room.
  Hold hold(const void* address, std::size_t bytes);

 private:
  ByteBudget& budget_;
  std::unordered_map<const void*, std::weak_ptr<const ByteBudget::Share>> shares_;
};

}  // namespace cairn::http
