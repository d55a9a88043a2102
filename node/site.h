// Site: one [[site]] of the configuration, put together: its API and its files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/blocking_pool.h"
#include "base/budget.h"
#include "node/api/site_api.h"
#include "node/config.h"
#include "node/site_router.h"
#include "node/static/file_cache.h"
#include "node/static/static_site.h"

namespace cairn {

struct Site {
  std::unique_ptr<api::SiteApi> api;
  std::unique_ptr<site::StaticSite> files;  ///< Null without a root.
};

/// What all sites share; everything outlives them.
struct SharedBySites {
  api::ApiWorld api;
  site::FileCache& files;
  BlockingPool& file_pool;
  ByteBudget& send_buffers;
};

/// Whose accounts a site's are: its first host's.
std::string account_site_of(const SiteConfig& site);

/// One for each of config.sites, in order. Throws what StaticSite throws for a root that cannot be
/// opened.
std::vector<Site> make_sites(const Config& config, const SharedBySites& shared);

/// What the router needs to know of them.
std::vector<SiteRouter::Site> routes_of(const Config& config, const std::vector<Site>& sites);

}  // namespace cairn
