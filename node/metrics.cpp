#include "node/metrics.h"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "node/build_info.h"

namespace cairn {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// One series: the value of its one label, and its own.
using Series = std::pair<const char*, double>;

class Families {
 public:
  std::vector<MetricFamily> take() { return std::move(out_); }

  void counter(const char* name, const char* help, std::uint64_t value) {
    ClientMetric metric;
    metric.counter.value = static_cast<double>(value);
    add(name, help, MetricType::Counter).metric.push_back(std::move(metric));
  }

  void counter_seconds(const char* name, const char* help, double value) {
    ClientMetric metric;
    metric.counter.value = value;
    add(name, help, MetricType::Counter).metric.push_back(std::move(metric));
  }

  void counters(const char* name, const char* help, const char* label,
                const std::vector<Series>& series) {
    MetricFamily& family = add(name, help, MetricType::Counter);
    for (const auto& [which, value] : series) {
      ClientMetric metric;
      metric.label.push_back({label, which});
      metric.counter.value = value;
      family.metric.push_back(std::move(metric));
    }
  }

  void gauge(const char* name, const char* help, double value) {
    ClientMetric metric;
    metric.gauge.value = value;
    add(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
  }
  void gauge(const char* name, const char* help, std::uint64_t value) {
    gauge(name, help, static_cast<double>(value));
  }

  void labelled_gauge(const char* name, const char* help, std::vector<ClientMetric::Label> labels) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = 1;
    add(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
  }

  void block_latency(const char* source, const SourceMeter::Figures& figures) {
    constexpr const char* kName = "cairn_block_request_seconds";
    if (out_.empty() || out_.back().name != kName) {
      add(kName, "Time until a block was found, of one request in 16.", MetricType::Histogram);
    }
    ClientMetric metric;
    metric.label.push_back({"source", source});
    std::uint64_t count = 0;
    double sum = 0;
    for (std::size_t i = 0; i < figures.latency.size(); ++i) {
      count += figures.latency[i];
      const bool last = i == SourceMeter::kBoundsUs.size();
      const double bound_us = SourceMeter::kBoundsUs[last ? i - 1 : i];
      // Times are not summed on the hot path: each counts as its bucket's bound.
      sum += static_cast<double>(figures.latency[i]) * bound_us / 1e6;
      metric.histogram.bucket.push_back(
          {count, last ? std::numeric_limits<double>::infinity() : bound_us / 1e6});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = sum;
    out_.back().metric.push_back(std::move(metric));
  }

  void latency(const char* name, const char* help, const http::CountersSnapshot& http) {
    ClientMetric metric;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < http.latency.size(); ++i) {
      count += http.latency[i];
      const double bound = i < http::kLatencyBoundsUs.size()
                               ? static_cast<double>(http::kLatencyBoundsUs[i]) / 1e6
                               : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({count, bound});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = static_cast<double>(http.latency_sum_us) / 1e6;
    add(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
  }

 private:
  MetricFamily& add(const char* name, const char* help, MetricType type) {
    out_.push_back({name, help, type, {}});
    return out_.back();
  }

  std::vector<MetricFamily> out_;
};

double as_double(std::uint64_t value) {
  return static_cast<double>(value);
}

void add_http(Families& out, const Snapshot& s) {
  const http::CountersSnapshot& http = s.http;
  out.counters("cairn_http_requests_total", "Answered requests by class of status.", "status",
               {{"1xx", as_double(http.by_class[1])},
                {"2xx", as_double(http.by_class[2])},
                {"3xx", as_double(http.by_class[3])},
                {"4xx", as_double(http.by_class[4])},
                {"5xx", as_double(http.by_class[5])}});
  out.latency("cairn_http_request_seconds", "Time from a complete head to the answer's last byte.",
              http);
  out.counter("cairn_http_refused_heads_total", "Requests that the strict gate refused.",
              http.refused_heads);
  out.counter("cairn_http_timeouts_total", "Connections ended by a time limit.", http.timeouts);
  out.counter("cairn_http_aborted_total", "Answers cut off before their end.", http.aborted);
  out.counter("cairn_http_received_bytes_total", "Bytes read from clients.", http.bytes_in);
  out.counter("cairn_http_sent_bytes_total", "Bytes written to clients.", http.bytes_out);
  out.counter("cairn_http_accepted_connections_total", "Connections accepted.", http.accepted);
  out.counter("cairn_http_refused_connections_total", "Connections turned away by a limit.",
              http.refused_connections);
  out.counter("cairn_http_idle_closed_total", "Idle connections closed to make room for new ones.",
              http.idle_closed);
  out.gauge("cairn_http_connections", "Connections open now.", http.active);
  out.gauge("cairn_http_upload_memory_bytes", "Request bodies in memory.", s.upload_used_bytes);
  out.gauge("cairn_http_upload_memory_limit_bytes", "Most memory for request bodies.",
            s.upload_limit_bytes);
  out.gauge("cairn_http_answer_memory_bytes", "Answers that wait for slow clients.",
            s.answer_used_bytes);
  out.gauge("cairn_http_answer_memory_limit_bytes", "Most memory for answers that wait.",
            s.answer_limit_bytes);
  out.gauge("cairn_static_cache_used_bytes", "Static files in memory.", s.file_cache_used_bytes);
  out.gauge("cairn_static_cache_limit_bytes", "Most memory for static files.",
            s.file_cache_limit_bytes);
  out.gauge("cairn_static_send_memory_bytes", "Large files on their way to clients.",
            s.send_used_bytes);
  out.counter("cairn_access_log_lines_total", "Lines written to the access log.", s.access_lines);
  out.counter("cairn_access_log_dropped_total", "Lines that the access log could not take.",
              s.access_lines_dropped);
}

void add_sources(Families& out, const SourceMeter::Snapshot& sources) {
  constexpr std::array kSourceList{Source::memory, Source::disk, Source::storage, Source::peer};
  std::vector<Series> requests;
  std::vector<Series> bytes;
  for (const Source source : kSourceList) {
    const SourceMeter::Figures& figures = sources[static_cast<std::size_t>(source)];
    requests.emplace_back(name_of(source).data(), as_double(figures.requests));
    bytes.emplace_back(name_of(source).data(), as_double(figures.bytes));
  }
  out.counters("cairn_block_requests_total", "Blocks answered by the tier that had them.", "source",
               requests);
  out.counters("cairn_block_bytes_total", "Bytes of these blocks.", "source", bytes);
  for (const Source source : kSourceList) {
    out.block_latency(name_of(source).data(), sources[static_cast<std::size_t>(source)]);
  }
}

void add_cache(Families& out, const CacheStats& cache) {
  out.counters("cairn_cache_requests_total", "Questions to the memory tier by result.", "result",
               {{"hit", as_double(cache.hits)}, {"miss", as_double(cache.misses)}});
  out.counter("cairn_cache_hit_bytes_total", "Block bytes served from memory.", cache.hit_bytes);
  out.counter("cairn_cache_coalesced_total", "Misses that waited for another's fetch.",
              cache.coalesced);
  out.counter("cairn_cache_waiters_refused_total", "Questions refused: too many waited.",
              cache.waiters_refused);
  out.counter("cairn_cache_inserts_total", "Blocks taken into memory.", cache.inserts);
  out.counter("cairn_cache_evictions_total", "Blocks evicted.", cache.evictions);
  out.counter("cairn_cache_evicted_unread_total", "Blocks evicted without a hit.",
              cache.evicted_unread);
  out.counter_seconds("cairn_cache_evicted_age_seconds_total", "Sum of the evicted blocks' ages.",
                      as_double(cache.evicted_age_ms_total) / 1e3);
  out.counter("cairn_cache_not_admitted_total", "Blocks not taken into memory.", cache.refused);
  out.gauge("cairn_cache_blocks", "Blocks in memory.", std::uint64_t{cache.objects});
  out.gauge("cairn_cache_used_bytes", "Memory of the tier, overhead counted.",
            std::uint64_t{cache.used_bytes});
  out.gauge("cairn_cache_overhead_bytes", "Memory of the tier beside the blocks.",
            std::uint64_t{cache.overhead_bytes});
  out.gauge("cairn_cache_budget_bytes", "Memory that the tier may take.",
            std::uint64_t{cache.budget_bytes});
}

void add_store(Families& out, const StorageStats& store) {
  out.gauge("cairn_store_blocks", "Blocks held (estimated).", store.blocks);
  out.counter("cairn_store_written_blocks_total", "Puts and erases written.", store.written_blocks);
  out.counter("cairn_store_written_bytes_total", "Bytes of blocks written.", store.written_bytes);
  out.counter("cairn_store_batches_total", "Synced write batches.", store.write_batches);
  out.counter("cairn_store_failed_batches_total", "Write batches that failed.",
              store.failed_batches);
  out.counter_seconds("cairn_store_write_busy_seconds_total", "Time spent in write batches.",
                      as_double(store.write_busy_ns) / 1e9);
  out.gauge("cairn_store_waiting_writes", "Writes that wait for a batch.",
            std::uint64_t{store.waiting_writes});
  out.gauge("cairn_store_waiting_write_bytes", "Bytes of writes that wait.",
            std::uint64_t{store.waiting_write_bytes});
  out.gauge("cairn_store_waiting_reads", "Reads that wait for a thread.",
            std::uint64_t{store.waiting_reads});
  out.counters(
      "cairn_store_reads_total", "Look-ups by way.", "way",
      {{"at_once", as_double(store.reads_at_once)}, {"waited", as_double(store.reads_waited)}});
  out.counter("cairn_store_touches_total", "Puts of blocks that were held.", store.touches);
  out.counter("cairn_store_erased_total", "Blocks erased.", store.erased);
  out.counter("cairn_store_corrupt_reads_total", "Reads of bytes that did not match their id.",
              store.corrupt_reads);
  out.counter("cairn_store_released_bytes_total", "Bytes given back to the file system.",
              store.released_bytes);
  out.gauge("cairn_store_table_bytes", "RocksDB's live table files.", store.table_bytes);
  out.gauge("cairn_store_blob_bytes", "RocksDB's live blob files.", store.blob_bytes);
  out.gauge("cairn_store_memtable_bytes", "RocksDB's memtables.", store.memtable_bytes);
  out.gauge("cairn_store_cache_used_bytes", "RocksDB's block cache.", store.cache_used_bytes);
  out.gauge("cairn_store_pending_compaction_bytes", "Bytes that compaction has before it.",
            store.pending_compaction_bytes);
  out.gauge("cairn_store_full", "1 while writes are refused for want of room.",
            std::uint64_t{store.full});
  out.gauge("cairn_store_stopped", "1 after a disk error has stopped writes.",
            std::uint64_t{store.stopped});
}

void add_chains(Families& out, const StorageStats& store) {
  const GcProgress& gc = store.gc;
  out.counter("cairn_gc_passes_total", "Finished passes over blocks that nothing may refer to.",
              gc.passes);
  out.gauge("cairn_gc_running", "1 while a pass is under way.", std::uint64_t{gc.under_way});
  out.counter("cairn_gc_erased_blocks_total", "Blocks that went after their grace.",
              gc.erased_blocks);
  out.counter("cairn_gc_erased_bytes_total", "Their bytes.", gc.erased_bytes);
  out.counter("cairn_gc_trimmed_links_total", "Links that were dropped and have been removed.",
              gc.trimmed_links);
  out.gauge("cairn_gc_trims_waiting", "Chains with dropped links still on the disk.",
            gc.trims_waiting);
  out.counter("cairn_chains_created_total", "Chains made.", store.chains_created);
  out.counter("cairn_chain_appends_total", "Appends acknowledged.", store.appends);
  out.counter("cairn_chain_links_total", "Links written.", store.appended_links);
  out.counter("cairn_chain_conflicts_total", "Appends that lost a race.", store.append_conflicts);
  out.gauge("cairn_chain_followers", "Who waits for news of a chain.", store.followers);
}

void add_disk(Families& out, const StorageStats& store) {
  out.gauge("cairn_disk_free_bytes", "Free room on the store's disk.", store.disk_free_bytes);
  out.gauge("cairn_disk_total_bytes", "Size of the store's disk.", store.disk_total_bytes);
  out.gauge("cairn_disk_reserve_bytes", "Room below which writes are refused.",
            store.reserve_bytes);
  const ScrubProgress& scrub = store.scrub;
  out.counter("cairn_scrub_passes_total", "Finished passes over all blocks.", scrub.passes);
  out.gauge("cairn_scrub_running", "1 while a pass is under way.", std::uint64_t{scrub.under_way});
  out.gauge("cairn_scrub_progress_ratio", "How far the pass is, 0 to 1.",
            static_cast<double>(scrub.slot) / kSlotCount);
  out.gauge("cairn_scrub_pass_blocks", "Blocks checked in this or the last pass.",
            scrub.pass_blocks);
  out.gauge("cairn_scrub_pass_bytes", "Bytes checked in this or the last pass.", scrub.pass_bytes);
  out.gauge("cairn_scrub_pass_corrupt_blocks", "Bad blocks found in this or the last pass.",
            scrub.pass_corrupt);
}

void add_process(Families& out, const Snapshot& s) {
  out.gauge("cairn_process_resident_bytes", "Resident memory.", s.process.resident_bytes);
  out.gauge("cairn_process_virtual_bytes", "Virtual memory.", s.process.virtual_bytes);
  out.gauge("cairn_process_open_descriptors", "Open file descriptors.", s.process.open_descriptors);
  out.gauge("cairn_process_descriptor_limit", "Most file descriptors.", s.process.descriptor_limit);
  out.gauge("cairn_process_threads", "Threads.", s.process.threads);
  out.counter_seconds("cairn_process_cpu_seconds_total", "Processor time.", s.process.cpu_seconds);
  out.gauge("cairn_process_start_time_seconds", "Start of the process, seconds since 1970.",
            s.started_s);
  out.gauge("cairn_ready", "1 while the node takes requests.",
            std::uint64_t{s.phase == NodePhase::ready});
  out.labelled_gauge("cairn_build_info", "What this build is.",
                     {{"version", kVersion}, {"revision", kRevision}, {"compiler", kCompiler}});
}

}  // namespace

std::vector<MetricFamily> metrics_of(const Snapshot& snapshot) {
  Families out;
  add_http(out, snapshot);
  add_cache(out, snapshot.cache);
  add_sources(out, snapshot.sources);
  out.gauge("cairn_warm_start_listed_blocks", "Blocks that the last run asked for most.",
            std::uint64_t{snapshot.warm.listed});
  out.gauge("cairn_warm_start_loaded_blocks", "Of these, loaded since the start.",
            std::uint64_t{snapshot.warm.loaded});
  add_store(out, snapshot.storage);
  add_chains(out, snapshot.storage);
  add_disk(out, snapshot.storage);
  add_process(out, snapshot);
  return out.take();
}

std::string_view name_of(NodePhase phase) {
  switch (phase) {
    case NodePhase::starting: return "starting";
    case NodePhase::ready: return "ready";
    case NodePhase::draining: return "draining";
  }
  return "starting";
}

}  // namespace cairn
