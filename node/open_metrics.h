// OpenMetrics 1.0 text from prometheus-cpp's families; its own serializer writes the older format
// alone. Pure.
#pragma once

#include <prometheus/metric_family.h>
#include <prometheus/serializer.h>

#include <iosfwd>
#include <vector>

namespace cairn {

inline constexpr const char* kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
inline constexpr const char* kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

class OpenMetricsSerializer final : public prometheus::Serializer {
 public:
  using prometheus::Serializer::Serialize;
  /// A counter's family must be named with its _total, as in the older format.
  void Serialize(std::ostream& out,
                 const std::vector<prometheus::MetricFamily>& families) const override;
};

}  // namespace cairn
