// AccountAdmin: what the operator asks and changes of accounts, below /admin/v1/accounts and
// /admin/v1/invites. A part of the operator's listener, on its core.
#pragma once

#include <string>
#include <string_view>

#include "base/account_store.h"
#include "base/clock.h"
#include "base/random.h"
#include "node/http/request.h"
#include "node/http/response.h"

namespace cairn {

class AccountAdmin {
 public:
  /// All of it outlives this.
  AccountAdmin(AccountStore& accounts, const Clock& clock, Random& random)
      : accounts_(accounts), clock_(clock), random_(random) {}

  static bool is_for(std::string_view path) {
    return path == "/admin/v1/invites" || path == "/admin/v1/accounts" ||
           path.starts_with("/admin/v1/accounts/");
  }

  /// Answers; `path` is one that is_for() takes. The query names the site (`site=`, default "*").
  Task<void> handle(const http::Request& request, http::Response& response);

 private:
  Task<void> list(std::string site, std::string after, http::Response& response);
  Task<void> show(AccountName name, http::Response& response);
  Task<void> set_blocked(AccountName name, bool blocked, http::Response& response);
  Task<void> invite(std::string site, http::Response& response);
  Deadline deadline() const { return clock_.in(std::chrono::seconds(10)); }

  AccountStore& accounts_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace cairn
