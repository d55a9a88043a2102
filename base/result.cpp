#include "base/result.h"

namespace cairn {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::not_found: return "not_found";
    case Errc::corrupt: return "corrupt";
    case Errc::unavailable: return "unavailable";
    case Errc::wrong_epoch: return "wrong_epoch";
    case Errc::conflict: return "conflict";
    case Errc::overloaded: return "overloaded";
    case Errc::full: return "full";
    case Errc::malformed: return "malformed";
    case Errc::denied: return "denied";
  }
  return "unknown";
}

}  // namespace cairn
