#include "node/http/answer_memory.h"

#include <utility>

namespace cairn::http {

AnswerMemory::Hold AnswerMemory::hold(const void* address, std::size_t bytes) {
  const auto known = shares_.find(address);
  if (known != shares_.end()) return known->second.lock();
  ByteBudget::Share share = budget_.take(bytes);
  if (!share) return nullptr;
  Hold hold(new ByteBudget::Share(std::move(share)),
            [this, address](const ByteBudget::Share* last) {
              shares_.erase(address);
              delete last;
            });
  shares_.emplace(address, hold);
  return hold;
}

}  // namespace cairn::http
