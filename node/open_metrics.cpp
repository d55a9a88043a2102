#include "node/open_metrics.h"

#include <charconv>
#include <cmath>
#include <ostream>
#include <string>
#include <string_view>

namespace cairn {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  char text[40];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  return {text, end};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::Counter: return "counter";
    case MetricType::Gauge: return "gauge";
    case MetricType::Histogram: return "histogram";
    case MetricType::Summary: return "summary";
    case MetricType::Untyped: break;
  }
  return "unknown";
}

void write_sample(std::ostream& out, const std::string& name, const ClientMetric& metric,
                  double value, const std::string& bound = {}) {
  out << name;
  std::string labels;
  for (const auto& label : metric.label) {
    labels += (labels.empty() ? "" : ",") + label.name + "=\"" + escaped(label.value) + "\"";
  }
  if (!bound.empty()) labels += (labels.empty() ? "le=\"" : ",le=\"") + bound + "\"";
  if (!labels.empty()) out << '{' << labels << '}';
  out << ' ' << number_text(value) << '\n';
}

void write_histogram(std::ostream& out, const std::string& name, const ClientMetric& metric) {
  for (const auto& bucket : metric.histogram.bucket) {
    write_sample(out, name + "_bucket", metric, static_cast<double>(bucket.cumulative_count),
                 number_text(bucket.upper_bound));
  }
  write_sample(out, name + "_count", metric, static_cast<double>(metric.histogram.sample_count));
  write_sample(out, name + "_sum", metric, metric.histogram.sample_sum);
}

}  // namespace

void OpenMetricsSerializer::Serialize(std::ostream& out,
                                      const std::vector<MetricFamily>& families) const {
  for (const MetricFamily& family : families) {
    std::string name = family.name;
    if (family.type == MetricType::Counter && name.ends_with("_total")) {
      name.resize(name.size() - std::string_view("_total").size());
    }
    out << "# TYPE " << name << ' ' << type_name(family.type) << '\n';
    out << "# HELP " << name << ' ' << escaped(family.help) << '\n';
    for (const ClientMetric& metric : family.metric) {
      switch (family.type) {
        case MetricType::Counter:
          write_sample(out, name + "_total", metric, metric.counter.value);
          break;
        case MetricType::Histogram: write_histogram(out, name, metric); break;
        case MetricType::Gauge: write_sample(out, name, metric, metric.gauge.value); break;
        default: write_sample(out, name, metric, metric.untyped.value); break;
      }
    }
  }
  out << "# EOF\n";
}

}  // namespace cairn
