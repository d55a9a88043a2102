#include "base/block_store.h"

namespace cairn {

std::string_view name_of(Source source) {
  switch (source) {
    case Source::memory: return "memory";
    case Source::disk: return "disk";
    case Source::storage: return "storage";
    case Source::peer: return "peer";
  }
  return "unknown";
}

}  // namespace cairn
