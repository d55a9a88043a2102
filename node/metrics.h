// Snapshot -> metric families. The names are an interface: dashboards depend on them. Pure.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <vector>

#include "node/snapshot.h"

namespace cairn {

/// The families of one snapshot, in a fixed order; never a label by block, chain, account or host.
std::vector<prometheus::MetricFamily> metrics_of(const Snapshot& snapshot);

/// A Collectable over whatever takes snapshots; the hot paths never meet prometheus-cpp's locks.
class NodeMetrics final : public prometheus::Collectable {
 public:
  explicit NodeMetrics(std::function<Snapshot()> take) : take_(std::move(take)) {}
  std::vector<prometheus::MetricFamily> Collect() const override { return metrics_of(take_()); }

 private:
  std::function<Snapshot()> take_;
};

}  // namespace cairn
