#include "node/site.h"

#include "base/bytes.h"
#include "crypto/hash.h"

namespace cairn {
namespace {

api::WritePolicy write_policy_of(const std::string& word) {
  if (word == "nobody") return api::WritePolicy::nobody;
  if (word == "accounts") return api::WritePolicy::accounts;
  return api::WritePolicy::anyone;
}

api::SignUpPolicy sign_up_policy_of(const std::string& word) {
  if (word == "invite") return api::SignUpPolicy::invite;
  if (word == "closed") return api::SignUpPolicy::closed;
  return api::SignUpPolicy::open;
}

api::ApiOptions api_options(const Config& config, const SiteConfig& site) {
  api::ApiOptions options;
  options.write = write_policy_of(site.write);
  options.sign_up = sign_up_policy_of(site.signup);
  options.account_site = account_site_of(site);
  options.cors_origins = site.cors;
  options.block_bytes = config.limits.block_bytes;
  options.deadline = std::chrono::milliseconds(config.limits.request_timeout_ms);
  return options;
}

/// Half a SHA-256: the same file has the same tag on every node, and no two files share one.
std::string content_tag(ByteView bytes) {
  constexpr std::size_t kTagBytes = 16;
  return to_hex(ByteView(sha256_of(bytes)).first(kTagBytes));
}

site::StaticSiteOptions static_options(const Config& config, const SiteConfig& site) {
  site::StaticSiteOptions options;
  options.root = site.root;
  options.index = site.index;
  options.spa = site.spa;
  options.headers = site.headers;
  options.content_hash = content_tag;
  options.deadline = std::chrono::milliseconds(config.limits.request_timeout_ms);
  return options;
}

}  // namespace

std::string account_site_of(const SiteConfig& site) {
  return site.hosts.empty() ? "*" : site.hosts.front();
}

std::vector<Site> make_sites(const Config& config, const SharedBySites& shared) {
  std::vector<Site> out;
  for (const SiteConfig& site : config.sites) {
    Site made;
    made.api = std::make_unique<api::SiteApi>(shared.api, api_options(config, site));
    if (!site.root.empty()) {
      made.files =
          std::make_unique<site::StaticSite>(shared.files, shared.file_pool, shared.send_buffers,
                                             shared.api.clock, static_options(config, site));
    }
    out.push_back(std::move(made));
  }
  return out;
}

std::vector<SiteRouter::Site> routes_of(const Config& config, const std::vector<Site>& sites) {
  std::vector<SiteRouter::Site> out;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    out.push_back({config.sites[i].hosts, sites[i].api.get(), sites[i].files.get()});
  }
  return out;
}

}  // namespace cairn
